"""Clients of AWS with time-outs that fit into the functions' own, and its errors told apart by what to do next."""

from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnectionError

# Two tries of at most 1.5 s each stay inside apply's 5 s.
_CONFIG = Config(connect_timeout=1, read_timeout=1.5, retries={"mode": "standard", "total_max_attempts": 2})

TRANSIENT = (ClientError, HTTPClientError, NoConnectionError)  # what a later try may cure, or a DLQ will show

_LOST_RACE = frozenset({"ConditionalCheckFailedException", "TransactionConflictException"})


def client(service: str) -> Any:
    """The client of one AWS service, with the credentials, region and endpoint of the environment."""
    return boto3.client(service, config=_CONFIG)


def code(error: ClientError) -> str:
    """AWS's name of the error."""
    return error.response.get("Error", {}).get("Code", "")


def condition_failed(error: ClientError) -> bool:
    """Whether the write was refused by its own condition."""
    return code(error) == "ConditionalCheckFailedException"


def lost_race(error: ClientError) -> bool:
    """Whether somebody else wrote first, or is writing now."""
    return code(error) in _LOST_RACE
