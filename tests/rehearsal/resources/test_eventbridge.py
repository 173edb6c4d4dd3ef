import json
from collections.abc import Callable
from typing import Any

import pytest

from rehearsal.resources.handler import RefusedError

BUS = "aws:cloudwatch/eventBus:EventBus"
RULE = "aws:cloudwatch/eventRule:EventRule"
TARGET = "aws:cloudwatch/eventTarget:EventTarget"
DETAIL = {"id": "evt_1", "type": "invoice.paid", "livemode": True}


class Partner:
    """A bus of a partner, a rule for one type of event, and the queue that it leads to."""

    def __init__(self, here: Any, name: str, *, let_in: bool = True) -> None:
        self.here = here
        self.source = f"aws.partner/stripe.com/ed_{name}"
        here.declare(BUS, f"{name}-bus", {"name": self.source, "eventSourceName": self.source})
        pattern = {"source": [self.source], "detail-type": ["invoice.paid"]}
        inputs = {"name": name, "eventBusName": self.source, "eventPattern": json.dumps(pattern)}
        self.rule = here.declare(RULE, name, inputs)
        queue = here.declare("aws:sqs/queue:Queue", name, {"name": name})
        self.url, self.queue_arn = queue.id, queue.outputs["arn"]
        if let_in:
            self.allow(self.rule.outputs["arn"])
        target = {"rule": name, "eventBusName": self.source, "targetId": "queue", "arn": self.queue_arn}
        here.declare(TARGET, f"{name}-target", target)

    def allow(self, rule_arn: str) -> None:
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": self.queue_arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": rule_arn}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.here.declare("aws:sqs/queuePolicy:QueuePolicy", "policy", {"queueUrl": self.url, "policy": policy})

    def put(self, kind: str = "invoice.paid", *, source: str | None = None) -> dict[str, Any]:
        entry = {"Source": source or self.source, "DetailType": kind, "Detail": json.dumps(DETAIL)}
        return self.here.aws.client("events").put_partner_events(Entries=[entry])

    def arrived(self) -> list[dict[str, Any]]:
        answer = self.here.aws.client("sqs").receive_message(QueueUrl=self.url, MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


def test_a_partners_event_comes_to_the_queue_of_the_rule(here: Any, eventually: Callable[..., Any]) -> None:
    partner = Partner(here, "arriving")
    assert partner.put()["FailedEntryCount"] == 0
    [event] = eventually(partner.arrived)
    assert (event["source"], event["account"], event["detail-type"]) == (
        partner.source,
        here.aws.account,
        "invoice.paid",
    )
    assert event["detail"] == DETAIL
    assert event["resources"] == [f"arn:aws:events:eu-west-1::event-source/{partner.source}"]


def test_what_the_rule_does_not_name_does_not(here: Any) -> None:
    partner = Partner(here, "choosy")
    partner.put("plan.created")
    assert partner.arrived() == []


def test_a_queue_that_does_not_let_the_rule_in_gets_nothing_and_a_rehearsal_sees_why(here: Any) -> None:
    partner = Partner(here, "closed", let_in=False)
    partner.allow(partner.rule.outputs["arn"].replace("closed", "other"))
    partner.put()
    assert partner.arrived() == []
    denied = {"principal": "events.amazonaws.com", "action": "sqs:SendMessage", "resource": partner.queue_arn}
    assert denied in here.aws.denials()


def test_a_source_that_no_bus_takes_fails(here: Any) -> None:
    partner = Partner(here, "taken")
    assert partner.put(source="aws.partner/stripe.com/ed_nobodys")["FailedEntryCount"] == 1


def test_nobody_sends_with_a_partners_source_but_the_partner(here: Any) -> None:
    partner = Partner(here, "forged")
    entry = {"Source": partner.source, "DetailType": "invoice.paid", "Detail": "{}", "EventBusName": partner.source}
    assert here.aws.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 1
    assert partner.arrived() == []


SOURCE = "aws.partner/stripe.com/ed_refused"
QUEUE_ARN = "arn:aws:sqs:eu-west-1:000000000001:a"


@pytest.mark.parametrize(
    ("token", "inputs", "said"),
    [
        (BUS, {"name": "ours", "eventSourceName": SOURCE}, "bears the name of its source"),
        (BUS, {"name": "a/b"}, "only a partner's bus has a slash"),
        (RULE, {"name": "timed", "scheduleExpression": "rate(1 minute)"}, "declare a schedule as a schedule"),
        (RULE, {"name": "long", "eventPattern": json.dumps({"source": ["x" * 2048]})}, "at most 2048 characters"),
        (TARGET, {"rule": "r", "arn": "arn:aws:sns:eu-west-1:1:topic"}, "lead to queues and functions"),
        (TARGET, {"rule": "r", "arn": QUEUE_ARN, "inputPath": "$.detail"}, "got inputPath"),
        (TARGET, {"rule": "r", "arn": QUEUE_ARN, "deadLetterConfig": {"arn": "arn:x.fifo"}}, "a standard one"),
    ],
)
def test_what_aws_would_refuse_or_a_rehearsal_cannot_show_is_refused(
    here: Any, token: str, inputs: dict[str, Any], said: str
) -> None:
    with pytest.raises(RefusedError, match=said):
        here.declare(token, "refused", inputs)
