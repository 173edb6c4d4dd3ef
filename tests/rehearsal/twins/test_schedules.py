from collections.abc import Callable
from typing import Any

import pytest

from rehearsal.resources.handler import RefusedError
from rehearsal.twins.schedules import interval_seconds, is_valid

LOGS = {
    "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
    "Resource": "arn:aws:logs:*:*:log-group:/aws/lambda/*",
}


@pytest.mark.parametrize(
    "expression",
    ["rate(1 minute)", "rate(5 minutes)", "rate(1 hour)", "at(2031-01-01T00:00:00)", "cron(0 3 * * ? *)"],
)
def test_what_scheduler_takes(expression: str) -> None:
    assert is_valid(expression)


@pytest.mark.parametrize(
    "expression",
    ["rate(0 minutes)", "rate(1 week)", "every minute", "cron(0 3 * * *)", "cron(0 3 * * * *)", "at(tomorrow)"],
)
def test_what_scheduler_refuses(expression: str) -> None:
    assert not is_valid(expression)


def test_only_a_rate_has_an_interval() -> None:
    assert interval_seconds("rate(2 hours)") == 7200
    assert interval_seconds("cron(0 3 * * ? *)") is None


def _scheduled(here: Any, name: str, *, expression: str = "rate(1 minute)", may_invoke: bool = True) -> None:
    function = here.function(name, "def handler(event, context):\n    print('swept', event)\n", here.role(name, LOGS))
    statements = [{"Action": "lambda:InvokeFunction", "Resource": function.outputs["arn"]}] if may_invoke else []
    role = here.role(f"{name}-schedule", *statements, service="scheduler.amazonaws.com")
    inputs = {
        "name": name,
        "scheduleExpression": expression,
        "flexibleTimeWindow": {"mode": "OFF"},
        "target": {"arn": function.outputs["arn"], "roleArn": role, "input": '{"why": "time"}'},
    }
    here.declare("aws:scheduler/schedule:Schedule", name, inputs)


def test_a_rate_fires_by_itself(here: Any, eventually: Callable[..., Any]) -> None:
    _scheduled(here, "sweeping")
    eventually(lambda: "swept {'why': 'time'}" in here.aws.logs("sweeping"))


def test_a_rate_fires_at_once_when_it_is_made(here: Any, eventually: Callable[..., Any]) -> None:
    _scheduled(here, "yearly", expression="rate(365 days)")
    eventually(lambda: "swept {'why': 'time'}" in here.aws.logs("yearly"))


def test_a_schedule_can_be_fired_now(here: Any, eventually: Callable[..., Any]) -> None:
    _scheduled(here, "nightly", expression="cron(0 3 * * ? *)")
    here.target.schedules.fire("nightly")
    eventually(lambda: "swept {'why': 'time'}" in here.aws.logs("nightly"))


def test_its_role_needs_the_permission_to_invoke(here: Any, eventually: Callable[..., Any]) -> None:
    _scheduled(here, "powerless", may_invoke=False)
    eventually(lambda: any("schedule powerless" in line and "InvokeFunction" in line for line in here.said))
    assert any(d["action"] == "lambda:InvokeFunction" for d in here.aws.denials())
    assert here.aws.logs("powerless") == []


def test_its_role_must_trust_the_scheduler(here: Any) -> None:
    function = here.function("distrusted", "def handler(event, context): ...\n", here.role("distrusted"))
    role = here.role("distrusted-schedule", service="lambda.amazonaws.com")
    inputs = {
        "scheduleExpression": "rate(1 minute)",
        "flexibleTimeWindow": {"mode": "OFF"},
        "target": {"arn": function.outputs["arn"], "roleArn": role},
    }
    with pytest.raises(RefusedError, match=r"trust scheduler\.amazonaws\.com"):
        here.declare("aws:scheduler/schedule:Schedule", "distrusted", inputs)


def test_a_bad_expression_is_refused(here: Any) -> None:
    with pytest.raises(RefusedError, match="'every minute' is neither"):
        _scheduled(here, "hourless", expression="every minute")
