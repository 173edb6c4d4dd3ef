"""Makes AWS clients for a vantage and turns their errors into ours."""

import functools
import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from typing import Any

import boto3
import botocore.exceptions
from botocore.config import Config

from checks.errors import NeedsInput, ProbeError
from checks.scope import Scope

NOT_FOUND = frozenset(
    {
        "AWS.SimpleQueueService.NonExistentQueue",
        "NoSuchEntity",
        "NoSuchHealthCheck",
        "NotFound",
        "NotFoundException",
        "QueueDoesNotExist",
        "ResourceNotFoundException",
    }
)
LIMITS = Config(connect_timeout=3, read_timeout=5, retries={"max_attempts": 3, "mode": "standard"})

Client = Callable[..., Any]  # (service, region=the contract's) -> a boto3 client

_session_lock = threading.Lock()  # a session may be shared between threads, making clients from it may not


@contextmanager
def asking(scope: Scope, what: str) -> Generator[Client]:
    """Gives what makes clients as the vantage reaches AWS, and closes them at the end.

    `what` says what is being done. Raises NeedsInput without credentials and ProbeError for every other failure.
    """
    with ExitStack() as opened:

        def client(service: str, region: str | None = None) -> Any:
            made = _client(scope, service, region or scope.contract.region)
            opened.callback(made.close)
            return made

        try:
            yield client
        except (botocore.exceptions.NoCredentialsError, botocore.exceptions.PartialCredentialsError) as error:
            raise NeedsInput("give AWS credentials that may read this stack (SecurityAudit)") from error
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
            raise ProbeError(f"{what}: {error}") from error


def missing(error: botocore.exceptions.ClientError) -> bool:
    """Whether AWS says that the thing does not exist."""
    return error.response.get("Error", {}).get("Code", "") in NOT_FOUND


def listed(value: Any) -> list[Any]:
    """What AWS documents write as one value or as a list of them, as a list."""
    return list(value) if isinstance(value, list | tuple) else [value]


def _client(scope: Scope, service: str, region: str) -> Any:
    access = scope.vantage.aws
    options = {}
    if access:
        options = {
            "endpoint_url": access.endpoint,
            "aws_access_key_id": access.access_key_id,
            "aws_secret_access_key": access.secret_access_key,
        }
    with _session_lock:
        return _session().client(service, region_name=region, config=LIMITS, **options)


@functools.cache
def _session() -> boto3.session.Session:
    return boto3.session.Session()
