import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from handlers.adapters.sqs_http import EventsQueue
from handlers.core.errors import VendorError
from handlers.entrypoints import bridge as entrypoint
from handlers.entrypoints.bridge import Bridge
from handlers.entrypoints.webhook import Webhook
from handlers.settings import Env
from tests.handlers.conftest import ACCOUNT, REGION
from tests.handlers.pipeline_world import Connect

SOURCE = "aws.partner/stripe.com/ed_61TEN0dErlaWJQzTZ16Qafnx2x"
EVENTS = Path(__file__).resolve().parents[2] / "events"
STORED = sorted(path.stem for path in EVENTS.glob("*.json"))


@dataclass
class MemoryQueue:
    """A queue that keeps what it is sent, or refuses as it is told."""

    sent: list[tuple[str, str, str]] = field(default_factory=list)
    down_for: set[str] = field(default_factory=set)

    def send(self, body: str, *, group: str, deduplication_id: str) -> None:
        if deduplication_id in self.down_for:
            raise VendorError("SQS answered 503", permanent=False)
        self.sent.append((body, group, deduplication_id))


class Secrets:
    """One signing secret that never moves."""

    def held(self) -> tuple[str, ...]:
        return ("whsec_current",)

    def refresh(self) -> bool:
        return False


def stored(name: str) -> dict[str, Any]:
    return {**json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8")), "livemode": True}


def event(id_: str = "evt_1", **changes: Any) -> dict[str, Any]:
    subject = {"id": "in_1", "object": "invoice", "customer": "cus_1"}
    return {"id": id_, "type": "invoice.paid", "livemode": True, "data": {"object": subject}, **changes}


def brought(detail: Any, **changes: Any) -> dict[str, Any]:
    """What EventBridge makes of a partner's event (AWS, "Events from SaaS partners")."""
    return {
        "version": "0",
        "id": "f0e1d2c3-0000-4000-8000-000000000000",
        "detail-type": "invoice.paid",
        "source": SOURCE,
        "account": ACCOUNT,
        "time": "2026-11-21T10:00:00Z",
        "region": REGION,
        "resources": [f"arn:aws:events:{REGION}::event-source/{SOURCE}"],
        "detail": detail,
        **changes,
    }


def batch(*bodies: Any) -> dict[str, Any]:
    texts = [body if isinstance(body, str) else json.dumps(body) for body in bodies]
    return {"Records": [{"messageId": f"m{number}", "body": text} for number, text in enumerate(texts)]}


def taking(queue: MemoryQueue) -> Bridge:
    return Bridge(queue=queue, source=SOURCE, account=ACCOUNT, live=True)


@pytest.mark.parametrize("name", STORED)
def test_it_enqueues_what_the_webhook_would(name: str):
    through_eventbridge, through_the_webhook = MemoryQueue(), MemoryQueue()
    taking(through_eventbridge).take(batch(brought(stored(name))))
    body = json.dumps(stored(name))
    header = stripe.WebhookSignature.generate_signature_header(body, "whsec_current", timestamp=1_800_000_000)
    webhook = Webhook(queue=through_the_webhook, secrets=Secrets(), clock=lambda: 1_800_000_000)
    webhook.receive({"body": body, "headers": {"stripe-signature": header}})
    [(text, *keys)], [(wanted, *wanted_keys)] = through_eventbridge.sent, through_the_webhook.sent
    assert (json.loads(text), keys) == (json.loads(wanted), wanted_keys)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (brought(event(), source="aws.partner/stripe.com/ed_another"), "source"),
        (brought(event(), source=None), "source"),
        (brought(event(), account="999999999999"), "account"),
        (brought(event(), account=None), "account"),
        (brought(event(livemode=False)), "livemode"),
        (brought(event(livemode="true")), "livemode"),
        (brought({"id": "evt_1", "type": "invoice.paid"}), "livemode"),
        (brought("text"), "shape"),
        (brought(None), "shape"),
        ([], "shape"),
        ("{", "shape"),
        ("[" * 100_000, "shape"),
    ],
)
def test_what_is_not_for_this_stack_is_refused_counted_and_not_tried_again(
    body: Any, reason: str, capsys: pytest.CaptureFixture[str]
):
    queue = MemoryQueue()
    assert taking(queue).take(batch(body)) == {"batchItemFailures": []}
    assert queue.sent == []
    said, counted = map(json.loads, capsys.readouterr().out.splitlines())
    assert (said["level"], said["result"], said["reason"]) == ("error", "refused", reason)
    assert (counted["EventRefused"], counted["reason"]) == (1, reason)


