import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.resources.handler import RefusedError
from rehearsal.twins.aws_faults import Fault
from rehearsal.twins.event_source import failed_messages

LOGS = {
    "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
    "Resource": "arn:aws:logs:*:*:log-group:/aws/lambda/*",
}
BATCH = frozenset({"m1", "m2", "m3"})


@pytest.mark.parametrize(
    "answer",
    ["null", "{}", '{"batchItemFailures": []}', '{"batchItemFailures": null}', ""],
)
def test_an_answer_without_failures_is_success(answer: str) -> None:
    assert failed_messages(answer.encode(), BATCH) == frozenset()


@pytest.mark.parametrize(
    "answer",
    [
        '{"batchItemFailures": [{"itemIdentifier": ""}]}',
        '{"batchItemFailures": [{"itemIdentifier": null}]}',
        '{"batchItemFailures": [{"itemId": "m1"}]}',
        '{"batchItemFailures": [{"itemIdentifier": "m1"}, {"itemIdentifier": "unknown"}]}',
        '{"batchItemFailures": "m1"}',
        '{"batchItemFailures": ["m1"]}',
        '"done"',
        "not JSON",
    ],
)
def test_an_answer_that_lambda_cannot_read_fails_the_whole_batch(answer: str) -> None:
    assert failed_messages(answer.encode(), BATCH) == BATCH


@given(st.sets(st.sampled_from(sorted(BATCH))))
def test_exactly_the_named_messages_fail(named: set[str]) -> None:
    answer = {"batchItemFailures": [{"itemIdentifier": name} for name in sorted(named)]}
    assert failed_messages(json.dumps(answer).encode(), BATCH) == named


def _queue(here: Any, name: str, *, fifo: bool = False, **more: Any) -> Any:
    full = f"{name}.fifo" if fifo else name
    inputs = {"name": full, "visibilityTimeoutSeconds": 30, **more}
    return here.declare("aws:sqs/queue:Queue", name, inputs | ({"fifoQueue": True} if fifo else {}))


def _fed(here: Any, name: str, source: str, queue: Any, *, concurrency: int = 2, **more: Any) -> None:
    actions = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
    role = here.role(name, LOGS, {"Action": actions, "Resource": queue.outputs["arn"]})
    here.function(name, source, role)
    inputs = {
        "eventSourceArn": queue.outputs["arn"],
        "functionName": name,
        "functionResponseTypes": ["ReportBatchItemFailures"],
        "scalingConfig": {"maximumConcurrency": concurrency},
        **more,
    }
    here.declare("aws:lambda/eventSourceMapping:EventSourceMapping", name, inputs)


