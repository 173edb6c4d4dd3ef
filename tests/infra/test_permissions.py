import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.infra.conftest import Deployed

POLICY = "aws:iam/rolePolicy:RolePolicy"
# A statement's resource may end in a star only here, with the reason.
STARRED = {"WriteOwnLogs": "a log stream is named by Lambda when an instance starts"}
EXPECTED = {
    "webhook-policy": {"WriteOwnLogs", "SendEvents", "ReadSigningSecret"},
    "apply-policy": {
        "WriteOwnLogs",
        "TakeEvents",
        "ReadNodes",
        "WriteNodes",
        "NudgeDestinations",
        "ReadStripeKey",
        "ReadIdentityKeys",
    },
    "members-policy": {"WriteOwnLogs", "ReadMembers"},
    "claims-policy": {"WriteOwnLogs", "ReadNodes", "WriteNodes", "NudgeDestinations", "ReadIdentityKeys"},
    "sweep-policy": {
        "WriteOwnLogs",
        "ReadNodes",
        "WriteNodes",
        "FindWhatIsDue",
        "NudgeDestinations",
        "ReadStripeKey",
        "ReadIdentityKeys",
    },
    "reconcile-policy": {
        "WriteOwnLogs",
        "ReadNodes",
        "WriteNodes",
        "FindWhatLags",
        "SendEvents",
        "NudgeDestinations",
        "ReadStripeKey",
        "ReadIdentityKeys",
    },
    "undelivered-policy": {"WriteOwnLogs", "TakeDeadLetters", "WriteNodes", "NudgeDestinations"},
    "sync-kit-policy": {"WriteOwnLogs", "TakeNudges", "ReadMember", "WriteDeliveries", "ReadVendorKey"},
    "sync-slack-policy": {"WriteOwnLogs", "TakeNudges", "ReadMember", "WriteDeliveries", "ReadVendorKey"},
    "sweep-schedule-policy": {"CallSweep"},
    "reconcile-schedule-policy": {"CallReconcile"},
}

FUNCTIONS = [name.removesuffix("-policy") for name in EXPECTED if not name.endswith("-schedule-policy")]


def statements(deployed: Deployed, name: str) -> dict[str, dict[str, Any]]:
    document = json.loads(deployed.of_type(POLICY)[name]["policy"])
    return {statement["Sid"]: statement for statement in document["Statement"]}


def every_statement(deployed: Deployed) -> Iterator[tuple[str, dict[str, Any]]]:
    for name in deployed.of_type(POLICY):
        for statement in statements(deployed, name).values():
            yield name, statement


def test_every_role_has_exactly_these_statements(deployed: Deployed) -> None:
    assert {name: set(statements(deployed, name)) for name in deployed.of_type(POLICY)} == EXPECTED


def test_no_action_is_a_wildcard(deployed: Deployed) -> None:
    for name, statement in every_statement(deployed):
        assert statement["Action"], name
        assert not [action for action in statement["Action"] if "*" in action], name


def test_every_resource_is_an_arn_and_a_star_has_a_reason(deployed: Deployed) -> None:
    for name, statement in every_statement(deployed):
        assert statement["Resource"], name
        for resource in statement["Resource"]:
            assert resource.startswith("arn:aws:"), (name, resource)
            assert "*" not in resource or statement["Sid"] in STARRED, (name, resource)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_writes_to_its_own_log_group_only(deployed: Deployed, function: str) -> None:
    resources = statements(deployed, f"{function}-policy")["WriteOwnLogs"]["Resource"]
    assert [resource.partition("/aws/lambda/")[2] for resource in resources] == [f"launch-ready-prod-{function}:*"]


def test_a_destinations_function_reads_its_own_vendors_key_and_no_other(deployed: Deployed) -> None:
    for name in ("kit", "slack"):
        secrets = [
            resource
            for statement in statements(deployed, f"sync-{name}-policy").values()
            for resource in statement["Resource"]
            if ":secretsmanager:" in resource
        ]
        assert [secret.rpartition("/")[2] for secret in secrets] == [name]


def test_only_who_needs_the_identity_keys_reads_them(deployed: Deployed) -> None:
    readers = {
        name
        for name, statement in every_statement(deployed)
        for resource in statement["Resource"]
        if resource.endswith("/identity")
    }
    assert readers == {"apply-policy", "claims-policy", "sweep-policy", "reconcile-policy"}


def test_the_webhook_cannot_touch_the_table(deployed: Deployed) -> None:
    assert not any("dynamodb" in str(statement) for statement in statements(deployed, "webhook-policy").values())


def test_each_role_trusts_one_service(deployed: Deployed) -> None:
    for name, role in deployed.of_type("aws:iam/role:Role").items():
        [statement] = json.loads(role["assumeRolePolicy"])["Statement"]
        service = "scheduler" if name.endswith("-schedule-role") else "lambda"
        assert statement["Principal"] == {"Service": f"{service}.amazonaws.com"}


def test_the_api_may_call_a_function_for_its_routes_only(deployed: Deployed) -> None:
    api = "arn:aws:execute-api:eu-west-1:123456789012:api1/*"
    allowed = {
        (values["function"], values["sourceArn"])
        for values in deployed.of_type("aws:lambda/permission:Permission").values()
    }
    assert allowed == {
        ("launch-ready-prod-webhook", f"{api}/POST/webhooks/stripe"),
        ("launch-ready-prod-webhook", f"{api}/GET/health"),
        ("launch-ready-prod-members", f"{api}/GET/v1/members/{{user_id}}"),
        ("launch-ready-prod-claims", f"{api}/POST/v1/claims"),
    }
