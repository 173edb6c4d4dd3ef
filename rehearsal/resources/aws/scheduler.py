"""EventBridge schedules whose target is a function."""

from collections.abc import Mapping
from typing import Any

from rehearsal.resources.handler import Created, CreateOnly, Declared, RefusedError
from rehearsal.target import Target
from rehearsal.twins import schedules


class Schedule(CreateOnly):
    """aws:scheduler/schedule:Schedule; its id is `group/name`."""

    type = "aws:scheduler/schedule:Schedule"

    def create(self, declared: Declared, target: Target) -> Created:
        """See ResourceHandler; an enabled schedule runs from here on."""
        inputs = declared.inputs
        name, group, wanted = inputs.get("name") or declared.name, inputs.get("groupName", "default"), inputs["target"]
        _refuse(declared, target)
        request = _request(inputs, name, group)
        arn = target.client("scheduler").create_schedule(**request)["ScheduleArn"]
        schedule = schedules.Schedule(
            name=name,
            arn=arn,
            expression=inputs["scheduleExpression"],
            function_arn=wanted["arn"],
            role_arn=wanted["roleArn"],
            payload=wanted.get("input"),
            region=target.effective_region,
        )
        if request["State"] == "ENABLED":
            target.schedules.add(schedule)
        return Created(f"{group}/{name}", {"arn": arn, "name": name})


def _request(inputs: Mapping[str, Any], name: str, group: str) -> dict[str, Any]:
    window, wanted = inputs["flexibleTimeWindow"], inputs["target"]
    flexible = {"Mode": window["mode"]}
    if window.get("maximumWindowInMinutes"):
        flexible["MaximumWindowInMinutes"] = window["maximumWindowInMinutes"]
    request = {
        "Name": name,
        "GroupName": group,
        "ScheduleExpression": inputs["scheduleExpression"],
        "State": inputs.get("state", "ENABLED"),
        "FlexibleTimeWindow": flexible,
        "Target": {"Arn": wanted["arn"], "RoleArn": wanted["roleArn"]},
    }
    if wanted.get("input"):
        request["Target"]["Input"] = wanted["input"]
    retry = wanted.get("retryPolicy")
    if retry:
        request["Target"]["RetryPolicy"] = {key[0].upper() + key[1:]: value for key, value in retry.items()}
    return request


def _refuse(declared: Declared, target: Target) -> None:
    expression, wanted = declared.inputs["scheduleExpression"], declared.inputs["target"]
    if not schedules.is_valid(expression):
        raise RefusedError(
            f"{declared}: scheduleExpression {expression!r} is neither rate(1 minute), at(…) nor cron(…)"
        )
    if ":lambda:" not in wanted["arn"]:
        raise RefusedError(f"{declared}: a rehearsal schedules functions only, got {wanted['arn']}")
    if target.aws.role_credentials(wanted["roleArn"], schedules.SCHEDULER_SERVICE) is None:
        raise RefusedError(
            f"{declared}: the role {wanted['roleArn']} must exist and trust {schedules.SCHEDULER_SERVICE}"
        )


HANDLERS = (Schedule(),)