def _left(here: Any, url: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = here.aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(map(int, found.values()))


def test_a_message_reaches_the_function_and_is_deleted(here: Any, eventually: Callable[..., Any]) -> None:
    queue = _queue(here, "fed")
    source = "def handler(event, context):\n    print('got', event['Records'][0]['body'])\n"
    _fed(here, "fed", source, queue)
    here.aws.client("sqs").send_message(QueueUrl=queue.id, MessageBody="hello")
    eventually(lambda: any("got hello" in line for line in here.aws.logs("fed")))
    eventually(lambda: _left(here, queue.id) == 0)


def test_groups_run_side_by_side_and_each_in_order(here: Any, eventually: Callable[..., Any], tmp_path: Path) -> None:
    queue = _queue(here, "grouped", fifo=True)
    # Each worker waits for the other group's first message: run one after the other, they would never meet.
    source = """
import os, time
def handler(event, context):
    for record in event["Records"]:
        group, number = record["attributes"]["MessageGroupId"], record["body"]
        other = {"a": "b", "b": "a"}[group]
        open(os.path.join(DIRECTORY, group), "a").write(number)
        deadline = time.time() + 4
        while not os.path.exists(os.path.join(DIRECTORY, other)):
            if time.time() > deadline:
                raise TimeoutError("alone")
            time.sleep(0.01)
        print("met", group, number)
"""
    _fed(here, "grouped", source.replace("DIRECTORY", repr(str(tmp_path))), queue)
    entries = [(group, str(number)) for number in range(3) for group in "ab"]
    for group, number in entries:
        here.aws.client("sqs").send_message(
            QueueUrl=queue.id, MessageBody=number, MessageGroupId=group, MessageDeduplicationId=group + number
        )

    def met() -> list[str]:
        lines = [line for line in here.aws.logs("grouped") if line.startswith("met")]
        return lines if len(lines) == len(entries) else []

    lines = eventually(met)
    for group in "ab":
        assert [line.split()[2] for line in lines if line.split()[1] == group] == ["0", "1", "2"]


def test_dead_letters_of_a_group_reach_who_reads_them(here: Any, eventually: Callable[..., Any]) -> None:
    dead = _queue(here, "handed-on-dlq", fifo=True)
    redrive = json.dumps({"deadLetterTargetArn": dead.outputs["arn"], "maxReceiveCount": 1})
    queue = _queue(here, "handed-on", fifo=True, redrivePolicy=redrive)
    _fed(here, "handed-on", "def handler(event, context):\n    raise ValueError('not I')\n", queue)
    source = "def handler(event, context):\n    r, = event['Records']\n    print(r['eventSourceARN'], r['body'])\n"
    _fed(here, "reader", source, dead)
    here.aws.client("sqs").send_message(
        QueueUrl=queue.id, MessageBody="lost", MessageGroupId="g", MessageDeduplicationId="1"
    )
    eventually(lambda: f"{dead.outputs['arn']} lost" in here.aws.logs("reader"))
    eventually(lambda: _left(here, dead.id) == 0)


def test_only_the_failed_message_comes_again(here: Any, eventually: Callable[..., Any]) -> None:
    queue = _queue(here, "partial")
    source = """
def handler(event, context):
    failures = []
    for record in event["Records"]:
        print("try", record["body"], record["attributes"]["ApproximateReceiveCount"])
        if record["body"] == "bad" and record["attributes"]["ApproximateReceiveCount"] == "1":
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}
"""
    _fed(here, "partial", source, queue)
    for body in ("good", "bad"):
        here.aws.client("sqs").send_message(QueueUrl=queue.id, MessageBody=body)
    eventually(lambda: "try bad 2" in here.aws.logs("partial"))
    eventually(lambda: _left(here, queue.id) == 0)
    assert "try good 2" not in here.aws.logs("partial")


def test_a_message_that_could_not_be_deleted_comes_again_soon(here: Any, eventually: Callable[..., Any]) -> None:
    queue = _queue(here, "undeleted")
    here.aws.inject(Fault(service="sqs", action="DeleteMessageBatch", times=1))
    _fed(here, "undeleted", "def handler(event, context):\n    print('got', event['Records'][0]['body'])\n", queue)
    here.aws.client("sqs").send_message(QueueUrl=queue.id, MessageBody="hello")
    eventually(lambda: sum("got hello" in line for line in here.aws.logs("undeleted")) == 2)
    eventually(lambda: _left(here, queue.id) == 0)
    assert here.aws.fault_hits() == [1]
    assert any("undeleted" in text and "DeleteMessageBatch" in text for text in here.said)


def test_a_run_that_fails_is_told(here: Any, eventually: Callable[..., Any]) -> None:
    queue = _queue(here, "told")
    source = "import os\ndef handler(event, context):\n    os._exit(1)\n"
    _fed(here, "told", source, queue)
    here.aws.client("sqs").send_message(QueueUrl=queue.id, MessageBody="x")
    eventually(lambda: any(text.startswith("told: a run failed") and "died" in text for text in here.said))


def test_a_message_that_never_succeeds_ends_in_the_dead_letter_queue(here: Any, eventually: Callable[..., Any]) -> None:
    dead = _queue(here, "given-up-dead")
    redrive = json.dumps({"deadLetterTargetArn": dead.outputs["arn"], "maxReceiveCount": 2})
    queue = _queue(here, "given-up", redrivePolicy=redrive)
    _fed(here, "given-up", "def handler(event, context):\n    raise ValueError('never')\n", queue)
    here.aws.client("sqs").send_message(QueueUrl=queue.id, MessageBody="x")
    eventually(lambda: _left(here, dead.id) == 1)
    assert _left(here, queue.id) == 0


@pytest.mark.parametrize("missing", ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"])
def test_a_mapping_needs_each_permission_of_the_function(here: Any, missing: str) -> None:
    name = f"lacks-{missing.split(':')[1].lower()}"
    queue = _queue(here, name)
    actions = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"} - {missing}
    role = here.role(name, {"Action": sorted(actions), "Resource": queue.outputs["arn"]})
    here.function(name, "def handler(event, context): ...\n", role)
    inputs = {"eventSourceArn": queue.outputs["arn"], "functionName": name}
    with pytest.raises(RefusedError, match=missing):
        here.declare("aws:lambda/eventSourceMapping:EventSourceMapping", name, inputs)


def test_a_queue_must_hide_messages_for_as_long_as_the_function_may_run(here: Any) -> None:
    queue = _queue(here, "hasty", visibilityTimeoutSeconds=4)
    with pytest.raises(RefusedError, match=r"visibility timeout of 4 s is less than the function's timeout of 5 s"):
        _fed(here, "hasty", "def handler(event, context): ...\n", queue)


def test_a_maximum_concurrency_that_lambda_refuses_is_refused(here: Any) -> None:
    queue = _queue(here, "lonely")
    with pytest.raises(RefusedError, match="a maximum concurrency is 2 to 1000, got 1"):
        _fed(here, "lonely", "def handler(event, context): ...\n", queue, concurrency=1)
