"""Which function answers which method and path."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from rehearsal.twins.stripe.account import Account
from rehearsal.twins.stripe.errors import ApiError, invalid
from rehearsal.twins.stripe.params import Spec
from rehearsal.twins.stripe.store import Object

Operation: TypeAlias = Callable[..., Object]  # (account, params, *ids from the path) -> the answer


@dataclass(frozen=True)
class Route:
    """One API call; `{id}` in the path stands for an id, which the operation gets."""

    method: str
    path: str
    operation: Operation
    spec: Spec = field(default_factory=Spec)

    def match(self, method: str, path: str) -> list[str] | None:
        """The ids in `path`, None if this is not the route."""
        found = re.fullmatch(re.escape(self.path).replace(r"\{id\}", "([A-Za-z0-9_]+)"), path)
        return list(found.groups()) if found and method == self.method else None


@dataclass(frozen=True)
class Call:
    """A request whose parameters were read: ready to run."""

    operation: Operation
    ids: list[str]
    params: dict[str, Any]

    def run(self, account: Account) -> Object:
        """Carry it out. ApiError for what Stripe would refuse."""
        return self.operation(account, self.params, *self.ids)


def find(routes: Sequence[Route], method: str, path: str) -> tuple[Route, list[str]]:
    """The route and ids of a request. ApiError 404 where there is none, naming what Stripe may well have."""
    for route in routes:
        ids = route.match(method, path)
        if ids is not None:
            return route, ids
    error = invalid(f"Unrecognized request URL ({method}: {path}). If Stripe has it, this twin does not implement it.")
    raise ApiError(404, error.kind, str(error))