def test_one_that_is_refused_does_not_hold_up_the_others():
    queue = MemoryQueue()
    taking(queue).take(batch(brought(event("evt_1", livemode=False)), brought(event("evt_2"))))
    assert [deduplication_id for _, _, deduplication_id in queue.sent] == ["evt_2"]


def test_what_a_queue_that_is_down_did_not_take_comes_again_and_only_that():
    queue = MemoryQueue(down_for={"evt_2"})
    answer = taking(queue).take(batch(*(brought(event(f"evt_{number}")) for number in (1, 2, 3))))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert [deduplication_id for _, _, deduplication_id in queue.sent] == ["evt_1", "evt_3"]


def test_what_is_from_stripe_but_no_event_is_passed_on_to_be_parked():
    queue = MemoryQueue()
    taking(queue).take(batch(brought({"livemode": True, "object": "surprise"})))
    [(body, group, _)] = queue.sent
    assert (json.loads(body)["object"], group) == ("surprise", "unreadable")


def test_no_customers_data_is_logged(capsys: pytest.CaptureFixture[str]):
    subject = {"id": "in_1", "object": "invoice", "customer": "cus_1", "customer_email": "ada@example.com"}
    taking(MemoryQueue()).take(batch(brought(event(data={"object": subject}))))
    said = capsys.readouterr().out
    assert json.loads(said)["event_id"] == "evt_1"
    assert "ada" not in said


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(_JSON | _JSON.map(brought) | _JSON.map(lambda data: brought(event(data=data))) | st.text())
def test_whatever_arrives_it_is_sent_or_refused_and_never_raises(body: Any):
    queue = MemoryQueue()
    assert taking(queue).take(batch(body)) == {"batchItemFailures": []}
    assert len(queue.sent) <= 1


@pytest.fixture
def events_queue(connect: Connect, aws_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The function's environment and the events queue of the local AWS."""
    attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "false"}
    url = connect("sqs").create_queue(QueueName="bridged.fifo", Attributes=attributes)["QueueUrl"]
    for name, value in {
        "AWS_ENDPOINT_URL": aws_endpoint,
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "not-a-secret",
        Env.STACK: "launch-ready-test",
        Env.LIVEMODE: "true",
        Env.EVENTS_QUEUE_URL: url,
        Env.EVENT_SOURCE: SOURCE,
        Env.AWS_ACCOUNT: ACCOUNT,
    }.items():
        monkeypatch.setenv(name, value)
    entrypoint._bridge.cache_clear()
    yield url
    queue = entrypoint._bridge()._queue
    assert isinstance(queue, EventsQueue)
    queue.close()
    entrypoint._bridge.cache_clear()
    connect("sqs").delete_queue(QueueUrl=url)


def test_the_function_puts_an_event_on_the_queue_once_however_often_it_is_brought(connect: Connect, events_queue: str):
    arrived = batch(brought(event()), brought(event()))
    assert entrypoint.handler(arrived, None) == {"batchItemFailures": []}
    answer = connect("sqs").receive_message(
        QueueUrl=events_queue, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
    )
    [message] = answer["Messages"]
    assert json.loads(message["Body"]) == event()
    assert message["Attributes"]["MessageGroupId"] == "cus_1"
    assert message["Attributes"]["MessageDeduplicationId"] == "evt_1"


def test_a_queue_that_is_not_there_brings_the_event_again(
    events_queue: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv(Env.EVENTS_QUEUE_URL, f"{events_queue}-gone")
    assert entrypoint.handler(batch(brought(event())), None) == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert "did not take an event" in capsys.readouterr().out


def test_a_refusal_is_counted_for_the_stack(events_queue: str, capsys: pytest.CaptureFixture[str]):
    entrypoint.handler(batch(brought(event(livemode=False))), None)
    counted = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert counted["stack"] == "launch-ready-test"
    assert counted["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["stack"], ["reason", "stack"]]
