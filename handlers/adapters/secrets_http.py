"""The webhook's signing secrets: fetched when first needed, fetched again when a signature says that they moved on.

Standard library only.
"""

import json
import time
from collections.abc import Callable, Mapping

from handlers.adapters.aws_json import AwsJson
from handlers.core.errors import LaunchError

REFRESH_SECONDS = 60.0


class SecretValueError(LaunchError):
    """The secret exists but does not hold what it must; the message never shows what it holds."""


class SigningSecrets:
    """The current and the previous signing secret, from one secret {"current": "whsec_…", "previous": … | null}."""

    def __init__(self, secret_id: str, environ: Mapping[str, str], clock: Callable[[], float] = time.monotonic) -> None:
        self._secret_id = secret_id
        self._service = AwsJson("secretsmanager", version="1.1", environ=environ)
        self._clock = clock
        self._held: tuple[str, ...] = ()
        self._fetched_at = float("-inf")

    def held(self) -> tuple[str, ...]:
        """The secrets, current first. Raises VendorError or SecretValueError if none could be had so far."""
        if not self._held:
            self._fetch()
        return self._held

    def refresh(self) -> bool:
        """Fetch again, at most once a minute; whether the secrets are now others. Raises like `held`."""
        if self._clock() - self._fetched_at < REFRESH_SECONDS:
            return False
        before = self._held
        self._fetch()
        return self._held != before

    def close(self) -> None:
        """Close the connection; the next fetch makes a new one."""
        self._service.close()

    def _fetch(self) -> None:
        self._fetched_at = self._clock()
        answer = self._service.call("secretsmanager.GetSecretValue", {"SecretId": self._secret_id})
        self._held = _signing_secrets(answer.get("SecretString"))


def _signing_secrets(value: object) -> tuple[str, ...]:
    try:
        data = json.loads(value) if isinstance(value, str) else None
    except ValueError:
        data = None
    match data:
        case {"current": str(current), "previous": None} if current.strip():
            return (current,)
        case {"current": str(current), "previous": str(previous)} if current.strip() and previous.strip():
            return (current, previous)
    raise SecretValueError('the signing secret must be JSON {"current": "whsec_…", "previous": "whsec_…" or null}')
