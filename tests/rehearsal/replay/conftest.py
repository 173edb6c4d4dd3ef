"""A Judge of the tests' own: what the table's ledger says, and one member a user of the events' metadata."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest


@dataclass
class StandIn:
    """Keeps what it was asked, and answers in the form of `rehearsal.replay.judging.Judge`."""

    asked: dict[str, Any] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)

    def __call__(
        self,
        *,
        items: Iterable[Mapping[str, Any]],
        events: Sequence[Mapping[str, Any]],
        policy: str,
        now: int,
        any_price: str | None,
        identity_document: str | None,
    ) -> dict[str, Any]:
        self.asked = {"items": list(items), "events": list(events), "policy": policy, "now": now, "level": any_price,
                      "identity": identity_document}  # fmt: skip
        ledger = {
            item["pk"]["S"].removeprefix("EVENT#"): {
                name: item[name]["S"] if "S" in item.get(name, {}) else None for name in ("outcome", "reason", "type")
            }
            for item in self.asked["items"]
            if item["sk"]["S"] == "LEDGER"
        }
        customers = {event["data"]["object"].get("customer") for event in events}
        members = [member(customers=[customer]) for customer in customers if customer]
        answer = {"members": members, "unmapped_prices": [], "ledger": ledger, "disagreements": []}
        return {**answer, **self.more}


def member(**more: Any) -> dict[str, Any]:
    """A member as a Judge tells of it."""
    plain = {"user_id": None, "customers": [], "state": "lead", "access": False, "levels": [], "until": None,
             "reason": None, "needs_support": False, "grants": [], "transitions": []}  # fmt: skip
    return {**plain, **more}


@pytest.fixture
def judge() -> StandIn:
    return StandIn()


@pytest.fixture
def a_member() -> Callable[..., dict[str, Any]]:
    return member


def as_lines(*events: Mapping[str, Any]) -> str:
    return "\n".join(json.dumps(event) for event in events)
