"""DynamoDB tables."""

from collections.abc import Mapping
from typing import Any

from rehearsal.resources.handler import Created, CreateOnly, Declared
from rehearsal.target import Target


class Table(CreateOnly):
    """aws:dynamodb/table:Table; its id is the table's name."""

    type = "aws:dynamodb/table:Table"

    def create(self, declared: Declared, target: Target) -> Created:
        """See ResourceHandler."""
        inputs = declared.inputs
        name = inputs.get("name") or declared.name
        dynamodb = target.client("dynamodb")
        dynamodb.create_table(**_table(name, inputs))
        _turn_on(dynamodb, name, inputs)
        return Created(name, self._outputs(name, target))

    def read(self, id_: str, target: Target) -> dict[str, Any] | None:
        """See ResourceHandler."""
        dynamodb = target.client("dynamodb")
        try:
            return self._outputs(id_, target)
        except dynamodb.exceptions.ResourceNotFoundException:
            return None

    def delete(self, id_: str, target: Target) -> None:
        """See ResourceHandler; like the provider, it refuses a table with deletion protection."""
        dynamodb = target.client("dynamodb")
        try:
            dynamodb.delete_table(TableName=id_)
        except dynamodb.exceptions.ResourceNotFoundException:
            return

    def _outputs(self, name: str, target: Target) -> dict[str, Any]:
        found = target.client("dynamodb").describe_table(TableName=name)["Table"]
        return {
            "arn": found["TableArn"],
            "name": name,
            "streamArn": found.get("LatestStreamArn", ""),
            "streamLabel": found.get("LatestStreamLabel", ""),
        }


def _table(name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    request: dict[str, Any] = {
        "TableName": name,
        "AttributeDefinitions": [
            {"AttributeName": a["name"], "AttributeType": a["type"]} for a in inputs.get("attributes", [])
        ],
        "KeySchema": _keys(inputs["hashKey"], inputs.get("rangeKey")),
        "BillingMode": inputs.get("billingMode", "PROVISIONED"),
        "DeletionProtectionEnabled": bool(inputs.get("deletionProtectionEnabled")),
    }
    if request["BillingMode"] == "PROVISIONED":
        request["ProvisionedThroughput"] = _throughput(inputs)
    indexes = [_index(index, request["BillingMode"]) for index in inputs.get("globalSecondaryIndexes") or []]
    if indexes:
        request["GlobalSecondaryIndexes"] = indexes
    if inputs.get("streamEnabled"):
        request["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": inputs["streamViewType"]}
    if (inputs.get("serverSideEncryption") or {}).get("enabled"):
        request["SSESpecification"] = _encryption(inputs["serverSideEncryption"])
    if inputs.get("tags"):
        request["Tags"] = [{"Key": key, "Value": value} for key, value in inputs["tags"].items()]
    return request


def _keys(hash_key: str, range_key: str | None) -> list[dict[str, str]]:
    keys = [{"AttributeName": hash_key, "KeyType": "HASH"}]
    return [*keys, {"AttributeName": range_key, "KeyType": "RANGE"}] if range_key else keys


def _throughput(inputs: Mapping[str, Any]) -> dict[str, int]:
    return {"ReadCapacityUnits": inputs["readCapacity"], "WriteCapacityUnits": inputs["writeCapacity"]}


def _index(index: Mapping[str, Any], billing: str) -> dict[str, Any]:
    projection: dict[str, Any] = {"ProjectionType": index["projectionType"]}
    if index.get("nonKeyAttributes"):
        projection["NonKeyAttributes"] = index["nonKeyAttributes"]
    schemas = index.get("keySchemas")
    keys = (
        [{"AttributeName": k["attributeName"], "KeyType": k["keyType"]} for k in schemas]
        if schemas
        else _keys(index["hashKey"], index.get("rangeKey"))
    )
    request = {"IndexName": index["name"], "KeySchema": keys, "Projection": projection}
    return request | ({"ProvisionedThroughput": _throughput(index)} if billing == "PROVISIONED" else {})


def _encryption(inputs: Mapping[str, Any]) -> dict[str, Any]:
    key = inputs.get("kmsKeyArn")
    return {"Enabled": True, "SSEType": "KMS"} | ({"KMSMasterKeyId": key} if key else {})


def _turn_on(dynamodb: Any, name: str, inputs: Mapping[str, Any]) -> None:
    """What CreateTable does not take."""
    ttl = inputs.get("ttl") or {}
    if ttl.get("enabled"):
        dynamodb.update_time_to_live(
            TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": ttl["attributeName"]}
        )
    if (inputs.get("pointInTimeRecovery") or {}).get("enabled"):
        dynamodb.update_continuous_backups(
            TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )


HANDLERS = (Table(),)
