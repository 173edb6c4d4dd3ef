"""Types and properties against the Terraform providers' own schemas (oracle/schemas.json, made by make_schemas.py)."""

import importlib.util
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from checks.policy import PolicyError, terraform_plan
from checks.policy.terraform.names import DYNAMIC, terraform_type
from tests.checks.policy.conftest import Programs
from tests.checks.policy.declared import planned, used_types

ORACLE = json.loads((Path(__file__).parent / "oracle" / "schemas.json").read_text(encoding="utf-8"))
SCHEMAS: Mapping[str, Mapping[str, Any]] = ORACLE["resources"]
# What the providers have since the packages of the oracle were generated, by their own documentation.
NEWER_TYPES = {"cloudflare_authenticated_origin_pulls_hostname_certificate"}
NEWER_PROPERTIES = {"aws_dynamodb_table.global_secondary_index.key_schema"}
DYNAMIC_PROPERTIES = {"cloudflare_dns_record.data.flags", "cloudflare_zone_setting.value"}  # of any kind
PET = """
class Pet(pulumi.CustomResource):
    def __init__(self, name):
        super().__init__("random:index/pet:Pet", name, {"length": 2})


aws.sns.Topic("t")
Pet("pet")
"""
NO_PROVIDER = "terraform_data"
KINDS = {"string": str, "number": (int, float), "boolean": bool, "stringList": list, "stringMap": dict, "anyMap": dict}


def misfits(path: str, kind: Any, value: Any) -> Iterator[str]:
    """Where a value is not of the kind that the provider's schema has."""
    if path in NEWER_PROPERTIES | DYNAMIC_PROPERTIES:
        return
    if isinstance(kind, str):
        wanted = KINDS.get(kind, list)
        if not isinstance(value, wanted) or (isinstance(value, bool) and kind != "boolean"):
            yield f"{path}: {kind}, got {value!r}"
        return
    [(container, fields)] = kind.items()
    if not isinstance(value, dict if container in ("struct", "map") else list):
        yield f"{path}: {container}, got {value!r}"
        return
    for block in value if isinstance(value, list) else value.values() if container == "map" else [value]:
        for key, inner in block.items():
            below = f"{path}.{key}"
            if key in fields:
                yield from misfits(below, fields[key], inner)
            elif below not in NEWER_PROPERTIES:
                yield f"{below}: the provider has no such property"


def topic_of(graph: Mapping[str, Any]) -> dict[str, Any]:
    return next(entry for entry in graph["resources"] if entry["type"] == "aws:sns/topic:Topic")


def test_every_type_that_the_program_uses_is_the_providers() -> None:
    assert used_types() - {NO_PROVIDER} - set(ORACLE["types"]) == NEWER_TYPES


def test_every_property_that_the_program_uses_is_the_providers_and_of_its_kind() -> None:
    known = [one for one in planned() if one["type"] in SCHEMAS]
    wrong = {
        misfit for one in known for misfit in misfits(one["type"], {"struct": SCHEMAS[one["type"]]}, one["values"])
    }
    assert wrong == set()
    assert {one["type"] for one in known} == used_types() - NEWER_TYPES - {NO_PROVIDER}


@pytest.mark.parametrize(("package", "least"), [("aws", 1423), ("cloudflare", 207)])
def test_coverage_over_all_types(package: str, least: int, record_property: Callable[[str, object], None]) -> None:
    spec = importlib.util.find_spec(f"pulumi_{package}")
    assert spec is not None
    assert spec.origin is not None
    tokens = set(re.findall(rf'"({package}:[\w/-]+:\w+)":', Path(spec.origin).read_text(encoding="utf-8")))
    types = {name for name in ORACLE["types"] if name.startswith(f"{package}_")}
    reached = {terraform_type(token) for token in tokens} & types
    row = {"provider": package, "types": str(len(types)), "reached": str(len(reached)), "oracle": ORACLE["made"]}
    record_property("table: Terraform types reached from Pulumi's", row)
    assert len(reached) >= least


def test_values_are_terraforms(programs: Programs) -> None:
    program = """
config = pulumi.Config()
key = aws.secretsmanager.Secret("key", name="key", kms_key_id=None)
aws.secretsmanager.SecretVersion("key", secret_id=key.id, secret_string=pulumi.Output.secret("sesame"))
aws.sqs.Queue("a b", name="a", visibility_timeout_seconds=30)
aws.sqs.Queue("a_b", name="b", tags={"camelCase": "kept"})
"""
    plan = terraform_plan(programs.graph(program, assume_arns=False))
    text = json.dumps(plan.document)
    first, _ = json.loads(text)["planned_values"]["root_module"]["resources"][:2]
    by_address = {one["address"]: one for one in plan.document["resource_changes"]}
    assert "sesame" not in text
    assert first["values"] == {"name": "key"}  # no null
    version = by_address["aws_secretsmanager_secret_version.key"]["change"]
    assert version["after"] == {"secret_string": "[secret]"}
    assert version["after_unknown"] == {"secret_id": True}
    assert version["after_sensitive"] == {"secret_string": True}
    assert by_address["aws_sqs_queue.a_b"]["change"]["after"] == {"name": "a", "visibility_timeout_seconds": 30}
    assert by_address["aws_sqs_queue.a_b_2"]["change"]["after"] == {"name": "b", "tags": {"camelCase": "kept"}}
    [configured] = [
        one
        for one in plan.document["configuration"]["root_module"]["resources"]
        if one["type"] == "aws_secretsmanager_secret_version"
    ]
    assert configured["expressions"]["secret_id"] == {"references": ["aws_secretsmanager_secret.key"]}


def test_an_unknown_provider_is_an_error_with_the_resource_and_its_line(programs: Programs) -> None:
    graph = programs.graph(PET)
    with pytest.raises(PolicyError, match=r"'pet' \(__main__.py:14\): no Terraform type is known for random:index/pet"):
        terraform_plan(graph)


def test_a_type_that_no_sdk_has_is_an_error(programs: Programs) -> None:
    graph = programs.graph('aws.sns.Topic("t")')
    topic_of(graph)["type"] = "aws:sns/tropic:Tropic"
    with pytest.raises(PolicyError, match="aws:sns/tropic:Tropic is no type of the SDK pulumi_aws"):
        terraform_plan(graph)


def test_a_dynamic_resource_is_data_without_its_code(programs: Programs) -> None:
    graph = programs.graph('aws.sns.Topic("t")')
    inputs = {"__provider": "[secret]", "url": "https://x.example"}
    graph["resources"].append({**topic_of(graph), "type": DYNAMIC, "urn": "urn:pulumi:x", "inputs": inputs})
    [data] = [r for r in terraform_plan(graph).document["resource_changes"] if r["type"] == NO_PROVIDER]
    assert data["change"]["after"] == {"input": {"url": "https://x.example"}}


def test_another_version_of_the_graph_is_refused() -> None:
    with pytest.raises(PolicyError, match="version 9, this reads 1"):
        terraform_plan({"version": 9, "resources": []})
