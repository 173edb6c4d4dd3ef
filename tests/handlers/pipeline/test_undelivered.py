"""undelivered on real dead-letter queues and a real table: what lies there is written down, and somebody told once."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from handlers.adapters.deliveries import Deliveries
from handlers.core import again, envelope
from handlers.core.again import Again
from handlers.entrypoints.undelivered import Undelivered, dead_letters_of
from tests.handlers import story
from tests.handlers.faults import FaultyClient, refused, times
from tests.handlers.pipeline_world import World
from tests.handlers.story import DAY, START

EVENTS = "events"
RECEIVES = 2  # of a queue before it gives a message up


@dataclass
class Office:
    """A dead-letter queue for every queue, and who reads them."""

    world: World
    queues: dict[str, str]  # the queues' URLs, by destination or "events"

    def give_up(self, queue: str, *bodies: str) -> None:
        """Have messages received until the queue moves them to its dead letters."""
        sqs = self.world.connect("sqs")
        fifo = {"MessageGroupId": "g"} if queue == EVENTS else {}
        for place, body in enumerate(bodies):
            once = {"MessageDeduplicationId": f"{place}-{hash(body)}"} if fifo else {}
            sqs.send_message(QueueUrl=self.queues[queue], MessageBody=body, **fifo, **once)
        for _ in range(RECEIVES + 1):
            sqs.receive_message(QueueUrl=self.queues[queue], MaxNumberOfMessages=10, VisibilityTimeout=0)

    def read(self, queue: str, left_ms: float = 30_000) -> list[str]:
        """Let the function take a batch, as Lambda does; the bodies of what it did not take."""
        sqs = self.world.connect("sqs")
        name = dead_letters_of(self.queues[queue])
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0, AttributeNames=["All"])
        letters = {letter["MessageId"]: letter for letter in answer.get("Messages", [])}
        records = [
            {
                "messageId": id_,
                "body": letter["Body"],
                "attributes": letter["Attributes"],
                "eventSourceARN": f"arn:aws:sqs:eu-west-1:111122223333:{name}",
            }
            for id_, letter in letters.items()
        ]
        failed = self.function.handle({"Records": records}, lambda: left_ms)["batchItemFailures"]
        kept = {failure["itemIdentifier"] for failure in failed}
        for id_, letter in letters.items():
            if id_ not in kept:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=letter["ReceiptHandle"])
        return [letters[id_]["Body"] for id_ in kept]

    @property
    def function(self) -> Undelivered:
        world = self.world
        return Undelivered(
            store=world.store,
            deliveries=lambda name: Deliveries(world.dynamodb, world.name, name),
            nudges=world.nudges,
            sync_queue_urls=world.queue_urls,
            clock=world.clock,
        )

    def ledger(self, event: str) -> dict[str, Any] | None:
        return self.world.item(f"EVENT#{event}", "LEDGER")

    def notice(self, key: str, channel: str = "slack") -> dict[str, Any] | None:
        return self.world.item(f"NOTICE#{key}", f"DELIVERY#{channel}")


@pytest.fixture
def office(world: World) -> Office:
    _ = world.dynamodb  # make the table
    sqs = world.connect("sqs")
    events = f"{world.name}-events.fifo"
    queues = {EVENTS: sqs.create_queue(QueueName=events, Attributes={"FifoQueue": "true"})["QueueUrl"]}
    queues |= world.queue_urls
    for name, url in queues.items():
        fifo = {"FifoQueue": "true"} if name == EVENTS else {}
        dead = sqs.create_queue(QueueName=dead_letters_of(url), Attributes=fifo)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": RECEIVES})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": redrive})
    return Office(world, queues)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def metrics(printed: list[dict[str, Any]]) -> list[str]:
    return [line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"] for line in printed if "_aws" in line]


def test_an_event_that_was_given_up_is_parked_with_its_text_and_told(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    event = story.subscription()
    office.give_up(EVENTS, json.dumps(event))
    assert office.read(EVENTS) == []
    entry = office.ledger(event["id"])
    assert entry is not None
    assert (entry["outcome"], entry["type"], entry["created"]) == ("parked", event["type"], event["created"])
    assert entry["reason"].startswith("given up by the events queue after ")
    assert office.world.item(f"EVENT#{event['id']}", "PAYLOAD") is not None
    notice = office.notice(f"undelivered:{event['id']}")
    assert notice is not None
    assert notice["member"] == "cus_Ada0001"
    assert f"resend --event {event['id']}" in notice["notice"]["details"]["replay"]
    assert office.world.messages("slack") == [{"member": "cus_Ada0001", "notice": f"undelivered:{event['id']}"}]
    assert metrics(lines(capsys)) == ["EventParked"]
    assert office.read(EVENTS) == []


def test_what_was_parked_so_can_be_handled_once_more(office: Office) -> None:
    event = story.subscription()
    office.give_up(EVENTS, json.dumps(event))
    office.read(EVENTS)
    assert office.world.deliver(again.encode(Again(run="r", body=json.dumps(event)))) == []
    entry = office.ledger(event["id"])
    assert entry is not None
    assert entry["outcome"] == "applied"


def test_an_event_that_was_handled_after_all_is_no_news(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    event = story.subscription()
    office.world.deliver(event)
    office.give_up(EVENTS, json.dumps(event))
    capsys.readouterr()
    assert office.read(EVENTS) == []
    entry = office.ledger(event["id"])
    assert entry is not None
    assert entry["outcome"] == "applied"
    (line,) = lines(capsys)
    assert line["result"] == "duplicate"


def test_a_letter_that_comes_twice_is_told_once(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    event = json.dumps(story.subscription())
    office.give_up(EVENTS, event)
    office.read(EVENTS)
    office.give_up(EVENTS, event)
    office.read(EVENTS)
    assert metrics(lines(capsys)) == ["EventParked"]
    assert len(office.world.messages("slack")) == 1


def test_a_replay_that_was_given_up_parks_the_event_again(office: Office) -> None:
    event = story.subscription()
    office.world.deliver(event)
    office.give_up(EVENTS, again.encode(Again(run="r1", body=json.dumps(event))))
    office.read(EVENTS)
    entry = office.ledger(event["id"])
    assert entry is not None
    assert (entry["outcome"], entry["run"]) == ("parked", "r1")
    assert office.notice(f"undelivered:{event['id']}") is not None


def test_an_event_that_was_too_long_for_the_queue_is_parked_by_its_reference(office: Office) -> None:
    long = story.subscription()
    long["data"]["object"]["metadata"]["x"] = "x" * envelope.MAX_BYTES
    office.give_up(EVENTS, envelope.encode(json.dumps(long).encode(), long))
    office.read(EVENTS)
    entry = office.ledger(long["id"])
    assert entry is not None
    assert (entry["outcome"], entry["type"]) == ("parked", long["type"])


@pytest.mark.parametrize("body", ["not json", "[]", '{"id": 5}', '{"launch_ready_again": 5}', '{"id": "evt_1"}'])
def test_what_cannot_be_read_is_kept_and_told(office: Office, body: str, capsys: pytest.CaptureFixture[str]) -> None:
    office.give_up(EVENTS, body)
    assert office.read(EVENTS) == []
    (told,) = office.world.messages("slack")
    unreadable = told["notice"].removeprefix("undelivered:")
    assert unreadable.startswith("unreadable-")
    entry = office.ledger(unreadable)
    assert entry is not None
    assert (entry["outcome"], entry["type"]) == ("parked", "unreadable")
    assert metrics(lines(capsys)) == ["EventParked"]


def test_a_nudge_is_due_afterwards_and_one_alert_a_day_tells_of_all(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    world = office.world
    world.deliver(story.subscription(), story.session())
    world.messages("kit")
    capsys.readouterr()
    nudge = json.dumps({"member": "user_ada"})
    office.give_up("kit", nudge, nudge)
    assert office.read("kit") == []
    printed = lines(capsys)
    assert metrics(printed) == ["Alert"]
    assert [line["result"] for line in printed if line.get("action") == "undelivered"] == ["as it was", "as it was"]
    assert len(world.messages("slack")) == 1
    record = world.item("MEMBER#user_ada", "DELIVERY#kit")
    assert record is not None
    assert record["due_at"] == world.clock()
    world.clock.now += DAY
    office.give_up("kit", nudge)
    office.read("kit")
    assert metrics(lines(capsys)) == ["Alert"]


def test_what_was_behind_and_not_due_is_made_due(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    world = office.world
    world.deliver(story.subscription(), story.session())
    world.connect("dynamodb").update_item(
        TableName=world.name,
        Key={"pk": {"S": "MEMBER#user_ada"}, "sk": {"S": "DELIVERY#kit"}},
        UpdateExpression="REMOVE due_at, due_shard",
    )
    office.give_up("kit", json.dumps({"member": "user_ada"}))
    office.read("kit")
    record = world.item("MEMBER#user_ada", "DELIVERY#kit")
    assert record is not None
    assert record["due_at"] == world.clock()
    world.messages("kit")
    assert world.sweep.run(lambda: 30_000)["nudged"] == 2  # and the notice of the undelivered nudge


@pytest.mark.parametrize("state", ["parked", "withheld", "told_at", "expired_at"])
def test_what_is_up_to_a_person_or_done_is_left_alone(office: Office, state: str) -> None:
    world = office.world
    world.deliver(story.subscription(), story.session(), story.invoice("payment_failed", at=START + 50, id_="in_2"))
    key = {"pk": {"S": "NOTICE#payment_failed:in_2"}, "sk": {"S": "DELIVERY#slack"}}
    world.connect("dynamodb").update_item(
        TableName=world.name,
        Key=key,
        UpdateExpression=f"SET {state} = :now REMOVE due_at, due_shard",
        ExpressionAttributeValues={":now": {"N": "1"}},
    )
    office.give_up("slack", json.dumps({"member": "user_ada", "notice": "payment_failed:in_2"}))
    office.read("slack")
    notice = office.notice("payment_failed:in_2")
    assert notice is not None
    assert "due_at" not in notice


def test_the_channel_is_not_told_by_itself_that_it_cannot_be_reached(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    office.give_up("slack", json.dumps({"member": "user_nobody", "notice": "refund:pi_1:5"}))
    assert office.read("slack") == []
    assert metrics(lines(capsys)) == ["Alert"]
    assert office.world.messages("slack") == []


def test_a_table_that_is_down_leaves_the_letter_where_it_is(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    event = json.dumps(story.subscription())
    office.give_up(EVENTS, event)
    real = office.world.dynamodb
    office.world.dynamodb = FaultyClient(real, transact_write_items=times(1, lambda: refused("InternalServerError")))
    assert office.read(EVENTS) == [event]
    assert office.read(EVENTS) == []
    assert metrics(lines(capsys)) == ["EventParked"]


def test_a_mistake_of_ours_costs_no_other_letter(office: Office) -> None:
    good, bad = json.dumps(story.subscription()), json.dumps(story.session())
    office.give_up(EVENTS, bad, good)
    real = office.world.dynamodb
    office.world.dynamodb = FaultyClient(real, transact_write_items=times(1, lambda: TypeError("a mistake")))
    assert office.read(EVENTS) == [bad]
    assert office.ledger(json.loads(good)["id"]) is not None


def test_without_time_left_nothing_is_begun(office: Office) -> None:
    event = json.dumps(story.subscription())
    office.give_up(EVENTS, event)
    assert office.read(EVENTS, left_ms=1000) == [event]


def test_the_address_of_a_payer_is_in_no_log_and_no_notice(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    event = story.session()
    office.give_up(EVENTS, json.dumps(event))
    office.read(EVENTS)
    notice = office.notice(f"undelivered:{event['id']}")
    assert "tidewriters.example" not in capsys.readouterr().out + str(notice)
