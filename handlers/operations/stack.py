"""A deployed stack as an engineer's commands reach it: its functions' settings, and the engineer's credentials.

What a command does goes through the code of the functions, so that it means the same.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import botocore.exceptions

from handlers.adapters.aws import DynamoDb
from handlers.adapters.store import Store
from handlers.adapters.stripe_read import StripeReader
from handlers.core.errors import LaunchError
from handlers.entrypoints.environment import RecordSettings, livemode
from handlers.entrypoints.recording import Recorder

APPLY = "apply"  # the function whose settings hold everything that commands need


class StackError(LaunchError):
    """The stack cannot be worked on; the message says what is missing or wrong, and what to do."""


@dataclass(frozen=True)
class LiveStack:
    """One deployed stack. `session` has the engineer's credentials; `contract` is what the stack exports."""

    contract: Mapping[str, Any]
    session: boto3.Session

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
        """A boto3 client of one of AWS's services."""
        return self.session.client(service)

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

    @cached_property
    def environment(self) -> Mapping[str, str]:
        """What the deployed apply function is told, with the engineer's credentials. Raises StackError."""
        name = self.function(APPLY)
        try:
            told = self.client("lambda").get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
            raise StackError(f"function {name} cannot be read: {error}") from None
        return {**told, **self._credentials()}

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
        try:
            return self.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
            raise StackError(f"secret {arn} cannot be read: {error}") from None

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
