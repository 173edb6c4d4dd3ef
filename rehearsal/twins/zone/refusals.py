"""Why the zone twin does not take something, and readers of inputs that say so."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from rehearsal.errors import DeploymentError
from rehearsal.twins.zone.plans import ORDER, Plan

_ID = re.compile(r"[0-9a-f]{32}")


class CloudflareError(DeploymentError):
    """Cloudflare refuses this; the message says what, the limit and what to do. `code` is the API's own, if known."""

    def __init__(self, message: str, code: int = 1004) -> None:
        super().__init__(message)
        self.code = code


class NotInTwinError(DeploymentError):
    """Cloudflare takes this, but the twin would not act on it, so a rehearsal with it would prove nothing."""


def whole(value: Any, what: str, *, least: int, most: int) -> int:
    """`value` as an int; Pulumi's wire format turns ints into floats. CloudflareError names `what` and the limits."""
    if isinstance(value, bool) or not isinstance(value, int | float) or int(value) != value:
        raise CloudflareError(f"{what} must be a whole number from {least} to {most}, got {value!r}")
    if not least <= value <= most:
        raise CloudflareError(f"{what} must be {least} to {most}, got {int(value)}")
    return int(value)


def text(inputs: Mapping[str, Any], key: str, what: str) -> str:
    """The non-empty string at `key`."""
    value = inputs.get(key)
    if not isinstance(value, str) or not value:
        raise CloudflareError(f"{what} needs {key}, a text that is not empty; got {value!r}")
    return value


def boolean(inputs: Mapping[str, Any], key: str, what: str) -> bool:
    """The switch at `key`, false where it is not set."""
    value = inputs.get(key)
    if value is not None and not isinstance(value, bool):
        raise CloudflareError(f"{what}: {key} must be true or false, got {value!r}")
    return bool(value)


def one_of(value: Any, allowed: Iterable[Any], what: str) -> Any:
    """`value`, which must be among `allowed`."""
    known = list(allowed)
    if value not in known:
        raise CloudflareError(f"{what} must be one of {', '.join(map(str, known))}; got {value!r}")
    return value


def identifier(value: Any, what: str) -> str:
    """`value`, one of Cloudflare's ids."""
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise CloudflareError(f"{what} must be 32 hexadecimal digits, got {value!r}")
    return value


def needs(plan: Plan, least: Plan, what: str) -> None:
    """The zone's plan must be `least` or larger."""
    if ORDER.index(plan) < ORDER.index(least):
        raise CloudflareError(f"{what} needs plan {least!r}, the zone has {plan!r}")


def only(inputs: Mapping[str, Any], known: Iterable[str], what: str) -> None:
    """Nothing but `known` keys may be set: the twin would ignore the others in silence."""
    unknown = sorted(key for key, value in inputs.items() if value is not None and key not in set(known))
    if unknown:
        raise NotInTwinError(f"{what}: the edge twin does not act on {', '.join(unknown)}")
