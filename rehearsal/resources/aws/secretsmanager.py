"""Secrets and their values."""

from typing import Any

from rehearsal.resources.handler import Created, CreateOnly, Declared
from rehearsal.target import Target


class Secret(CreateOnly):
    """aws:secretsmanager/secret:Secret; its id is its ARN."""

    type = "aws:secretsmanager/secret:Secret"

    def create(self, declared: Declared, target: Target) -> Created:
        """See ResourceHandler."""
        inputs = declared.inputs
        request: dict[str, Any] = {"Name": inputs.get("name") or declared.name}
        if inputs.get("description"):
            request["Description"] = inputs["description"]
        if inputs.get("kmsKeyId"):
            request["KmsKeyId"] = inputs["kmsKeyId"]
        if inputs.get("tags"):
            request["Tags"] = [{"Key": key, "Value": value} for key, value in inputs["tags"].items()]
        arn = target.client("secretsmanager").create_secret(**request)["ARN"]
        return Created(arn, {"arn": arn, "name": request["Name"]})

    def read(self, id_: str, target: Target) -> dict[str, Any] | None:
        """See ResourceHandler."""
        secrets = target.client("secretsmanager")
        try:
            found = secrets.describe_secret(SecretId=id_)
        except secrets.exceptions.ResourceNotFoundException:
            return None
        return {"arn": found["ARN"], "name": found["Name"]}

    def delete(self, id_: str, target: Target) -> None:
        """See ResourceHandler."""
        secrets = target.client("secretsmanager")
        try:
            secrets.delete_secret(SecretId=id_, ForceDeleteWithoutRecovery=True)
        except secrets.exceptions.ResourceNotFoundException:
            return


class SecretVersion(CreateOnly):
    """aws:secretsmanager/secretVersion:SecretVersion; its id is `secret ARN|version`."""

    type = "aws:secretsmanager/secretVersion:SecretVersion"

    def create(self, declared: Declared, target: Target) -> Created:
        """See ResourceHandler."""
        inputs = declared.inputs
        request = {"SecretId": inputs["secretId"], "SecretString": inputs["secretString"]}
        if inputs.get("versionStages"):
            request["VersionStages"] = inputs["versionStages"]
        answer = target.client("secretsmanager").put_secret_value(**request)
        outputs = {
            "arn": answer["ARN"],
            "versionId": answer["VersionId"],
            "versionStages": answer.get("VersionStages", ["AWSCURRENT"]),
        }
        return Created(f"{inputs['secretId']}|{answer['VersionId']}", outputs)


HANDLERS = (Secret(), SecretVersion())
