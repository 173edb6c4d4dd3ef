"""A deployed stack as an engineer's commands reach it: its functions' settings, and the engineer's credentials.

What a command does goes through the code of the functions, so that it means the same.
"""

import json
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import botocore.exceptions

from handlers.adapters.aws import DynamoDb
from handlers.adapters.store import Store
from handlers.adapters.stripe_read import StripeReader
from handlers.entrypoints.environment import RecordSettings, livemode
from handlers.entrypoints.recording import Recorder
from handlers.operations.errors import StackError

APPLY = "apply"  # the function whose settings hold everything that commands need


@dataclass(frozen=True)
class LiveStack:
    """One deployed stack. `session` has the engineer's credentials; `contract` is what the stack exports."""

    contract: Mapping[str, Any]
    session: boto3.Session
    _clients: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, contract: Path) -> "LiveStack":
        """The stack of a contract file (`pulumi stack output contract --json`), with the environment's credentials.

        Raises StackError.
        """
        try:
            document = json.loads(contract.read_text(encoding="utf-8"))
            region = document["region"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            reason = f"{contract} is no contract ({type(error).__name__})"
            raise StackError(f"{reason}: write it with pulumi stack output contract --json") from None
        session = boto3.Session(region_name=region)
        if session.get_credentials() is None:
            raise StackError("no AWS credentials are set: set AWS_PROFILE, or what else the AWS SDKs read")
        return cls(contract=document, session=session)

    def client(self, service: str) -> Any:
        """The boto3 client of one of AWS's services."""
        if service not in self._clients:
            self._clients[service] = self.session.client(service)
        return self._clients[service]

    def close(self) -> None:
        """Close what was opened to AWS."""
        for client in self._clients.values():
            client.close()
        if "dynamodb" in vars(self):
            self.dynamodb.close()

    def function(self, purpose: str, destination: str | None = None) -> str:
        """The name of the function for `purpose`, e.g. "apply". Raises StackError."""
        for function in self.contract["functions"]:
            if function["purpose"] == purpose and function["destination"] == destination:
                return function["name"]
        raise StackError(f"the contract names no function for {purpose}: deploy this version of the program first")

    def queue(self, purpose: str) -> Mapping[str, Any]:
        """The contract's entry of a queue, e.g. "events". Raises StackError."""
        for queue in self.contract["queues"]:
            if queue["purpose"] == purpose:
                return queue
        raise StackError(f"the contract names no queue for {purpose}: deploy this version of the program first")

    def dead_letters(self) -> str:
        """The address of the events queue's dead-letter queue. Raises StackError."""
        wanted = self.queue("events")["dlq"]
        for queue in self.contract["queues"]:
            if queue["arn"] == wanted:
                return queue["url"]
        raise StackError("the contract names no dead-letter queue of the events queue: deploy this version first")

    def item(self, key: Mapping[str, Any]) -> dict[str, Any] | None:
        """One item of the table in DynamoDB's JSON, read consistently. Raises StackError."""
        table = self.settings.table.table
        with self.explained(f"table {table} cannot be read"):
            answer = self.client("dynamodb").get_item(TableName=table, Key=dict(key), ConsistentRead=True)
        return answer.get("Item")

    def scan(
        self,
        condition: str,
        names: Mapping[str, str],
        values: Mapping[str, Any],
        progress: Callable[[str], None] = lambda _: None,
    ) -> Iterator[dict[str, Any]]:
        """Every item of the table for which `condition` holds, in DynamoDB's JSON. Raises StackError."""
        table, looked = self.settings.table.table, 0
        pages = self.client("dynamodb").get_paginator("scan")
        with self.explained(f"table {table} cannot be read"):
            for page in pages.paginate(
                TableName=table,
                ConsistentRead=True,
                FilterExpression=condition,
                ExpressionAttributeNames=dict(names),
                **({"ExpressionAttributeValues": dict(values)} if values else {}),
            ):
                looked += page["ScannedCount"]
                progress(f"looked through {looked} items")
                yield from page["Items"]

    @contextmanager
    def explained(self, what: str) -> Generator[None]:
        """Turn what AWS refuses within the block into a StackError that begins with `what`."""
        try:
            yield
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
            raise StackError(f"{what}: {error}") from None

    @cached_property
    def environment(self) -> Mapping[str, str]:
        """What the deployed apply function is told, with the engineer's credentials. Raises StackError."""
        return {**self.function_environment(APPLY), **self._credentials()}

    def function_environment(self, purpose: str, destination: str | None = None) -> dict[str, str]:
        """What the deployed function for `purpose` is told. Raises StackError."""
        name = self.function(purpose, destination)
        with self.explained(f"function {name} cannot be read"):
            return self.client("lambda").get_function_configuration(FunctionName=name)["Environment"]["Variables"]

    @cached_property
    def settings(self) -> RecordSettings:
        """The deployed settings of whatever records facts. Raises SettingsError or PolicyError."""
        return RecordSettings.load(self.environment)

    @property
    def live(self) -> bool:
        """Which Stripe mode the stack accepts."""
        return livemode(self.environment)

    @cached_property
    def dynamodb(self) -> DynamoDb:
        """The tables, with more patience than a function has."""
        return DynamoDb(self.environment, attempts=8)

    @property
    def store(self) -> Store:
        """The stack's table."""
        return Store(self.dynamodb, self.settings.table.table)

    def recorder(self, *, silent: bool) -> Recorder:
        """Who writes facts as apply does; a silent one tells operations nothing."""
        settings = self.settings
        return Recorder(
            store=self.store, policy=settings.table.policy, destinations=settings.destinations, silent=silent
        )

    @property
    def stripe(self) -> StripeReader:
        """Stripe, as the stack's read key may see it."""
        return StripeReader(lambda: self.secret(self.settings.stripe_secret), self.settings.stripe_api_base)

    def secret(self, arn: str) -> str:
        """The present value of one secret. Raises StackError."""
        with self.explained(f"secret {arn} cannot be read"):
            return self.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]

    def _credentials(self) -> dict[str, str]:
        """For the functions' own client of AWS, which reads what Lambda sets."""
        credentials = self.session.get_credentials()
        if credentials is None:
            raise StackError("no AWS credentials are set: set AWS_PROFILE, or what else the AWS SDKs read")
        frozen = credentials.get_frozen_credentials()
        told = {
            "AWS_REGION": self.contract["region"],
            "AWS_ACCESS_KEY_ID": str(frozen.access_key),
            "AWS_SECRET_ACCESS_KEY": str(frozen.secret_key),
        }
        if frozen.token:
            told["AWS_SESSION_TOKEN"] = frozen.token
        endpoint = self.client("dynamodb").meta.endpoint_url
        return told if endpoint.endswith("amazonaws.com") else {**told, "AWS_ENDPOINT_URL": endpoint}
