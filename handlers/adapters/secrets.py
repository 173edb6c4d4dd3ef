"""Secrets by ARN for the functions that carry boto3; the webhook function has `secrets_http` instead."""

import time
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

MAX_AGE_SECONDS = 300.0  # a rotated key is picked up within this time

_CONFIG = Config(connect_timeout=2, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2})
_held: dict[str, tuple[float, str]] = {}


def get_secret(arn: str) -> str:
    """The current value of the secret `arn`, at most MAX_AGE_SECONDS old.

    Raises botocore's ClientError or BotoCoreError when Secrets Manager refuses or cannot be reached.
    """
    fetched_at, value = _held.get(arn, (-MAX_AGE_SECONDS, ""))
    now = time.monotonic()
    if now - fetched_at >= MAX_AGE_SECONDS:
        value = _client().get_secret_value(SecretId=arn)["SecretString"]
        _held[arn] = (now, value)
    return value


@cache
def _client() -> Any:
    return boto3.client("secretsmanager", config=_CONFIG)
