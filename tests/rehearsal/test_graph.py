import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from rehearsal.graph import SCHEMA_FILE, SECRET_MARKER, UNKNOWN_MARKER, Graph
from rehearsal.plan import plan

PROGRAM = """
import json
import pulumi
import pulumi_aws as aws


class Pipeline(pulumi.ComponentResource):
    def __init__(self, name):
        super().__init__("sample:pipeline:Pipeline", name)
        inside = pulumi.ResourceOptions(parent=self, protect=True)
        dead = aws.sqs.Queue("dead", name="dead.fifo", fifo_queue=True, opts=inside)
        redrive = dead.arn.apply(lambda arn: json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 5}))
        self.queue = aws.sqs.Queue("events", name="events.fifo", fifo_queue=True, redrive_policy=redrive, opts=inside)
        self.register_outputs({})


config = pulumi.Config()
abroad = aws.Provider("abroad", region="us-east-1")
pipeline = Pipeline("pipeline")
secret = aws.secretsmanager.Secret("key", name="key", opts=pulumi.ResourceOptions(depends_on=[pipeline]))
aws.secretsmanager.SecretVersion("key", secret_id=secret.id, secret_string=config.require_secret("apiKey"))
aws.sns.Topic("alarms", opts=pulumi.ResourceOptions(provider=abroad, ignore_changes=["tags"]))
pulumi.export("contract", {"version": 1, "url": pipeline.queue.url, "ratio": 0.5, "none": None})
pulumi.export("hidden", config.require_secret("apiKey"))
"""
CONFIG = "{apiKey: {type: string, secret: true}}"
SECRET = "rehearsal-made-up-secret-apiKey"


@pytest.fixture
def graph(project: Callable[..., Path]) -> Graph:
    return plan(project(PROGRAM, config=CONFIG), "prod")


def test_a_resource_is_seen_whole(graph: Graph) -> None:
    queue = graph.get("aws:sqs/queue:Queue", "events")
    pipeline = graph.get("sample:pipeline:Pipeline", "pipeline")
    dead = graph.get("aws:sqs/queue:Queue", "dead")
    assert queue.urn == "urn:pulumi:prod::sample::sample:pipeline:Pipeline$aws:sqs/queue:Queue::events"
    assert queue.parent == pipeline.urn
    assert queue.inputs == {"name": "events.fifo", "fifoQueue": True, "redrivePolicy": UNKNOWN_MARKER}
    assert (queue.secrets, queue.unknowns) == ((), ("redrivePolicy",))
    assert queue.dependencies == (dead.urn,)
    assert queue.property_dependencies["redrivePolicy"] == (dead.urn,)
    assert queue.options["protect"] is True
    assert queue.custom
    assert not pipeline.custom


def test_each_resource_has_the_line_that_declared_it(graph: Graph) -> None:
    lines = PROGRAM.splitlines()
    for resource in graph:
        if resource.type == "pulumi:pulumi:Stack":
            continue
        file, line = resource.source.rsplit(":", 1)
        assert file == "__main__.py"
        assert f'"{resource.name}"' in lines[int(line) - 1]


def test_secrets_are_nowhere_in_the_document(graph: Graph) -> None:
    version = graph.get("aws:secretsmanager/secretVersion:SecretVersion", "key")
    assert version.inputs["secretString"] == SECRET_MARKER
    assert version.secrets == ("secretString",)
    assert graph.outputs["hidden"] == SECRET_MARKER
    assert SECRET not in graph.to_json()


def test_options_and_providers_are_kept(graph: Graph) -> None:
    topic = graph.get("aws:sns/topic:Topic", "alarms")
    assert topic.provider == graph.get("pulumi:providers:aws", "abroad").urn
    assert topic.options["ignoreChanges"] == ["tags"]


def test_stack_outputs_keep_their_kinds(graph: Graph) -> None:
    assert graph.outputs["contract"] == {"version": 1, "url": UNKNOWN_MARKER, "ratio": 0.5, "none": None}


def test_the_document_is_what_its_schema_says_and_reads_back(graph: Graph) -> None:
    document = graph.to_document()
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(document, schema)
    assert Graph.from_document(document) == Graph.from_document(json.loads(graph.to_json()))
    assert Graph.from_document(document).to_json() == graph.to_json()


def test_another_version_is_refused(graph: Graph) -> None:
    with pytest.raises(ValueError, match="version 2, this reads 1"):
        Graph.from_document(graph.to_document() | {"version": 2})


def test_what_is_not_there_is_told_with_what_is(graph: Graph) -> None:
    with pytest.raises(KeyError, match="declared: dead, events"):
        graph.get("aws:sqs/queue:Queue", "event")


def test_the_same_declaration_gives_the_same_bytes(project: Callable[..., Path]) -> None:
    root = project(PROGRAM, config=CONFIG)
    assert plan(root, "prod").to_json() == plan(root, "prod").to_json()


def test_the_engines_transport_gives_the_same_graph(project: Callable[..., Path]) -> None:
    root = project(PROGRAM, config=CONFIG)
    assert plan(root, "prod", over_grpc=True).to_json() == plan(root, "prod").to_json()


def test_the_real_engines_preview_of_this_shape_agrees(graph: Graph) -> None:
    """What `pulumi preview --json` (3.260) printed for such a queue in a component, and its markers."""
    seen: dict[str, Any] = {
        "type": "aws:sqs/queue:Queue",
        "inputs": {"fifoQueue": True, "name": "events.fifo", "redrivePolicy": "04da6b54-80e4-46f7-96ec-b56ff0331ba9"},
    }
    queue = graph.get("aws:sqs/queue:Queue", "events")
    assert {"type": queue.type, "inputs": dict(queue.inputs)} == seen


FACTORY = """
import pulumi
import pulumi_aws as aws


def topic(name):
    return aws.sns.Topic(name)


def declare():
    for name in ("one", "two"):
        topic(name)


declare()
"""


def test_the_way_back_leads_from_the_declaration_to_the_programs_root(project: Callable[..., Path]) -> None:
    for over_grpc in (False, True):
        found = plan(project(FACTORY), "prod", over_grpc=over_grpc)
        for name in ("one", "two"):
            topic = found.get("aws:sns/topic:Topic", name)
            assert topic.sources == ("__main__.py:7", "__main__.py:12", "__main__.py:15")
            assert topic.source == topic.sources[0]


def test_a_document_from_before_the_way_back_was_kept_is_read(graph: Graph) -> None:
    document = graph.to_document()
    for entry in document["resources"]:
        del entry["sources"]
    jsonschema.validate(document, json.loads(SCHEMA_FILE.read_text(encoding="utf-8")))
    assert all(resource.sources == () for resource in Graph.from_document(document))
