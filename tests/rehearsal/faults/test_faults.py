"""Whatever fails on the way, every journey ends as it should, and each effect shows once."""

from collections import Counter
from collections.abc import Callable

import pytest

from rehearsal.journeys import JOURNEYS
from rehearsal.journeys.model import Journey
from tests.rehearsal.faults.conftest import Run

pytestmark = pytest.mark.timeout(300)

MEMBER = ["level:writer", "member_active"]
LABELS = {
    "joins": MEMBER,
    "buys_something_else": [],
    "two_one_refunded": MEMBER,
    "bought_once": ["refunded"],
    "renewal_recovers": MEMBER,
    "renewal_lapses": ["cancelled"],
    "cancels_at_period_end": ["cancelled"],
    "cancels_at_once": ["cancelled"],
    "full_refund": ["refunded"],
    "claimed": MEMBER,
    "told_twice": [*MEMBER, "payment_failed"],
    "same_second": ["cancelled"],
    "same_second_tie": MEMBER,
    "forged": [],
    "kit_down": MEMBER,
}
ALSO_AT_KIT = {"same_second_tie": "other"}  # who else is a member in a journey, with an address of their own
NOTICES: dict[str, tuple[str, ...]] = {
    "renewal_recovers": ("Payment failed",),
    "told_twice": ("Payment failed",),
    "two_one_refunded": ("Refund",),
    "full_refund": ("Refund",),
    "bought_once": ("Refund",),
    "claimed": ("Unclaimed",),
}


def test_the_trouble_is_real(run: Run, record_property: Callable[[str, object], None]) -> None:
    record_property("table: faults by cause", run.row())
    assert {name for name, times in run.hits.items() if times} == run.cause.does


def test_every_journey_ends_as_it_should(run: Run) -> None:
    failed = [
        (journey.name, journey.step, journey.actual, journey.evidence) for journey in run.told if not journey.passed
    ]
    assert failed == []


def test_no_acknowledged_event_is_lost(run: Run) -> None:
    ledger = run.stage.ledger()
    assert run.stage.accepted() - ledger.keys() == set()
    assert set(ledger.values()) == {"applied"}


def test_stripe_gets_every_event_accepted_in_the_end(run: Run) -> None:
    assert run.stage.subscribed() == run.stage.accepted()


def test_what_the_webhook_cannot_take_it_refuses_in_a_way_that_makes_stripe_retry(run: Run) -> None:
    assert set(run.stage.refusals()) == ({503} if "SendMessage ServiceUnavailable" in run.cause.does else set())


def test_lost_nudges_are_made_up_for(run: Run) -> None:
    lost = [line for line in run.stage.lines("apply") if line.get("message") == "nudges were not sent"]
    assert bool(lost) == ("SendMessageBatch ServiceUnavailable" in run.cause.does)
    assert run.stage.due() == []


def test_kit_shows_exactly_the_desired_labels(run: Run) -> None:
    people = {journey.name: journey.person for journey in _journeys(run)}
    shown = {name: run.stage.world.kit_labels(person()) for name, person in people.items()}
    assert shown == {name: sorted(LABELS[name]) for name in shown}


def test_kit_has_each_person_once(run: Run) -> None:
    subscribers = run.stage.subscribers()
    with_labels = [journey.person().email for journey in _journeys(run) if LABELS[journey.name]]
    others = [j.person().another(ALSO_AT_KIT[j.name]).email for j in _journeys(run) if j.name in ALSO_AT_KIT]
    assert sorted(subscribers) == sorted([*with_labels, *others])


def test_slack_is_never_told_twice(run: Run) -> None:
    assert [occurrence for occurrence, times in run.stage.notices().items() if times > 1] == []


def test_slack_is_told_of_everything_whose_outcome_is_known(run: Run) -> None:
    shown = run.stage.notices()
    unknown = set(run.stage.parked_notices().values())
    due = Counter(kind for journey in _journeys(run) for kind in NOTICES.get(journey.name, ()))
    missing = due - Counter(text.partition("\n")[0].strip("*") for text in shown)
    assert missing.total() <= len(unknown - shown.keys())


def test_an_unknown_outcome_is_escalated_once(run: Run) -> None:
    lines = run.stage.lines("sync-slack")
    escalated = Counter(line["subject"] for line in lines if line.get("action") == "escalate")
    assert escalated == Counter(run.stage.parked_notices().keys())
    assert sum(line.get("SyncParked", 0) for line in lines) == len(escalated)
    lost = {"sync-slack killed in a call", "slack status=500 after_effect=True"} & run.cause.does
    assert escalated or not lost


def test_nothing_is_left_in_a_queue(run: Run) -> None:
    assert run.stage.waiting() == {}


def _journeys(run: Run) -> list[Journey]:
    told = {journey.name for journey in run.told}
    return [journey for journey in JOURNEYS if journey.name in told]
