"""What an operator and the clock do to a deployed stack, done to the local AWS."""

import json
import secrets
from collections.abc import Callable
from typing import Any

import pytest

from rehearsal.journeys.operations import Operations
from rehearsal.twins.schedules import Schedule

SOURCE = """
import os
def handler(event, context):
    print("woken", event)
    return os.getpid()
"""
NAME = "stack-worker"


@pytest.fixture
def operations(here: Any) -> Operations:
    name = f"signing-{secrets.token_hex(4)}"
    arn = here.aws.client("secretsmanager").create_secret(Name=name, SecretString="old")["ARN"]
    return Operations(aws=here.aws, schedules=here.target.schedules, functions={"worker": NAME}, signing_secret=arn)


@pytest.fixture
def function(here: Any) -> str:
    logs = {"Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "*"}
    return here.function(NAME, SOURCE, here.role(NAME, logs)).outputs["arn"]


def test_a_rolled_secret_is_held_beside_the_one_before(here: Any, operations: Operations) -> None:
    operations.store_signing_secret(current="whsec_new", previous="whsec_old")
    held = here.aws.client("secretsmanager").get_secret_value(SecretId=operations.signing_secret)["SecretString"]
    assert json.loads(held) == {"current": "whsec_new", "previous": "whsec_old"}


def test_a_scheduled_function_runs_before_its_time_and_its_instances_end(
    here: Any, operations: Operations, function: str, eventually: Callable[..., Any]
) -> None:
    role = here.role("operations-schedule", {"Action": "lambda:InvokeFunction", "Resource": function},
                     service="scheduler.amazonaws.com")  # fmt: skip
    here.target.schedules.add(
        Schedule(name=NAME, arn=f"arn:aws:scheduler:eu-west-1:1:schedule/default/{NAME}", function_arn=function,
                 expression="cron(0 3 * * ? *)", role_arn=role, payload='"now"', region="eu-west-1")
    )  # fmt: skip
    operations.run_scheduled("worker")
    eventually(lambda: "woken now" in here.aws.logs(NAME))
    first = here.invoke(NAME)
    operations.end_instances("worker")
    eventually(lambda: here.aws.worker_pids(NAME) == [])
    assert here.invoke(NAME) != first
