"""IAM roles and their inline policies."""

import json
from typing import Any

from rehearsal.resources.handler import Created, CreateOnly, Declared, RefusedError
from rehearsal.target import Target


class Role(CreateOnly):
    """aws:iam/role:Role; its id is its name."""

    type = "aws:iam/role:Role"

    def create(self, declared: Declared, target: Target) -> Created:
        """See ResourceHandler."""
        inputs = declared.inputs
        name = inputs.get("name") or declared.name
        if len(name) > 64:
            raise RefusedError(f"{declared}: a role's name has at most 64 characters, got {len(name)}: {name!r}")
        trust = _document(declared, "assumeRolePolicy")
        request: dict[str, Any] = {"RoleName": name, "AssumeRolePolicyDocument": trust}
        for key, argument in (("path", "Path"), ("description", "Description")):
            if inputs.get(key):
                request[argument] = inputs[key]
        if inputs.get("permissionsBoundary"):
            request["PermissionsBoundary"] = inputs["permissionsBoundary"]
        iam = target.client("iam")
        role = iam.create_role(**request)["Role"]
        for policy in inputs.get("inlinePolicies") or []:
            iam.put_role_policy(RoleName=name, PolicyName=policy["name"], PolicyDocument=policy["policy"])
        for arn in inputs.get("managedPolicyArns") or []:
            iam.attach_role_policy(RoleName=name, PolicyArn=arn)
        return Created(name, _outputs(role))

    def read(self, id_: str, target: Target) -> dict[str, Any] | None:
        """See ResourceHandler."""
        iam = target.client("iam")
        try:
            return _outputs(iam.get_role(RoleName=id_)["Role"])
        except iam.exceptions.NoSuchEntityException:
            return None

    def delete(self, id_: str, target: Target) -> None:
        """See ResourceHandler; like AWS it refuses while policies hang on the role."""
        iam = target.client("iam")
        try:
            iam.delete_role(RoleName=id_)
        except iam.exceptions.NoSuchEntityException:
            return


class RolePolicy(CreateOnly):
    """aws:iam/rolePolicy:RolePolicy; its id is `role:policy`."""

    type = "aws:iam/rolePolicy:RolePolicy"

    def create(self, declared: Declared, target: Target) -> Created:
        """See ResourceHandler."""
        role, name = declared.inputs["role"], declared.inputs.get("name") or declared.name
        document = _document(declared, "policy")
        target.client("iam").put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=document)
        return Created(f"{role}:{name}", {"name": name, "role": role})

    def update(self, id_: str, declared: Declared, target: Target) -> dict[str, Any]:
        """See ResourceHandler: the document is replaced."""
        role, name = id_.split(":", 1)
        document = _document(declared, "policy")
        target.client("iam").put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=document)
        return {"name": name, "role": role}

    def delete(self, id_: str, target: Target) -> None:
        """See ResourceHandler."""
        role, name = id_.split(":", 1)
        iam = target.client("iam")
        try:
            iam.delete_role_policy(RoleName=role, PolicyName=name)
        except iam.exceptions.NoSuchEntityException:
            return


def _document(declared: Declared, key: str) -> str:
    """A policy as the text that IAM wants; the SDK lets it be an object, too."""
    value = declared.inputs[key]
    return value if isinstance(value, str) else json.dumps(value)


def _outputs(role: Any) -> dict[str, Any]:
    return {"arn": role["Arn"], "name": role["RoleName"], "uniqueId": role["RoleId"]}


HANDLERS = (Role(), RolePolicy())
