"""The declared roles, judged by the rule that judges the live ones: with any statement gone, one is too narrow."""

import json
from typing import Any

import pytest

from checks.contract import Contract, Function, parse
from checks.probes.aws.access import RoleFacts, Statement
from checks.rules import access
from tests.infra.conftest import Deployed

POLICY = "aws:iam/rolePolicy:RolePolicy"


@pytest.fixture(scope="module")
def contract(deployed: Deployed) -> Contract:
    return parse(json.loads(json.dumps(deployed.contract)))


def facts(deployed: Deployed, function: Function, prefix: str) -> RoleFacts:
    policy = deployed.of_type(POLICY)[f"{function.name.removeprefix(prefix)}-policy"]["policy"]
    return RoleFacts(function=function, statements=tuple(map(_statement, json.loads(policy)["Statement"])))


def _statement(written: dict[str, Any]) -> Statement:
    return Statement(
        effect=written["Effect"],
        actions=tuple(written["Action"]),
        resources=tuple(written["Resource"]),
        inverted=False,
    )


TOO_NARROW = "which its work takes"  # ARNs of these tests are made up, so the rule has more to say of each role


def test_every_role_is_wide_enough(deployed: Deployed, contract: Contract) -> None:
    prefix = f"{contract.project}-{contract.stack}-"
    roles = tuple(facts(deployed, function, prefix) for function in contract.functions)
    assert TOO_NARROW not in access.roles(contract, roles).actual


def test_without_any_one_statement_a_role_is_too_narrow(deployed: Deployed, contract: Contract) -> None:
    prefix = f"{contract.project}-{contract.stack}-"
    unnoticed = []
    for function in contract.functions:
        whole = facts(deployed, function, prefix)
        for index, gone in enumerate(whole.statements):
            rest = RoleFacts(function=function, statements=(*whole.statements[:index], *whole.statements[index + 1 :]))
            if TOO_NARROW not in access.roles(contract, (rest,)).actual:
                unnoticed.append((function.name, gone.actions))
    assert not unnoticed
