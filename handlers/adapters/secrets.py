"""Vendors' keys by the ARN of their secret; the webhook's signing secrets are `secrets_http`'s."""

import os
import time
from functools import cache

from handlers.adapters.aws import SecretsManager

MAX_AGE_SECONDS = 300.0  # a rotated key is picked up within this time

_held: dict[str, tuple[float, str]] = {}


def get_secret(arn: str) -> str:
    """The current value of the secret `arn`, at most MAX_AGE_SECONDS old.

    Raises AwsError when Secrets Manager refuses or cannot be reached.
    """
    fetched_at, value = _held.get(arn, (-MAX_AGE_SECONDS, ""))
    now = time.monotonic()
    if now - fetched_at >= MAX_AGE_SECONDS:
        value = _client().get_secret_value(SecretId=arn)["SecretString"]
        _held[arn] = (now, value)
    return value


@cache
def _client() -> SecretsManager:
    return SecretsManager(os.environ)
