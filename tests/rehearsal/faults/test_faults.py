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
    "renewal_recovers": MEMBER,
    "renewal_lapses": ["cancelled"],
    "cancels_at_period_end": ["cancelled"],
    "cancels_at_once": ["cancelled"],
    "full_refund": ["refunded"],
    "told_twice": [*MEMBER, "payment_failed"],
    "same_second": ["cancelled"],
    "forged": [],
    "kit_down": MEMBER,
}
NOTICES = Counter({"Payment failed": 2, "Refund": 2})  # of renewal_recovers, told_twice, two_one_refunded, full_refund


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
    with_labels = {journey.person().email for journey in _journeys(run) if LABELS[journey.name]}
    assert sorted(subscribers) == sorted(with_labels)


def test_slack_is_never_told_twice(run: Run) -> None:
    assert [occurrence for occurrence, times in run.stage.notices().items() if times > 1] == []


def test_slack_is_told_of_everything_whose_outcome_is_known(run: Run) -> None:
    shown = run.stage.notices()
    unknown = set(run.stage.parked_notices().values())
    missing = NOTICES - Counter(kind for kind, _ in shown)
    assert missing.total() <= len(unknown - {about for _, about in shown})


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
