"""Where declared resources are brought to: the twins of one rehearsal."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from rehearsal.twins.aws import AwsTwin
from rehearsal.twins.event_source import EventSources
from rehearsal.twins.gateway_front import GatewayFronts
from rehearsal.twins.schedules import Schedules


class DeclaredZone(Protocol):
    """What the AWS side needs of the DNS that was declared: certificates are validated through it."""

    def find_records(self, name: str) -> list[dict[str, Any]]:
        """The records of that name, each with at least `name`, `type` and `content`."""
        ...


def _no_log(message: str) -> None:
    """Say nothing."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """The twins, and what a function needs to know to reach them.

    `overrides` are environment variables added to every function (AWS_ENDPOINT_URL, KIT_API_BASE, …); `region` is
    that of the resource's explicit provider, if it has one; `root` is the project's directory (the apply pass sets it).
    """

    aws: AwsTwin
    event_sources: EventSources
    schedules: Schedules
    fronts: GatewayFronts
    zone: Any  # ZoneTwin; its own handlers know all of it, the AWS side only DeclaredZone
    overrides: Mapping[str, str] = field(default_factory=dict)
    log: Callable[[str], None] = _no_log
    region: str | None = None
    root: Path = Path()

    def client(self, service: str) -> Any:
        """A client of the local AWS in the resource's region."""
        return self.aws.client(service, region=self.region)

    @property
    def effective_region(self) -> str:
        """The region that the resource belongs to."""
        return self.region or self.aws.region

    def with_provider(self, inputs: Mapping[str, Any]) -> "Target":
        """The same target as an explicit provider with these inputs sees it."""
        return replace(self, region=inputs["region"]) if inputs.get("region") else self
