"""Provider functions that a program may call, answered without a provider."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from rehearsal.errors import ProgramError

ACCOUNT = "111122223333"  # the account of every rehearsal; AWS keeps such numbers for documentation
PARTITION = "aws"


def answer(token: str, arguments: Mapping[str, Any], region: str) -> Mapping[str, Any]:
    """The result of the function `token` in a rehearsal; ProgramError for one that is not known."""
    known = _ANSWERS.get(token)
    if known is None:
        raise ProgramError(
            f"the rehearsal has no answer for the function {token}; known: {', '.join(sorted(_ANSWERS))}"
        )
    return known(arguments, region)


def _caller_identity(arguments: Mapping[str, Any], region: str) -> Mapping[str, Any]:  # noqa: ARG001
    return {"accountId": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:root", "userId": ACCOUNT, "id": ACCOUNT}


def _region(arguments: Mapping[str, Any], region: str) -> Mapping[str, Any]:
    name = arguments.get("region") or arguments.get("name") or region
    return {"name": name, "region": name, "id": name, "description": name, "endpoint": f"ec2.{name}.amazonaws.com"}


def _partition(arguments: Mapping[str, Any], region: str) -> Mapping[str, Any]:  # noqa: ARG001
    return {"partition": PARTITION, "dnsSuffix": "amazonaws.com", "reverseDnsPrefix": "com.amazonaws", "id": PARTITION}


def _policy_document(arguments: Mapping[str, Any], region: str) -> Mapping[str, Any]:  # noqa: ARG001
    """IAM's JSON from the provider's nested form (one statement a list entry)."""
    statements = [_statement(entry) for entry in arguments.get("statements", [])]
    document = json.dumps({"Version": arguments.get("version", "2012-10-17"), "Statement": statements})
    return {"json": document, "minifiedJson": document, "id": "policy"}


def _statement(entry: Mapping[str, Any]) -> dict[str, Any]:
    lists = {"Action": "actions", "NotAction": "notActions", "Resource": "resources", "NotResource": "notResources"}
    statement: dict[str, Any] = {"Effect": entry.get("effect", "Allow")}
    if entry.get("sid"):
        statement["Sid"] = entry["sid"]
    statement |= {iam: _single(entry[ours]) for iam, ours in lists.items() if entry.get(ours)}
    if entry.get("principals"):
        statement["Principal"] = {p["type"]: _single(p["identifiers"]) for p in entry["principals"]}
    for condition in entry.get("conditions", []):
        tests = statement.setdefault("Condition", {}).setdefault(condition["test"], {})
        tests[condition["variable"]] = _single(condition["values"])
    return statement


def _single(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values


_ANSWERS: Mapping[str, Callable[[Mapping[str, Any], str], Mapping[str, Any]]] = {
    "aws:index/getCallerIdentity:getCallerIdentity": _caller_identity,
    "aws:index/getRegion:getRegion": _region,
    "aws:index/getPartition:getPartition": _partition,
    "aws:iam/getPolicyDocument:getPolicyDocument": _policy_document,
}
