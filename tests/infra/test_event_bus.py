"""A stack whose events come through EventBridge too."""

import json
from typing import Any

import jsonschema
import pytest

from checks.contract import parse
from checks.rules import access
from handlers.settings import STRIPE_EVENTS, Env
from rehearsal.graph import Graph
from tests.infra.conftest import Deployed, deploy
from tests.infra.test_contract import SCHEMA
from tests.infra.test_permissions import statements
from tests.infra.test_roles_are_just_enough import TOO_NARROW, facts

SOURCE = "aws.partner/stripe.com/ed_61TEN0dErlaWJQzTZ16Qafnx2x"
RULE = "arn:aws:cloudwatch:eu-west-1:123456789012:launch-ready-prod-stripe-events"


@pytest.fixture(scope="module")
def bridged() -> Deployed:
    return deploy(eventBridge={"source": SOURCE})


def only(deployed: Deployed, token: str) -> dict[str, Any]:
    [values] = deployed.of_type(token).values()
    return dict(values)


def test_a_stack_without_a_source_declares_none_of_it(graph: Graph) -> None:
    assert not [resource for resource in graph if "event" in resource.type.lower() and "EventBus" in resource.type]
    assert not [resource for resource in graph if "bridge" in resource.name]


def test_the_bus_bears_the_name_of_the_partners_source(bridged: Deployed) -> None:
    bus = only(bridged, "aws:cloudwatch/eventBus:EventBus")
    assert (bus["name"], bus["eventSourceName"]) == (SOURCE, SOURCE)


def test_the_rule_lets_through_the_events_that_the_webhook_gets(bridged: Deployed) -> None:
    rule = only(bridged, "aws:cloudwatch/eventRule:EventRule")
    assert json.loads(rule["eventPattern"]) == {"source": [SOURCE], "detail-type": sorted(STRIPE_EVENTS)}
    assert len(rule["eventPattern"]) <= 2048  # AWS, EventBridge quotas: event pattern size


def test_what_the_queue_does_not_take_is_tried_for_a_day_and_then_kept(bridged: Deployed) -> None:
    target = only(bridged, "aws:cloudwatch/eventTarget:EventTarget")
    queues = {name: values["name"] for name, values in bridged.of_type("aws:sqs/queue:Queue").items()}
    assert target["arn"].endswith(f":{queues['bridge-queue']}")
    assert target["deadLetterConfig"]["arn"].endswith(f":{queues['bridge-dlq']}")
    assert target["retryPolicy"] == {"maximumEventAgeInSeconds": 86400, "maximumRetryAttempts": 185}


@pytest.mark.parametrize(
    ("policy", "queue"), [("bridge-queue-policy", "bridge-queue"), ("bridge-dlq-policy", "bridge-dlq")]
)
def test_a_queue_takes_from_the_rule_alone(bridged: Deployed, policy: str, queue: str) -> None:
    [statement] = json.loads(bridged.of_type("aws:sqs/queuePolicy:QueuePolicy")[policy]["policy"])["Statement"]
    name = bridged.of_type("aws:sqs/queue:Queue")[queue]["name"]
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert statement["Action"] == ["sqs:SendMessage"]
    assert statement["Resource"] == [f"arn:aws:sqs:eu-west-1:123456789012:{name}"]
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": RULE}}


def test_the_bridge_is_told_whose_events_to_take(bridged: Deployed) -> None:
    told = bridged.of_type("aws:lambda/function:Function")["bridge-function"]["environment"]["variables"]
    assert set(told) == {Env.STACK, Env.LIVEMODE, Env.EVENTS_QUEUE_URL, Env.EVENT_SOURCE, Env.AWS_ACCOUNT}
    assert (told[Env.EVENT_SOURCE], told[Env.AWS_ACCOUNT], told[Env.LIVEMODE]) == (SOURCE, "123456789012", "true")


def test_the_bridge_may_take_from_its_queue_and_send_to_the_events_queue(bridged: Deployed) -> None:
    allowed = statements(bridged, "bridge-policy")
    assert set(allowed) == {"WriteOwnLogs", "TakeFromEventBridge", "SendEvents"}
    assert [arn.rpartition(":")[2] for arn in allowed["TakeFromEventBridge"]["Resource"]] == [
        "launch-ready-prod-bridge"
    ]
    assert [arn.rpartition(":")[2] for arn in allowed["SendEvents"]["Resource"]] == ["launch-ready-prod-events.fifo"]


def test_the_checks_find_its_role_just_wide_enough(bridged: Deployed) -> None:
    contract = parse(json.loads(json.dumps(bridged.contract)))
    [function] = [one for one in contract.functions if one.purpose == "bridge"]
    assert TOO_NARROW not in access.roles(contract, (facts(bridged, function, "launch-ready-prod-"),)).actual


def test_the_contract_names_the_source_the_queues_the_function_and_the_alarms(bridged: Deployed) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(bridged.contract)
    assert bridged.contract["event_source"] == SOURCE
    named = {
        key: {one["name"].removeprefix("launch-ready-prod-") for one in bridged.contract[key]}
        for key in ("queues", "functions", "alarms")
    }
    assert named["queues"] >= {"bridge", "bridge-dlq"}
    assert "bridge" in named["functions"]
    assert named["alarms"] >= {"bridge-dlq-not-empty", "event-refused"}


def test_the_bridges_queue_hides_a_message_six_times_as_long_as_the_bridge_may_take(bridged: Deployed) -> None:
    queue = bridged.of_type("aws:sqs/queue:Queue")["bridge-queue"]
    function = bridged.of_type("aws:lambda/function:Function")["bridge-function"]
    assert queue["visibilityTimeoutSeconds"] == 6 * function["timeout"]
    feed = bridged.of_type("aws:lambda/eventSourceMapping:EventSourceMapping")["bridge-feed"]
    assert feed["functionResponseTypes"] == ["ReportBatchItemFailures"]
