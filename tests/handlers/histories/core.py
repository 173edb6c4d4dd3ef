"""The pipeline's core as the histories see it: told in batches, asked in the oracle's words."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from handlers.core import events
from handlers.core import policy as policies
from handlers.core.membership import membership, next_change
from tests.handlers.core.memory import Memory
from tests.handlers.histories.people import KEY
from tests.handlers.story import Event


@dataclass(frozen=True)
class Told:
    """Members after a history, under a policy."""

    memory: Memory
    policy: policies.Policy

    def answer(self, now: int) -> dict[str, Any]:
        """What `oracle.answer` gives, without the payers that nobody knows."""
        found = {}
        for user, member in self.memory.members().items():
            view = asdict(membership(member.grants, self.policy, now))
            grants = {grant["id"]: {**grant, "levels": list(grant["levels"])} for grant in view.pop("grants")}
            if not (grants or member.address or member.customer_ids):
                continue
            found[user] = {
                **view,
                "levels": list(view["levels"]),
                "grants": grants,
                "address": member.address,
                "customers": list(member.customer_ids),
            }
        return found

    def next_change(self, user: str, now: int) -> int | None:
        """When time alone is said to change what `user` may see."""
        member = self.memory.members().get(user)
        return next_change(member.grants, self.policy, now) if member else None

    def everything(self) -> dict[str, Any]:
        """All that is kept of members, but for the order in which it was learnt."""
        return {
            user: (member.address, member.customer_ids, member.grants)
            for user, member in self.memory.members().items()
            if member.grants or member.address or member.customer_ids
        }


def tell(batches: Iterable[Iterable[Event]], policy: dict[str, Any]) -> Told:
    """The core after these batches of events."""
    rules = policies.parse(json.dumps(policy))
    memory = Memory(reading=rules.reading((KEY,)))
    for batch in batches:
        for event in batch:
            facts = events.facts(event, memory.reading)
            if facts is not None:
                memory.take(facts)
    return Told(memory, rules)
