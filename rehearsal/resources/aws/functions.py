"""Lambda functions and who may invoke them."""

from collections.abc import Mapping
from typing import Any

from rehearsal.resources.aws.archives import zip_bytes
from rehearsal.resources.handler import Created, CreateOnly, Declared, RefusedError
from rehearsal.target import Target
from rehearsal.twins.event_source import LAMBDA_SERVICE

_ENVIRONMENT_BYTES = 4096
_ZIP_BYTES = 50 * 1024 * 1024
_UNRESERVED_AT_LEAST = 100
_ACCOUNT_CONCURRENCY = 1000


class Function(CreateOnly):
    """aws:lambda/function:Function; its id is its name."""

    type = "aws:lambda/function:Function"

    def create(self, declared: Declared, target: Target) -> Created:
        """See ResourceHandler; `target.overrides` join the declared environment."""
        inputs = declared.inputs
        name = inputs.get("name") or declared.name
        variables = dict((inputs.get("environment") or {}).get("variables") or {})
        _refuse_environment(declared, variables)
        _refuse_role(declared, inputs["role"], target)
        client = target.client("lambda")
        client.create_function(**_function(declared, name, {**variables, **target.overrides}, target))
        _reserve(declared, name, client)
        return Created(name, self._outputs(name, target))

    def read(self, id_: str, target: Target) -> dict[str, Any] | None:
        """See ResourceHandler."""
        client = target.client("lambda")
        try:
            return self._outputs(id_, target)
        except client.exceptions.ResourceNotFoundException:
            return None

    def delete(self, id_: str, target: Target) -> None:
        """See ResourceHandler."""
        client = target.client("lambda")
        try:
            client.delete_function(FunctionName=id_)
        except client.exceptions.ResourceNotFoundException:
            return

    def _outputs(self, name: str, target: Target) -> dict[str, Any]:
        found = target.client("lambda").get_function_configuration(FunctionName=name)
        arn = found["FunctionArn"]
        path = f"arn:aws:apigateway:{target.effective_region}:lambda:path/2015-03-31/functions/{arn}/invocations"
        return {
            "arn": arn,
            "name": name,
            "invokeArn": path,
            "qualifiedArn": f"{arn}:{found['Version']}",
            "version": found["Version"],
            "codeSha256": found["CodeSha256"],
            "timeout": found["Timeout"],
            "memorySize": found["MemorySize"],
        }


def _function(declared: Declared, name: str, variables: Mapping[str, str], target: Target) -> dict[str, Any]:
    inputs = declared.inputs
    request: dict[str, Any] = {
        "FunctionName": name,
        "Runtime": inputs["runtime"],
        "Handler": inputs["handler"],
        "Role": inputs["role"],
        "Code": {"ZipFile": _code(declared, target)},
        "Timeout": inputs.get("timeout", 3),
        "MemorySize": inputs.get("memorySize", 128),
        "Environment": {"Variables": dict(variables)},
        "Architectures": inputs.get("architectures") or ["x86_64"],
        "Tags": dict(inputs.get("tags") or {}),
    }
    if inputs.get("description"):
        request["Description"] = inputs["description"]
    logging = inputs.get("loggingConfig") or {}
    if logging.get("logGroup"):
        request["LoggingConfig"] = {"LogFormat": logging.get("logFormat", "Text"), "LogGroup": logging["logGroup"]}
    return request


def _code(declared: Declared, target: Target) -> bytes:
    if not declared.inputs.get("code"):
        raise RefusedError(f"{declared}: a rehearsal needs the function's `code`; images and S3 objects have no twin")
    code = zip_bytes(declared.inputs["code"], target.root)
    if len(code) > _ZIP_BYTES:
        raise RefusedError(
            f"{declared}: a zip that is uploaded directly has at most {_ZIP_BYTES} bytes, got {len(code)}"
        )
    return code


def _refuse_environment(declared: Declared, variables: Mapping[str, str]) -> None:
    size = sum(len(key.encode()) + len(str(value).encode()) for key, value in variables.items())
    if size > _ENVIRONMENT_BYTES:
        raise RefusedError(f"{declared}: its environment has {size} bytes, Lambda takes at most {_ENVIRONMENT_BYTES}")
    reserved = sorted(
        key
        for key in variables
        if key.startswith(("AWS_LAMBDA_", "AWS_ACCESS_KEY", "AWS_SECRET", "AWS_SESSION", "AWS_REGION", "LAMBDA_"))
    )
    if reserved:
        raise RefusedError(f"{declared}: Lambda reserves the environment variables {', '.join(reserved)}")


def _refuse_role(declared: Declared, role_arn: str, target: Target) -> None:
    if target.aws.role_credentials(role_arn, LAMBDA_SERVICE) is None:
        raise RefusedError(
            f"{declared}: the role {role_arn} cannot be assumed by Lambda; it must exist and trust {LAMBDA_SERVICE}"
        )


def _reserve(declared: Declared, name: str, client: Any) -> None:
    """Reserved concurrency, of which AWS leaves a hundred to the functions that reserve none."""
    wanted = declared.inputs.get("reservedConcurrentExecutions")
    if wanted is None or wanted < 0:  # -1 is the provider's word for none
        return
    taken = sum(_reserved(client, function["FunctionName"]) for function in _all_functions(client))
    limit = _ACCOUNT_CONCURRENCY - _UNRESERVED_AT_LEAST
    if taken + wanted > limit:
        raise RefusedError(
            f"{declared}: reserves {wanted} of the account's concurrency, {limit - taken} can be reserved"
        )
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=wanted)


def _all_functions(client: Any) -> list[dict[str, Any]]:
    return [function for page in client.get_paginator("list_functions").paginate() for function in page["Functions"]]


def _reserved(client: Any, name: str) -> int:
    return client.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions", 0)


class Permission(CreateOnly):
    """aws:lambda/permission:Permission; its id is the statement's."""

    type = "aws:lambda/permission:Permission"

    def create(self, declared: Declared, target: Target) -> Created:
        """See ResourceHandler."""
        inputs = declared.inputs
        sid = inputs.get("statementId") or declared.name
        request = {
            "FunctionName": inputs["function"],
            "StatementId": sid,
            "Action": inputs["action"],
            "Principal": inputs["principal"],
        }
        for key, argument in (
            ("sourceArn", "SourceArn"),
            ("sourceAccount", "SourceAccount"),
            ("qualifier", "Qualifier"),
        ):
            if inputs.get(key):
                request[argument] = inputs[key]
        target.client("lambda").add_permission(**request)
        return Created(sid, {"statementId": sid})


HANDLERS = (Function(), Permission())
