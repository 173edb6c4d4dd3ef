"""Makes AWS clients for a vantage and turns their errors into ours."""

from collections.abc import Generator
from contextlib import contextmanager
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
        "NotFoundException",
        "QueueDoesNotExist",
        "ResourceNotFoundException",
    }
)


def client(scope: Scope, service: str, region: str | None = None) -> Any:
    """A client for one service as the vantage reaches AWS; each call takes a few seconds at most."""
    access = scope.vantage.aws
    options: dict[str, Any] = {"region_name": region or scope.contract.region}
    if access:
        options |= {
            "endpoint_url": access.endpoint,
            "aws_access_key_id": access.access_key_id,
            "aws_secret_access_key": access.secret_access_key,
        }
    limits = Config(connect_timeout=3, read_timeout=5, retries={"max_attempts": 3, "mode": "standard"})
    return boto3.session.Session().client(service, config=limits, **options)


@contextmanager
def asking(what: str) -> Generator[None]:
    """Turn boto3's errors into ours: no credentials are an input that is missing, the rest is no answer."""
    try:
        yield
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
