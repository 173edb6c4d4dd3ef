"""What roles may do inside ministack: sessions for AWS's own services, questions to its policies, and a record.

Runs in ministack's process, on its own policy evaluator.
"""

import hashlib
import json
import threading
from dataclasses import dataclass
from typing import Any

from ministack.core import iam_evaluator, responses
from ministack.services import iam, lambda_svc, sts


@dataclass(frozen=True)
class RoleCall:
    """A call that needed a permission of a role, or of a function's own policy."""

    principal: str
    action: str
    resource: str


class RoleCalls:
    """What roles were denied and allowed so far, each call once."""

    def __init__(self) -> None:
        self._seen: dict[bool, dict[RoleCall, None]] = {True: {}, False: {}}
        self._lock = threading.Lock()

    def add(self, call: RoleCall, *, allowed: bool) -> None:
        """Record a call."""
        with self._lock:
            self._seen[allowed][call] = None

    def all(self, *, allowed: bool) -> list[RoleCall]:
        """In order of their first occurrence."""
        with self._lock:
            return list(self._seen[allowed])


def role_session(role_arn: str, service: str, account: str) -> dict[str, str] | None:
    """Credentials of the role for an AWS service that assumes it; None where its trust policy does not let it."""
    responses.set_request_account_id(account)
    name = role_arn.rsplit("/", 1)[-1]
    role = iam._roles.get(name)  # noqa: SLF001 # ministack has no public way to its state
    if role is None or not _trusts(role.get("AssumeRolePolicyDocument"), service, role_arn):
        return None
    digest = hashlib.sha256(f"{service}:{role_arn}".encode()).hexdigest()
    key, secret, token = f"ASIA{digest[:16].upper()}", digest[16:48], digest[48:]
    session = {
        "Arn": f"arn:aws:sts::{account}:assumed-role/{name}/{service.split('.')[0]}",
        "UserId": f"{name}:{service}",
        "SecretAccessKey": secret,
        "SessionToken": token,
    }
    sts.register_session(key, session)
    return {"access_key_id": key, "secret_access_key": secret, "session_token": token}


def role_allows(role_arn: str, action: str, resource: str, account: str) -> bool:
    """Whether the role's own policies allow the action."""
    responses.set_request_account_id(account)
    name = role_arn.rsplit("/", 1)[-1]
    context = iam_evaluator.EvalContext(
        principal_arn=f"arn:aws:sts::{account}:assumed-role/{name}/rehearsal",
        principal_type="AssumedRole",
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=responses.get_region(),
    )
    policies = iam_evaluator._gather_role_policies(name, account)  # noqa: SLF001
    return iam_evaluator.evaluate(context, policies).decision == "Allow"


def policy_lets(function_arn: str, service: str, source_arn: str) -> bool:
    """Whether a function's own policy lets an AWS service invoke it on behalf of `source_arn`."""
    policy = lambda_svc.function_policy_for_arn(function_arn)
    if policy is None:
        return False
    context = iam_evaluator.EvalContext(
        principal_arn=service,
        principal_type="Service",
        principal_account="",
        action="lambda:InvokeFunction",
        resource_arn=function_arn,
        region=responses.get_region(),
        service_context={"aws:sourcearn": source_arn, "aws:sourceaccount": responses.get_account_id()},
    )
    return iam_evaluator.evaluate_resource_policy(policy[0], context, service=service).decision == "Allow"


def _trusts(policy: Any, service: str, role_arn: str) -> bool:
    context = iam_evaluator.EvalContext(
        principal_arn=service,
        principal_type="Service",
        principal_account="",
        action="sts:AssumeRole",
        resource_arn=role_arn,
        region="",
    )
    document = {"Statement": [_for_resource(s) for s in _statements(policy)]}
    return iam_evaluator.evaluate_resource_policy(document, context, service=service).decision == "Allow"


def _statements(policy: Any) -> list[dict[str, Any]]:
    document = json.loads(policy) if isinstance(policy, str) else policy or {}
    found = document.get("Statement", [])
    return found if isinstance(found, list) else [found]


def _for_resource(statement: dict[str, Any]) -> dict[str, Any]:
    """A trust policy names no resource: it is about the role that it belongs to."""
    return {"Resource": "*", **statement}
