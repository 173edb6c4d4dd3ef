"""Events are handled once more by name, by outcome, by moment or from the dead-letter queue; each once in a run."""

import copy
import json
import threading
import zlib
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from handlers.operations import resend as operation
from handlers.operations.resend import Wanted, find, missing, resend
from tests.handlers import story
from tests.handlers.operations.conftest import Deployed
from tests.handlers.story import START, Event


def silence(_line: str) -> None:
    """No progress."""


def parked_first(deployed: Deployed) -> Event:
    """An event that could not be read, as an older release may have left it, and can be now."""
    event = story.subscription()
    broken = copy.deepcopy(event)
    broken["data"]["object"]["status"] = 7
    deployed.world.deliver(broken)
    key = {"pk": {"S": f"EVENT#{event['id']}"}, "sk": {"S": "PAYLOAD"}}
    deployed.world.connect("dynamodb").put_item(
        TableName=deployed.world.name,
        Item={**key, "payload": {"B": zlib.compress(json.dumps(event).encode())}},
    )
    return event


@contextmanager
def working(deployed: Deployed) -> Generator[None]:
    """Apply takes what comes on the events queue."""
    done = threading.Event()

    def work() -> None:
        while not done.wait(0.05):
            bodies = deployed.events()
            if bodies:
                deployed.world.deliver(*bodies)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        done.set()
        worker.join()


def test_what_was_parked_is_found_with_its_reason_and_applied_once_more(deployed: Deployed) -> None:
    event = parked_first(deployed)
    deployed.world.deliver(story.subscription(id_="sub_2", customer="cus_2", user="user_bob"))
    found = find(deployed.stack, Wanted(parked=True), silence)
    assert [(entry.id, entry.outcome) for entry in found] == [(event["id"], "parked")]
    assert "status must be a text" in (found[0].reason or "")
    with working(deployed):
        done = resend(deployed.stack, found, None, silence)
    assert done.outcomes == {event["id"]: ("applied", None)}
    assert done.as_hoped
    assert deployed.world.member() is not None
    assert find(deployed.stack, Wanted(parked=True), silence) == []


def test_a_run_that_is_repeated_by_its_name_changes_nothing(deployed: Deployed) -> None:
    parked_first(deployed)
    found = find(deployed.stack, Wanted(parked=True), silence)
    with working(deployed):
        first = resend(deployed.stack, found, None, silence)
        before = deployed.world.member()
        again = resend(deployed.stack, found, first.run, silence)
    assert again.outcomes == first.outcomes
    assert deployed.world.member() == before


def test_events_are_chosen_by_when_stripe_made_them(deployed: Deployed) -> None:
    early, late = story.subscription(at=START), story.subscription("updated", at=START + 100)
    deployed.world.deliver(early, late)
    since = find(deployed.stack, Wanted(since=START + 1, until=START + 100), silence)
    assert [entry.id for entry in since] == [late["id"]]


def test_an_event_that_the_ledger_does_not_have_is_named(deployed: Deployed) -> None:
    wanted = Wanted(ids=("evt_nowhere",))
    found = find(deployed.stack, wanted, silence)
    assert missing(wanted, found) == ["evt_nowhere"]
    assert "evt_nowhere  not in the ledger" in list(operation.told(wanted, found))


def test_what_a_dead_letter_queue_holds_is_handled_and_leaves_it(deployed: Deployed) -> None:
    event = story.subscription()
    deployed.world.connect("sqs").send_message(
        QueueUrl=deployed.stack.dead_letters(),
        MessageBody=json.dumps(event),
        MessageGroupId="g",
        MessageDeduplicationId=event["id"],
    )
    found = find(deployed.stack, Wanted(dlq=True), silence)
    assert [entry.id for entry in found] == [event["id"]]
    with working(deployed):
        done = resend(deployed.stack, found, None, silence)
    assert done.outcomes == {event["id"]: ("applied", None)}
    assert find(deployed.stack, Wanted(dlq=True), silence) == []


def test_what_nobody_hears_of_is_named_and_is_no_success(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operation, "WAIT_SECONDS", 0.2)
    event = parked_first(deployed)
    done = resend(deployed.stack, find(deployed.stack, Wanted(parked=True), silence), None, silence)
    assert done.silent == (event["id"],)
    assert not done.as_hoped


def test_a_resend_is_audited(deployed: Deployed) -> None:
    parked_first(deployed)
    with working(deployed):
        done = resend(deployed.stack, find(deployed.stack, Wanted(parked=True), silence), None, silence)
    entries = list(deployed.stack.scan("#kind = :audit", {"#kind": "kind"}, {":audit": {"S": "AUDIT"}}))
    assert [entry["details"]["M"]["run"]["S"] for entry in entries] == [done.run]
    assert entries[0]["who"]["S"].startswith("arn:aws:")
