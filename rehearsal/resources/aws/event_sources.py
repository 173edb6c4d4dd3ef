"""The queues that functions are fed from."""

from collections.abc import Mapping
from typing import Any

from rehearsal.resources.handler import Created, CreateOnly, Declared, RefusedError
from rehearsal.target import Target
from rehearsal.twins.event_source import QueueMapping

_POLLER_ACTIONS = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
_AWS_DEFAULT_POLLERS = 5
_CONCURRENCY = range(2, 1001)


class EventSourceMapping(CreateOnly):
    """aws:lambda/eventSourceMapping:EventSourceMapping of an SQS queue; its id is the mapping's UUID."""

    type = "aws:lambda/eventSourceMapping:EventSourceMapping"

    def create(self, declared: Declared, target: Target) -> Created:
        """See ResourceHandler; polling starts here."""
        client = target.client("lambda")
        function = client.get_function_configuration(FunctionName=declared.inputs["functionName"])
        mapping = _mapping(declared, function, target)
        _refuse_mapping(declared, mapping, function, target)
        made = client.create_event_source_mapping(**_mapping_request(declared))
        if declared.inputs.get("enabled", True):
            target.event_sources.add(mapping)
        outputs = {
            "uuid": made["UUID"],
            "arn": made["EventSourceMappingArn"],
            "functionArn": made["FunctionArn"],
            "state": made["State"],
        }
        return Created(made["UUID"], outputs)


def _mapping(declared: Declared, function: Mapping[str, Any], target: Target) -> QueueMapping:
    inputs = declared.inputs
    arn = inputs.get("eventSourceArn") or ""
    if ":sqs:" not in arn:
        raise RefusedError(f"{declared}: only SQS queues feed functions in a rehearsal, got {arn!r}")
    url = target.client("sqs").get_queue_url(QueueName=arn.rsplit(":", 1)[-1])["QueueUrl"]
    return QueueMapping(
        function=function["FunctionName"],
        role_arn=function["Role"],
        queue_url=url,
        queue_arn=arn,
        batch_size=inputs.get("batchSize", 10),
        maximum_concurrency=(inputs.get("scalingConfig") or {}).get("maximumConcurrency") or _AWS_DEFAULT_POLLERS,
        reports_failures="ReportBatchItemFailures" in (inputs.get("functionResponseTypes") or []),
        region=target.effective_region,
    )


def _refuse_mapping(declared: Declared, mapping: QueueMapping, function: Mapping[str, Any], target: Target) -> None:
    """What CreateEventSourceMapping checks on AWS and ministack does not."""
    attributes = target.client("sqs").get_queue_attributes(QueueUrl=mapping.queue_url, AttributeNames=["All"])
    visibility = int(attributes["Attributes"]["VisibilityTimeout"])
    if visibility < function["Timeout"]:
        raise RefusedError(
            f"{declared}: the queue's visibility timeout of {visibility} s is less than the function's timeout "
            f"of {function['Timeout']} s; AWS recommends six times the function's"
        )
    asked = (declared.inputs.get("scalingConfig") or {}).get("maximumConcurrency")
    if asked is not None and asked not in _CONCURRENCY:
        raise RefusedError(f"{declared}: a maximum concurrency is 2 to 1000, got {asked}")
    window = declared.inputs.get("maximumBatchingWindowInSeconds", 0)
    if mapping.batch_size > 10 and (mapping.queue_arn.endswith(".fifo") or window < 1):
        raise RefusedError(
            f"{declared}: a batch of {mapping.batch_size} needs a standard queue and a batching window of 1 s"
        )
    if declared.inputs.get("filterCriteria"):
        raise RefusedError(f"{declared}: a rehearsal does not filter messages; let the function decide")
    for action in _POLLER_ACTIONS:
        if not target.aws.role_allows(mapping.role_arn, action, mapping.queue_arn):
            raise RefusedError(
                f"{declared}: the function's role {mapping.role_arn} may not {action} on {mapping.queue_arn}"
            )


def _mapping_request(declared: Declared) -> dict[str, Any]:
    inputs = declared.inputs
    request = {
        "EventSourceArn": inputs["eventSourceArn"],
        "FunctionName": inputs["functionName"],
        "BatchSize": inputs.get("batchSize", 10),
        "FunctionResponseTypes": inputs.get("functionResponseTypes") or [],
        "Enabled": inputs.get("enabled", True),
    }
    scaling = inputs.get("scalingConfig") or {}
    if scaling.get("maximumConcurrency"):
        request["ScalingConfig"] = {"MaximumConcurrency": scaling["maximumConcurrency"]}
    if inputs.get("maximumBatchingWindowInSeconds"):
        request["MaximumBatchingWindowInSeconds"] = inputs["maximumBatchingWindowInSeconds"]
    return request


HANDLERS = (EventSourceMapping(),)
