import warnings
from typing import Any

import pulumi_aws as aws
import pytest

from rehearsal.typecheck import problems
from rehearsal.wire import Decoded

# Importing a service registers its types.
IMPORTED = (aws.sqs, aws.dynamodb, aws.iam)


def _problems(type_token: str, inputs: dict[str, Any], *unknowns: str) -> list[str]:
    return problems(type_token, Decoded(values=inputs, unknowns=list(unknowns)))


def test_right_inputs_pass() -> None:
    inputs = {"name": "q", "fifoQueue": True, "visibilityTimeoutSeconds": 30, "tags": {"a": "b"}}
    assert _problems("aws:sqs/queue:Queue", inputs) == []


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({"visibilityTimeout": 30}, "visibilityTimeout: QueueArgs has no such input"),
        ({"visibilityTimeoutSeconds": "30"}, "visibilityTimeoutSeconds: must be int, got str"),
        ({"visibilityTimeoutSeconds": True}, "visibilityTimeoutSeconds: must be int, got bool"),
        ({"visibilityTimeoutSeconds": 0.5}, "visibilityTimeoutSeconds: must be int, got float"),
        ({"fifoQueue": "yes"}, "fifoQueue: must be bool, got str"),
        ({"tags": {"a": 1}}, "tags.a: must be str, got int"),
        ({"tags": ["a"]}, "tags: must be Mapping"),
    ],
)
def test_wrong_inputs_are_told_with_their_path(inputs: dict[str, Any], expected: str) -> None:
    (problem,) = _problems("aws:sqs/queue:Queue", inputs)
    assert problem.startswith(expected)


def test_a_missing_required_input_is_told() -> None:
    assert _problems("aws:iam/rolePolicy:RolePolicy", {"policy": "{}"}) == ["role: is required"]


def test_nested_objects_are_checked() -> None:
    inputs = {"attributes": [{"name": "pk"}, {"name": "sk", "type": "S", "kind": "x"}], "ttl": {"enabled": "yes"}}
    assert _problems("aws:dynamodb/table:Table", inputs) == [
        "attributes[0].type: is required",
        "attributes[1].kind: TableAttributeArgs has no such input",
        "ttl.enabled: must be bool, got str",
    ]


def test_what_is_not_known_yet_is_taken_to_be_right() -> None:
    inputs = {"name": None, "tags": {"a": None}}
    assert _problems("aws:sqs/queue:Queue", inputs, "name", "tags.a") == []


def test_types_without_an_sdk_class_are_not_judged() -> None:
    assert _problems("pulumi-python:dynamic:Resource", {"anything": 1}) == []
    assert _problems("pulumi:providers:aws", {"region": "x"}) == []


def test_a_class_whose_name_another_input_has_taken_is_found_under_its_own() -> None:
    inputs = {"bucket": "b", "versioningConfiguration": {"status": "Enabled"}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the SDK's module announces its own renamed classes
        assert _problems("aws:s3/bucketVersioning:BucketVersioning", inputs) == []
    assert _problems("aws:s3/bucketVersioning:BucketVersioning", {"bucket": "b"}) == [
        "versioningConfiguration: is required"
    ]
