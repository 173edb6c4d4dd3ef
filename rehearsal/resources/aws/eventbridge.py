"""Event buses, rules and their targets."""

import json
from typing import Any

from rehearsal.resources.handler import Created, CreateOnly, Declared, RefusedError
from rehearsal.target import Target

# EventBridge User Guide, "Quotas": characters of a rule's event pattern.
_PATTERN_LENGTH = 2048


class EventBus(CreateOnly):
    """aws:cloudwatch/eventBus:EventBus; its id is its name.

    Of a partner's bus: the source that the partner makes in the account is taken as made.
    """

    type = "aws:cloudwatch/eventBus:EventBus"

    def create(self, declared: Declared, target: Target) -> Created:
        """See ResourceHandler."""
        inputs = declared.inputs
        name, source = inputs.get("name") or declared.name, inputs.get("eventSourceName")
        if source is not None and source != name:
            raise RefusedError(f"{declared}: a partner's bus bears the name of its source {source!r}, got {name!r}")
        if source is None and "/" in name:
            raise RefusedError(f"{declared}: only a partner's bus has a slash in its name, got {name!r}")
        request = {"Name": name, **({"EventSourceName": source} if source else {})}
        arn = target.client("events").create_event_bus(**request)["EventBusArn"]
        return Created(name, {"arn": arn, "name": name})


class EventRule(CreateOnly):
    """aws:cloudwatch/eventRule:EventRule by pattern; its id is `bus/name`."""

    type = "aws:cloudwatch/eventRule:EventRule"

    def create(self, declared: Declared, target: Target) -> Created:
        """See ResourceHandler."""
        inputs = declared.inputs
        name, bus = inputs.get("name") or declared.name, inputs.get("eventBusName") or "default"
        pattern = inputs.get("eventPattern")
        if not pattern or inputs.get("scheduleExpression"):
            raise RefusedError(f"{declared}: a rehearsal's rules go by eventPattern; declare a schedule as a schedule")
        if len(pattern) > _PATTERN_LENGTH:
            raise RefusedError(
                f"{declared}: an event pattern has at most {_PATTERN_LENGTH} characters, this one {len(pattern)}"
            )
        arn = target.client("events").put_rule(
            Name=name,
            EventBusName=bus,
            EventPattern=pattern,
            State=inputs.get("state") or "ENABLED",
            Description=inputs.get("description") or "",
        )["RuleArn"]
        return Created(f"{bus}/{name}", {"arn": arn, "name": name, "eventBusName": bus})


class EventTarget(CreateOnly):
    """aws:cloudwatch/eventTarget:EventTarget, a queue or a function; its id is `bus-rule-target`."""

    type = "aws:cloudwatch/eventTarget:EventTarget"

    def create(self, declared: Declared, target: Target) -> Created:
        """See ResourceHandler."""
        inputs = declared.inputs
        bus, id_ = inputs.get("eventBusName") or "default", inputs.get("targetId") or declared.name
        _refuse(declared)
        wanted: dict[str, Any] = {"Id": id_, "Arn": inputs["arn"]}
        if inputs.get("deadLetterConfig"):
            wanted["DeadLetterConfig"] = {"Arn": inputs["deadLetterConfig"]["arn"]}
        if inputs.get("retryPolicy"):
            wanted["RetryPolicy"] = {key[0].upper() + key[1:]: value for key, value in inputs["retryPolicy"].items()}
        answer = target.client("events").put_targets(Rule=inputs["rule"], EventBusName=bus, Targets=[wanted])
        if answer["FailedEntryCount"]:
            raise RefusedError(f"{declared}: {json.dumps(answer['FailedEntries'])}")
        return Created(f"{bus}-{inputs['rule']}-{id_}", {"arn": inputs["arn"], "targetId": id_})


def _refuse(declared: Declared) -> None:
    """What a rehearsal cannot show, and what PutTargets checks on AWS alone."""
    arn = declared.inputs["arn"]
    if ":sqs:" not in arn and ":lambda:" not in arn:
        raise RefusedError(f"{declared}: a rehearsal's rules lead to queues and functions, got {arn}")
    dead = (declared.inputs.get("deadLetterConfig") or {}).get("arn", "")
    if dead.endswith(".fifo"):
        raise RefusedError(f"{declared}: the dead-letter queue of a rule's target is a standard one, got {dead}")
    changed = sorted({"input", "inputPath", "inputTransformer"} & declared.inputs.keys())
    if changed:
        raise RefusedError(f"{declared}: a rehearsal's targets get events as they are, got {', '.join(changed)}")


HANDLERS = (EventBus(), EventRule(), EventTarget())
