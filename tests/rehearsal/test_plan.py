import contextvars
from collections.abc import Callable
from pathlib import Path

import pulumi
import pytest

from rehearsal.errors import ProgramError
from rehearsal.plan import plan

HEAD = "import pulumi\nimport pulumi_aws as aws\n"


def _refused(root: Path, *, over_grpc: bool = False) -> str:
    with pytest.raises(ProgramError) as caught:
        plan(root, "prod", over_grpc=over_grpc)
    return str(caught.value)


@pytest.mark.parametrize("over_grpc", [False, True])
def test_the_same_type_and_name_twice_is_refused(project: Callable[..., Path], over_grpc: bool) -> None:
    root = project(HEAD + "aws.sqs.Queue('q')\naws.sqs.Queue('q')\n")
    message = _refused(root, over_grpc=over_grpc)
    assert "Duplicate resource URN urn:pulumi:prod::sample::aws:sqs/queue:Queue::q" in message
    assert "try giving it a unique name" in message
    assert "__main__.py:3" in message
    assert "__main__.py:4" in message


def test_every_wrong_input_is_told_with_resource_and_line(project: Callable[..., Path]) -> None:
    program = "aws.sqs.Queue('q', tags={'a': 1})\naws.sqs.Queue('r', fifo_queue='yes')\n"
    message = _refused(project(HEAD + program))
    assert 'aws:sqs/queue:Queue "q" (__main__.py:3): tags.a: must be str, got int' in message
    assert 'aws:sqs/queue:Queue "r" (__main__.py:4): fifoQueue: must be bool, got str' in message


def test_a_program_that_raises_is_told_with_its_line(project: Callable[..., Path]) -> None:
    message = _refused(project("def build():\n    raise ValueError('no hosts')\n\nbuild()\n"))
    assert message == "the program failed at __main__.py:2: ValueError: no hosts"


def test_an_error_inside_an_apply_is_told(project: Callable[..., Path]) -> None:
    message = _refused(
        project("import pulumi\npulumi.export('x', pulumi.Output.from_input(1).apply(lambda n: n / 0))\n")
    )
    assert "ZeroDivisionError" in message


def test_a_run_error_is_its_message(project: Callable[..., Path]) -> None:
    assert _refused(project("import pulumi\nraise pulumi.RunError('set the domain first')\n")) == "set the domain first"


def test_a_logged_error_fails_the_run(project: Callable[..., Path]) -> None:
    message = _refused(project("import pulumi\npulumi.log.error('the zone is missing')\n"))
    assert message == "the program logged an error: the zone is missing"


def test_a_missing_config_value_is_told(project: Callable[..., Path]) -> None:
    assert "sample:domain" in _refused(project("import pulumi\npulumi.Config().require('domain')\n"))


def test_a_function_that_has_no_answer_is_named(project: Callable[..., Path]) -> None:
    message = _refused(project(HEAD + "aws.sqs.get_queue(name='q')\n"))
    assert "no answer for the function aws:sqs/getQueue:getQueue" in message


def test_functions_of_the_provider_are_answered(project: Callable[..., Path]) -> None:
    program = """
who, where = aws.get_caller_identity(), aws.get_region()
queue = aws.sqs.Queue("q", name="q")
statement = {
    "actions": ["sqs:SendMessage"],
    "resources": ["arn:aws:sqs:::q"],
    "principals": [{"type": "Service", "identifiers": ["sns.amazonaws.com"]}],
    "conditions": [{"test": "ArnEquals", "variable": "aws:SourceArn", "values": ["t"]}],
}
pulumi.export("who", who.account_id)
pulumi.export("where", where.region)
pulumi.export("known", aws.iam.get_policy_document(statements=[statement]).json)
pulumi.export("later", aws.iam.get_policy_document_output(statements=[{"resources": [queue.arn]}]).json)
"""
    outputs = plan(project(HEAD + program), "prod").outputs
    assert (outputs["who"], outputs["where"]) == ("111122223333", "eu-west-1")
    assert '"Principal": {"Service": "sns.amazonaws.com"}' in outputs["known"]
    assert '"Condition": {"ArnEquals": {"aws:SourceArn": "t"}}' in outputs["known"]
    assert outputs["later"] == "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def test_a_run_leaves_nothing_behind_in_the_sdk(project: Callable[..., Path]) -> None:
    def settings() -> tuple[object, ...]:
        return (
            pulumi.get_stack(),
            pulumi.get_project(),
            pulumi.runtime.is_dry_run(),
            pulumi.Config("aws").get("region"),
        )

    before = settings()
    plan(project(HEAD + "aws.sqs.Queue('q')\n"), "prod")
    assert settings() == before
    assert contextvars.copy_context().run(settings) == before


def test_overrides_reach_the_program(project: Callable[..., Path]) -> None:
    root = project(
        "import pulumi\npulumi.export('days', pulumi.Config().require_int('days'))\n",
        config="{days: {type: integer, default: 7}}",
    )
    assert plan(root, "prod").outputs == {"days": 7}
    assert plan(root, "prod", {"days": 3}).outputs == {"days": 3}
