from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rehearsal.apply import apply
from rehearsal.errors import DeploymentError, ProgramError
from rehearsal.plan import plan

PROGRAM = """
import json
import pulumi
import pulumi_aws as aws
from pulumi.dynamic import CreateResult, Resource, ResourceProvider


class EndpointProvider(ResourceProvider):
    def create(self, props):
        return CreateResult("we_1", {"url": props["url"], "signing": "whsec_" + props["api_key"]})


class Endpoint(Resource):
    signing: pulumi.Output[str]

    def __init__(self, name, url, api_key):
        opts = pulumi.ResourceOptions(additional_secret_outputs=["signing"])
        super().__init__(EndpointProvider(), name, {"url": url, "api_key": api_key, "signing": None}, opts)


config = pulumi.Config()
queue = aws.sqs.Queue("deployed", name="deployed-NAME")
endpoint = Endpoint("endpoint", queue.url, config.require_secret("apiKey"))
secret = aws.secretsmanager.Secret("deployed", name="deployed-NAME")
aws.secretsmanager.SecretVersion("deployed", secret_id=secret.id, secret_string=endpoint.signing)
pulumi.export("contract", {"queue": queue.url, "endpoint": endpoint.id})
pulumi.export("signing", endpoint.signing)
"""
CONFIG = "{apiKey: {type: string, secret: true}}"
HEAD = "import pulumi\nimport pulumi_aws as aws\n"


@pytest.mark.parametrize("over_grpc", [False, True])
def test_a_declaration_becomes_real_and_its_outputs_known(
    here: Any, project: Callable[..., Path], over_grpc: bool
) -> None:
    name = f"deployed-{over_grpc}"
    root = project(PROGRAM.replace("deployed-NAME", name), config=CONFIG)
    steps: list[str] = []
    planned = plan(root, "prod")
    deployed = apply(
        root,
        "prod",
        here.target,
        {"apiKey": "k"},
        progress=lambda step: steps.append(step.resource.name),
        over_grpc=over_grpc,
    )
    url = here.aws.client("sqs").get_queue_url(QueueName=name)["QueueUrl"]
    assert deployed.outputs == {"contract": {"queue": url, "endpoint": "we_1"}, "signing": "whsec_k"}
    value = here.aws.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"]
    assert value == "whsec_k"
    assert "whsec_k" not in deployed.graph.to_json()
    assert [resource.urn for resource in deployed.graph] == [resource.urn for resource in planned]
    assert sorted(steps) == ["deployed", "deployed", "deployed", "endpoint"]


@pytest.mark.parametrize("over_grpc", [False, True])
def test_a_type_without_a_twin_is_named_with_its_line(here: Any, project: Callable[..., Path], over_grpc: bool) -> None:
    root = project(HEAD + "aws.kms.Key('files')\n")
    with pytest.raises(DeploymentError, match=r'aws:kms/key:Key "files" \(__main__.py:3\): no twin knows') as caught:
        apply(root, "prod", here.target, over_grpc=over_grpc)
    assert caught.value.exit_code == 7


def test_an_output_that_a_twin_does_not_give_is_an_error_not_a_gap(here: Any, project: Callable[..., Path]) -> None:
    program = "queue = aws.sqs.Queue('a', name='unknown-output')\naws.sqs.Queue('b', name=queue.name_prefix)\n"
    expected = r'Queue "b" \(__main__.py:4\): its inputs name are still unknown; the twin of aws:sqs/queue:Queue'
    with pytest.raises(DeploymentError, match=expected):
        apply(project(HEAD + program), "prod", here.target)


def test_an_unknown_stack_output_is_an_error(here: Any, project: Callable[..., Path]) -> None:
    program = "queue = aws.sqs.Queue('a', name='unknown-export')\npulumi.export('x', {'y': queue.name_prefix})\n"
    with pytest.raises(DeploymentError, match=r"stack outputs are unknown after the deployment: x"):
        apply(project(HEAD + program), "prod", here.target)


def test_a_refusal_of_aws_names_the_resource_and_its_line(here: Any, project: Callable[..., Path]) -> None:
    program = "aws.sqs.Queue('slow', name='slow', visibility_timeout_seconds=50000)\n"
    expected = r'Queue "slow" \(__main__.py:3\): .*VisibilityTimeout'
    with pytest.raises(DeploymentError, match=expected):
        apply(project(HEAD + program), "prod", here.target)


def test_what_a_dynamic_provider_raises_is_told_with_its_line(here: Any, project: Callable[..., Path]) -> None:
    program = PROGRAM.replace(
        'return CreateResult("we_1"', 'raise RuntimeError("no such account")\n        return CreateResult("we_1"'
    )
    with pytest.raises(DeploymentError, match=r'dynamic:Resource "endpoint" .*RuntimeError: no such account'):
        apply(project(program.replace("deployed-NAME", "dynamic"), config=CONFIG), "prod", here.target)


def test_nothing_that_depends_on_a_failure_is_made(here: Any, project: Callable[..., Path]) -> None:
    program = """
bucket = aws.kms.Key("files")
aws.sqs.Queue("after", name="after-failure", opts=pulumi.ResourceOptions(depends_on=[bucket]))
"""
    with pytest.raises(DeploymentError, match="no twin knows"):
        apply(project(HEAD + program), "prod", here.target)
    assert not here.aws.client("sqs").list_queues(QueueNamePrefix="after-failure").get("QueueUrls")


def test_resources_of_an_explicit_provider_go_to_its_region(here: Any, project: Callable[..., Path]) -> None:
    program = """
abroad = aws.Provider("abroad", region="us-east-1")
topic = aws.sns.Topic("alarms", name="abroad-topic", opts=pulumi.ResourceOptions(provider=abroad))
pulumi.export("arn", topic.arn)
"""
    deployed = apply(project(HEAD + program), "prod", here.target)
    assert deployed.outputs["arn"] == f"arn:aws:sns:us-east-1:{here.aws.account}:abroad-topic"


def test_an_existing_resource_can_be_read(here: Any, project: Callable[..., Path]) -> None:
    url = here.declare("aws:sqs/queue:Queue", "standing", {"name": "standing"}).id
    program = f"queue = aws.sqs.Queue.get('standing', {url!r})\npulumi.export('arn', queue.arn)\n"
    deployed = apply(project(HEAD + program), "prod", here.target)
    assert deployed.outputs["arn"].endswith(":standing")
    missing = project(HEAD + f"aws.sqs.Queue.get('gone', {url + '-not'!r})\n")
    with pytest.raises(DeploymentError, match="there is no such resource"):
        apply(missing, "prod", here.target)


def test_importing_has_no_meaning_in_an_empty_world(here: Any, project: Callable[..., Path]) -> None:
    program = "aws.sqs.Queue('old', name='old', opts=pulumi.ResourceOptions(import_='https://sqs/old'))\n"
    with pytest.raises(DeploymentError, match="`import_` has no meaning in a rehearsal"):
        apply(project(HEAD + program), "prod", here.target)


def test_a_duplicate_is_refused_in_the_apply_pass_too(here: Any, project: Callable[..., Path]) -> None:
    program = "aws.sqs.Queue('twin', name='twin-1')\naws.sqs.Queue('twin', name='twin-2')\n"
    with pytest.raises(ProgramError, match="Duplicate resource URN"):
        apply(project(HEAD + program), "prod", here.target)
