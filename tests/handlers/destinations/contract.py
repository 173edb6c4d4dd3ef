"""What the contract suite knows of each destination: its stand-in, and how to see what the stand-in holds."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from handlers.adapters import http
from handlers.core.desired import Desired, Notice
from handlers.core.errors import VendorError
from handlers.destinations.registry import load
from handlers.settings import DestinationSpec, destination
from tests.handlers.destinations.conftest import KitAccount, SlackWorkspace
from tests.handlers.loopback import Loopback, serving

EMAIL = "ada.lovelace@example.com"
DESIRED = Desired(member_id="mem_1", email=EMAIL, labels=frozenset({"member_active"}), version=3)
NOTICE = Notice(
    key="payment_failed:in_1", kind="payment_failed", member_id="mem_1", at=1_800_000_000, max_age_seconds=60
)


@dataclass(frozen=True)
class Entry:
    """One vendor: `account` makes a stand-in with a `key`, and `held` is what it shows, whatever its ids are."""

    account: Callable[[], Any]
    path: str
    options: Mapping[str, Any]
    held: Callable[[Any], object]


# A destination whose vendor has no stand-in here fails every test of the suite.
STAND_INS = {
    "kit": Entry(
        account=KitAccount,
        path="/v4",
        options={"tags": {"member_active": 11, "cancelled": 12, "level:member": 13}},
        held=lambda kit: sorted((kit.subscribers[id_], sorted(tags)) for id_, tags in kit.tagged.items()),
    ),
    "slack": Entry(
        account=SlackWorkspace,
        path="/api",
        options={"channel": "C0123456789"},
        held=lambda slack: [message["text"] for message in slack.posted],
    ),
}


@dataclass
class Subject:
    """One destination under test, with its vendor's stand-in."""

    spec: DestinationSpec
    server: Loopback
    account: Any
    request: http.Request = http.request

    @property
    def destination(self) -> Any:
        return load(
            self.spec.name,
            secret=self.secret + "\n",
            options=STAND_INS[self.spec.name].options,
            base_url=f"{self.server.url}{STAND_INS[self.spec.name].path}/",
            request=self.request,
        )

    @property
    def secret(self) -> str:
        return STAND_INS[self.spec.name].account().key

    def held(self) -> object:
        """What the vendor shows now."""
        return STAND_INS[self.spec.name].held(self.account)

    def start_anew(self) -> None:
        """The vendor, as if nothing had ever been sent there."""
        self.account = self.server.answer = STAND_INS[self.spec.name].account()
        self.server.asked.clear()
        http.close()

    def carry(self, remote: Mapping[str, str] | None = None) -> Mapping[str, str]:
        """Do what a delivery does."""
        if self.spec.carries == "state":
            return self.destination.bring(DESIRED, remote or {})
        return self.destination.send(NOTICE)

    def error(self) -> VendorError:
        """How a delivery fails."""
        with pytest.raises(VendorError) as caught:
            self.carry()
        return caught.value


@contextmanager
def standing_in(name: str) -> Generator[Subject]:
    """The destination called `name`, with a stand-in that runs."""
    assert name in STAND_INS, f"{name} has no stand-in in {__name__}: it is not held to the contract, so it cannot ship"
    account = STAND_INS[name].account()
    with serving(account) as server:
        yield Subject(destination(name), server, account)
