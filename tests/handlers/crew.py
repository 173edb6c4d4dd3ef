"""The sync function of one destination in a world, with a vendor that does as a test says."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from handlers.adapters import http
from handlers.adapters.deliveries import Deliveries
from handlers.adapters.items import Stored
from handlers.adapters.store import Store
from handlers.adapters.vendor_limits import VendorLimits
from handlers.core.desired import Desired, Notice
from handlers.core.errors import VendorError
from handlers.core.switch import Switch
from handlers.entrypoints.sync import Sync
from handlers.ports import Recovery
from handlers.settings import destination
from tests.handlers import story
from tests.handlers.pipeline_world import World


@dataclass
class Vendor:
    """A destination that remembers what it was asked, and fails as it is told."""

    name: str = "kit"
    recovery: Recovery = Recovery.IDEMPOTENT
    shown: list[Desired] = field(default_factory=list)
    told: list[Notice] = field(default_factory=list)
    remote: list[dict[str, str]] = field(default_factory=list)
    error: VendorError | None = None
    meanwhile: Callable[[], object] = lambda: None
    request: http.Request = http.request

    def bring(self, desired: Desired, remote: Any) -> dict[str, str]:
        self.shown.append(desired)
        self.remote.append(dict(remote))
        self.meanwhile()
        if self.error:
            raise self.error
        return {"subscriber_id": "7"}

    def send(self, notice: Notice) -> dict[str, str]:
        self.told.append(notice)
        self.meanwhile()
        if self.error:
            raise self.error
        return {"ts": "1.2"}


@dataclass
class Crew:
    """The sync function of one destination in a world."""

    world: World
    vendor: Vendor
    switch: Switch = field(default_factory=Switch)
    calls_per_month: int | None = None
    draw: float = 0.5
    loads: Callable[[], Vendor] | None = None  # what gives the vendor's code
    after_reading: Callable[[], object] = lambda: None

    def sync(self, *nudges: dict[str, str] | str, left_ms: float = 30_000) -> None:
        spec = destination(self.vendor.name)
        world = self.world
        limits = self.limits
        self.vendor.request = limits.request
        worker = Sync(
            spec=spec,
            destination=self.loads or (lambda: self.vendor),
            store=_Reading(world.store, self.after_reading),  # ty: ignore[invalid-argument-type]
            deliveries=Deliveries(world.dynamodb, world.name, spec.name),
            limits=limits,
            policy=world.policy,
            switch=self.switch,
            clock=world.clock,
            draw=lambda: self.draw,
        )
        bodies = [nudge if isinstance(nudge, str) else json.dumps(nudge) for nudge in nudges]
        answer = worker.handle({"Records": [{"messageId": "m", "body": body} for body in bodies]}, lambda: left_ms)
        assert answer == {"batchItemFailures": []}

    @property
    def limits(self) -> VendorLimits:
        """The vendor's, with the world's clock."""
        world, spec = self.world, destination(self.vendor.name)
        return VendorLimits(world.dynamodb, world.name, spec, calls_per_month=self.calls_per_month, clock=world.clock)

    def record(self, member: str = "user_ada") -> dict[str, Any]:
        delivery = self.world.item(f"MEMBER#{member}", f"DELIVERY#{self.vendor.name}")
        assert delivery is not None
        return delivery

    def notice(self, key: str = "payment_failed:in_2") -> dict[str, Any]:
        item = self.world.item(f"NOTICE#{key}", f"DELIVERY#{self.vendor.name}")
        assert item is not None
        return item


class _Reading:
    """A store during whose use something happens after each reading of a member."""

    def __init__(self, store: Store, afterwards: Callable[[], object]) -> None:
        self._store = store
        self._afterwards = afterwards

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def member(self, user_id: str) -> Stored | None:
        found = self._store.member(user_id)
        self._afterwards()
        return found


def join(world: World, user: str) -> None:
    """Somebody becomes a member."""
    world.deliver(
        story.subscription(id_=f"sub_{user}", customer=f"cus_{user}", user=user),
        story.session(id=f"cs_{user}", subscription=f"sub_{user}", customer=f"cus_{user}", user=user),
    )


def leave(world: World, user: str, at: int) -> None:
    """Somebody is a member no more."""
    told = story.subscription("deleted", at=at, id_=f"sub_{user}", customer=f"cus_{user}", user=user, status="canceled")
    world.deliver(told)
