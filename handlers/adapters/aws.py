"""The AWS services that the functions call: time-outs that fit into the functions' own, and few further tries.

On `aws_json` instead of boto3, which would be two thirds of a function's start.
"""

import os
import random
import time
from collections.abc import Callable, Mapping
from typing import Any

from handlers.adapters.aws_json import AwsJson, RefusedError
from handlers.core.errors import LaunchError, VendorError

# Two tries stay inside apply's 5 s even where nothing answers: one wait on the connection from an earlier call, then
# twice one to connect and one for the answer.
ATTEMPTS = 2
TIMEOUT_SECONDS = 1.0
BACK_OFF_SECONDS = 0.05  # before the second try, on average; twice as long before each further one

Answer = dict[str, Any]


class AwsError(LaunchError):
    """AWS refused a call for good, or every try of it.

    `code` is AWS's name of the refusal, "" where there was no answer; `reasons` are the codes of a cancelled
    transaction, one for each action.
    """

    def __init__(self, message: str, *, code: str = "", reasons: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.reasons = reasons

    @property
    def condition_failed(self) -> bool:
        """Whether the write was refused by its own condition."""
        return self.code == "ConditionalCheckFailedException"

    @property
    def lost_race(self) -> bool:
        """Whether somebody else wrote first, or is writing now."""
        return self.condition_failed or self.code == "TransactionConflictException"


class _Service:
    """One service, with the credentials, region and endpoint of `environ`; a call is made up to `attempts` times."""

    def __init__(
        self,
        name: str,
        prefix: str,
        version: str,
        environ: Mapping[str, str],
        attempts: int,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._json = AwsJson(name, version=version, environ=environ, timeout=TIMEOUT_SECONDS)
        self._prefix = prefix
        self._attempts = attempts
        self._pause = pause

    def close(self) -> None:
        """Close the connection; the next call makes a new one."""
        self._json.close()

    def _call(self, operation: str, request: Mapping[str, Any]) -> Answer:
        """The answer to `request`, tried again where a later try may help. Raises AwsError."""
        for attempt in range(1, self._attempts):
            try:
                return self._json.call(f"{self._prefix}.{operation}", request)
            except VendorError as error:
                if error.permanent:
                    raise _error(error) from None
            self._pause(random.uniform(0, BACK_OFF_SECONDS * 2**attempt))  # noqa: S311 - jitter
        try:
            return self._json.call(f"{self._prefix}.{operation}", request)
        except VendorError as error:
            raise _error(error) from None


class DynamoDb(_Service):
    """The operations on tables that we use, with requests and answers as DynamoDB's API has them.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Operations_Amazon_DynamoDB.html
    """

    def __init__(self, environ: Mapping[str, str], *, attempts: int = ATTEMPTS) -> None:
        super().__init__("dynamodb", "DynamoDB_20120810", "1.0", environ, attempts)

    def get_item(self, **request: Any) -> Answer:
        """Read one item."""
        return self._call("GetItem", request)

    def batch_get_item(self, **request: Any) -> Answer:
        """Read up to 100 items."""
        return self._call("BatchGetItem", request)

    def query(self, **request: Any) -> Answer:
        """Read one page of items of one partition."""
        return self._call("Query", request)

    def scan(self, **request: Any) -> Answer:
        """Read one page of all items."""
        return self._call("Scan", request)

    def put_item(self, **request: Any) -> Answer:
        """Write one item."""
        return self._call("PutItem", request)

    def update_item(self, **request: Any) -> Answer:
        """Change one item."""
        return self._call("UpdateItem", request)

    def delete_item(self, **request: Any) -> Answer:
        """Delete one item."""
        return self._call("DeleteItem", request)

    def transact_write_items(self, **request: Any) -> Answer:
        """Write up to 100 items, all or none; the token keeps a further try from writing twice."""
        return self._call("TransactWriteItems", {"ClientRequestToken": os.urandom(16).hex(), **request})


class Sqs(_Service):
    """The operation on queues that apply and sweep use."""

    def __init__(self, environ: Mapping[str, str], *, attempts: int = ATTEMPTS) -> None:
        super().__init__("sqs", "AmazonSQS", "1.0", environ, attempts)

    def send_message_batch(self, **request: Any) -> Answer:
        """Send up to ten messages; the answer names those that failed."""
        return self._call("SendMessageBatch", request)


class SecretsManager(_Service):
    """The operation on secrets that we use."""

    def __init__(self, environ: Mapping[str, str], *, attempts: int = ATTEMPTS) -> None:
        super().__init__("secretsmanager", "secretsmanager", "1.1", environ, attempts)

    def get_secret_value(self, **request: Any) -> Answer:
        """Read one secret."""
        return self._call("GetSecretValue", request)


def _error(error: VendorError) -> AwsError:
    if isinstance(error, RefusedError):
        return AwsError(str(error), code=error.code, reasons=error.reasons)
    return AwsError(str(error))
