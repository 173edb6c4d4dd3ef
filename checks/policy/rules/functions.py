"""Functions and roles: no secret in the open, none of somebody else's, no action that nobody named."""

import re
from typing import Any, ClassVar

from _judging import CRITICAL, SECRET, Plan, Policy, Resource, listed, statements

FUNCTION, ROLE, ROLE_POLICY = "aws_lambda_function", "aws_iam_role", "aws_iam_role_policy"
STORED, LOGS = "aws_secretsmanager_secret", "aws_cloudwatch_log_group"
_READ = "secretsmanager:GetSecretValue"
_SHAPES = re.compile(
    r"\b[srp]k_(?:live|test)_\w{8,}|\bwhsec_\w{8,}|\bxox[abposr]-[\w-]{8,}|\bAKIA[0-9A-Z]{16}\b|-----BEGIN [A-Z ]*KEY"
    r"|\bkit_\w{20,}|\bgh[pousr]_\w{30,}"
)


class PlainSecret(Policy):
    """Whoever may list functions reads their environment."""

    ID = "CKV_LR_11"
    NAME = "A function has no secret in its environment"
    SEVERITY = CRITICAL
    TYPES = (FUNCTION,)

    def judge(self, resource: Resource) -> list[str]:
        """Names are told, values never."""
        variables = resource.get("environment", "variables")
        if variables == SECRET or resource.get("environment") == SECRET:
            return ["its whole environment is a secret; give it the secret's ARN and let it read the secret"]
        held = variables if isinstance(variables, dict) else {}
        found = sorted(key for key, value in held.items() if SECRET in str(value) or _SHAPES.search(str(value)))
        return [f"{key} holds a secret; give it the secret's ARN and let it read the secret" for key in found]


class OthersSecret(Policy):
    """A function that is broken into gives away what its role may read."""

    ID = "CKV_LR_12"
    NAME = "A role reads only the secrets that its function is given"
    TYPES = (ROLE_POLICY,)

    def judge(self, resource: Resource) -> list[str]:
        """Which a function is given stands in its environment."""
        reading = [one for one in statements(resource, "policy") if _allows(one, _READ)]
        if not reading:
            return []
        if any(arn == "*" for one in reading for arn in listed(one.get("Resource"))):
            return ["it may read every secret of the account; name those of its function"]
        given = {stored.address for one in _functions(resource, resource.plan) for stored in one.refers_to(STORED)}
        foreign = [one for one in resource.refers_to(STORED) if one.address not in given]
        return [f"it may read {one.address}, which its function is not given" for one in foreign]


class Wildcard(Policy):
    """An action that nobody named is one that nobody thought of."""

    ID = "CKV_LR_13"
    NAME = "A policy names each action that it allows"
    TYPES = (
        ROLE_POLICY,
        "aws_iam_policy",
        "aws_iam_user_policy",
        "aws_iam_group_policy",
        "aws_sqs_queue_policy",
        "aws_sns_topic_policy",
        "aws_s3_bucket_policy",
        "aws_secretsmanager_secret_policy",
    )

    def judge(self, resource: Resource) -> list[str]:
        """See Policy."""
        allowing = [one for one in statements(resource, "policy") if one.get("Effect") == "Allow"]
        wide = {action for one in allowing for action in listed(one.get("Action")) if "*" in str(action)}
        wrong = [f"it allows {action!r}; name the actions that are needed" for action in sorted(wide)]
        return wrong + ["it allows every action but some (NotAction)" for one in allowing if "NotAction" in one]


class Logs(Policy):
    """Logs that are kept for ever cost for ever, and keep what a person asked to be forgotten."""

    ID = "CKV_LR_14"
    NAME = "Logs are kept for a time that is declared"
    TYPES = (LOGS, FUNCTION)
    _PREFIX: ClassVar[str] = "/aws/lambda/"

    def judge(self, resource: Resource) -> list[str]:
        """A function without a log group of the program's makes one itself, which keeps everything."""
        if resource.type == LOGS:
            days = resource.get("retention_in_days")
            return [] if days else ["it has no retention_in_days, so it keeps everything for ever"]
        wanted = f"{self._PREFIX}{resource.get('function_name')}"
        chosen = resource.get("logging_config", "log_group")
        groups = resource.plan.of_type(LOGS)
        named = any(one.get("name") in (wanted, chosen) or one.address == chosen for one in groups)
        return [] if named else [f"no log group {wanted} is declared; Lambda makes one that keeps everything"]


def _functions(policy: Resource, plan: Plan) -> list[Resource]:
    """The functions with the role of a role policy, by reference or by name."""
    named = str(policy.get("role"))
    roles = [one for one in plan.of_type(ROLE) if one.address in policy.references or one.get("name") == named]
    taken = {str(one.get("name")) for one in roles}
    return [
        function
        for function in plan.of_type(FUNCTION)
        if any(role.address in function.references for role in roles)
        or str(function.get("role")).rpartition("/")[2] in taken
    ]


def _allows(statement: Any, action: str) -> bool:
    service = action.partition(":")[0]
    return statement.get("Effect") == "Allow" and any(
        one in (action, "*", f"{service}:*") or (one.endswith("*") and action.startswith(one[:-1]))
        for one in map(str, listed(statement.get("Action")))
    )


for policy in (PlainSecret, OthersSecret, Wildcard, Logs):
    policy()
