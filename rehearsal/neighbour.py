"""The stack that owns the zone of the one that is rehearsed: deployed before it, and found untouched after it.

Its functions are declared but never run: the journeys are those of the stack that is rehearsed.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rehearsal.apply import Deployment, Step, apply
from rehearsal.assembly import Twins
from rehearsal.journeys.model import JourneyResult
from rehearsal.resources import handler_for
from rehearsal.route import STRIPE_ADDRESS
from rehearsal.site import Site
from rehearsal.target import Target
from rehearsal.twins.event_source import QueueMapping
from rehearsal.twins.schedules import Schedule
from rehearsal.twins.stripe import StripeTwin

_CLOUDFLARE = "cloudflare:"


class Resting:
    """Event-source mappings and schedules that are taken in, and never run."""

    redelivery_seconds: int | None = None

    def add(self, declared: QueueMapping | Schedule) -> None:
        """Take it in."""


@dataclass(frozen=True, kw_only=True)
class Neighbour:
    """The deployed owner; `before` maps the URN of each of its resources in the zone to what stood there."""

    name: str
    deployment: Deployment
    target: Target
    before: Mapping[str, str]

    @property
    def zone_id(self) -> str:
        """Cloudflare's id of the zone that both stacks are in."""
        return self.deployment.outputs["contract"]["zone"]["id"]

    def untouched(self) -> JourneyResult:
        """Whether everything that the owner has in the zone is as it was before the tenant came."""
        now = _standing(self.deployment.created, self.target)
        changed = sorted(urn for urn, what in self.before.items() if now.get(urn) != what)
        return JourneyResult(
            name="neighbour",
            title=f"what stack {self.name} has in the zone is as it was",
            passed=bool(self.before) and not changed,
            step="over the whole rehearsal",
            expected={"changed": []},
            actual={"changed": changed, "compared": len(self.before)},
            seconds=0.0,
        )


def deploy(
    project: Path, name: str, site: Site, twins: Twins, ends: ExitStack, progress: Callable[[Step], None]
) -> Neighbour:
    """Deploy the owner `name`, whose configuration is `site`, to the twins; `ends` stops its own Stripe stand-in."""
    transport = ends.enter_context(twins.route.client(timeout=15.0, address=STRIPE_ADDRESS))
    shop = StripeTwin(livemode=site.livemode, transport=transport)
    shop.start()
    ends.callback(shop.stop)
    resting: Any = Resting()
    target = replace(twins.target, event_sources=resting, schedules=resting)
    overrides = {**twins.overrides(), **_at(shop)}
    deployment = apply(project, name, target, overrides, progress=progress)
    return Neighbour(name=name, deployment=deployment, target=target, before=_standing(deployment.created, target))


def _at(shop: StripeTwin) -> dict[str, str]:
    return {"stripeApiBase": shop.url, "stripeApiKey": shop.api_key, "stripeReadKey": shop.read_key}


def _standing(created: tuple[Step, ...], target: Target) -> dict[str, str]:
    """What each of the resources in the zone is at the moment, as text; one that is gone is "null"."""
    found = {}
    for step in created:
        handler = handler_for(step.resource.type)
        if handler is not None and step.resource.type.startswith(_CLOUDFLARE):
            found[step.resource.urn] = json.dumps(handler.read(step.id, target), sort_keys=True, default=str)
    return found
