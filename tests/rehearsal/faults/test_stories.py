"""Single stories of trouble: many events of one member at once, and a notice whose fate nobody knows."""

from collections import Counter
from typing import Any

import pytest

from handlers.core import envelope
from rehearsal.journeys.model import Person
from rehearsal.twins.aws_faults import Fault, FaultKind
from tests.rehearsal.faults.stage import PATIENCE_SECONDS, Stage, until

pytestmark = pytest.mark.timeout(240)

CUSTOMERS = 3  # of one member: accounts are joined by the app's user id
CONFLICTS = (
    Fault(service="dynamodb", action="TransactWriteItems", kind=FaultKind.CONFLICT, probability=0.3, times=20),
    Fault(service="dynamodb", action="TransactWriteItems", kind=FaultKind.DELAY, delay_seconds=0.05),
)


def test_many_events_of_one_member_at_once_end_as_they_do_in_their_own_time(stage: Stage) -> None:
    world, twins = stage.world, stage.deployed.twins
    calm, hurried = (Person(f"u_{name}", f"{name}@customer.example", name) for name in ("calm", "hurried"))
    _buys_much(stage, calm)
    stage.settle()
    conflicts = _conflicts(stage)
    known = {event["id"] for event in twins.stripe.events()}

    twins.stripe.hold()
    _buys_much(stage, hurried)
    twins.aws.inject(*CONFLICTS)
    twins.stripe.release()
    most_workers = 0

    def settled() -> bool:
        nonlocal most_workers
        most_workers = max(most_workers, len(stage.workers("apply")))
        return twins.stripe.wait_idle(0.01) and world.drained()

    until(settled, PATIENCE_SECONDS, lambda: f"{stage.waiting()} {stage.due()}")
    injected = twins.aws.fault_hits()[0]
    twins.aws.inject()
    stage.settle()

    assert _shape(stage, hurried) == _shape(stage, calm)
    assert _shape(stage, hurried)["grants"] == Counter({"active": CUSTOMERS, "refunded": CUSTOMERS})
    for person in (calm, hurried):
        assert world.kit_labels(person) == world.labels("member_active")
        assert world.notices(person) == ["refund"] * CUSTOMERS

    told = [event for event in twins.stripe.events() if event["id"] not in known]
    groups = {envelope.group_of(event) for event in told if event["id"] in stage.ledger()}
    assert len(groups) > CUSTOMERS  # customers, and payments by themselves
    assert most_workers > 1
    assert injected > 0
    assert _conflicts(stage) - conflicts > injected  # some were real: two workers wrote the same member


def test_a_notice_that_may_not_have_arrived_is_escalated_once_and_not_sent_again(stage: Stage) -> None:
    world, slack = stage.world, stage.deployed.twins.slack
    person = Person("u_unheard", "unheard@customer.example", "Unheard")
    visit = world.arrives(person, days_ago=8)
    world.subscribes(visit)
    world.card(visit, "pm_card_chargeCustomerFail")
    slack.fail(status=500, times=1)
    world.time_passes(visit)
    world.expect(
        person,
        "after the failed renewal",
        membership={"state": "grace_period", "access": True},
        kit=world.labels("member_active", "payment_failed"),
    )
    stage.settle()
    (key,) = [key for key in stage.parked_notices() if key.startswith("payment_failed:")]
    assert world.notices(person) == []
    assert sum(person.user_id.encode() in call.body for call in slack.calls()) == 1
    lines = stage.lines("sync-slack")
    assert [line["subject"] for line in lines if line.get("action") == "escalate"] == [key]
    assert sum(line.get("SyncParked", 0) for line in lines) == 1


def _buys_much(stage: Stage, person: Person) -> None:
    """Each of the person's customers buys twice and gets the money of the first purchase back."""
    for _ in range(CUSTOMERS):
        visit = stage.world.arrives(person)
        first = stage.world.subscribes(visit)
        stage.world.subscribes(visit)
        stage.world.refunds(first)


def _shape(stage: Stage, person: Person) -> dict[str, Any]:
    """What the app sees of a member, without what differs between any two."""
    member = stage.world.members.get(person.user_id)
    assert member
    shape = {name: member[name] for name in ("state", "access", "levels", "reason", "needs_support")}
    return {**shape, "grants": Counter(grant["state"] for grant in member["grants"])}


def _conflicts(stage: Stage) -> int:
    return sum(line.get("WriteConflict", 0) for line in stage.lines("apply"))
