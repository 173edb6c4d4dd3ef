"""One AWS service over its JSON protocol: what the functions have instead of boto3.

Importing boto3 and making a client takes several times as long as the rest of a function's start.
Standard library only.
"""

import json
import ssl
import time
from collections.abc import Mapping
from functools import cache
from typing import Any

from handlers.adapters.connection import AnswerError, Connection
from handlers.adapters.logs import redact
from handlers.adapters.sigv4 import Credentials, sign_post
from handlers.core.errors import VendorError

TIMEOUT_SECONDS = 3.0  # to connect and for each wait; with one reconnect still inside the function's 10 s

# "Slow down" and "not yet" in the words of several services, mostly with status 400.
_PASSING = (
    "Thrott",
    "ThroughputExceeded",
    "TooManyRequests",
    "RequestLimitExceeded",
    "SlowDown",
    "TransactionInProgress",
)


class RefusedError(VendorError):
    """An answer other than success. `code` is AWS's name of it, "" where it names none.

    `reasons` are the codes of a cancelled transaction, one for each action ("None" for an innocent one).
    """

    def __init__(
        self, message: str, *, permanent: bool, unknown: bool, code: str, reasons: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message, permanent=permanent, unknown=unknown)
        self.code = code
        self.reasons = reasons


class AwsJson:
    """Calls one service with the credentials, region and endpoint of a Lambda environment.

    The connection is kept between calls. One that was closed while idle costs one reconnect and repeats the request,
    so every call must be safe to repeat.
    """

    def __init__(self, service: str, *, version: str, environ: Mapping[str, str], timeout: float | None = None) -> None:
        """`version` is that of the JSON protocol, "1.0" or "1.1". KeyError names a variable that is missing.

        `timeout` is in seconds, to connect and for each wait; TIMEOUT_SECONDS where there is none.
        """
        self._service = service
        self._version = version
        self._region = environ["AWS_REGION"]
        self._credentials = Credentials(
            environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"], environ.get("AWS_SESSION_TOKEN")
        )
        endpoint = environ.get("AWS_ENDPOINT_URL") or f"https://{service}.{self._region}.amazonaws.com"
        scheme, _, place = endpoint.partition("://")
        self._host = place.partition("/")[0]  # with the port where the endpoint names one
        self._connection = _connection(scheme, self._host, environ.get("AWS_CA_BUNDLE"), timeout or TIMEOUT_SECONDS)

    def call(self, target: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """The service's answer to `payload` for the operation `target` ("AmazonSQS.SendMessage").

        Raises VendorError: permanent when the service refuses the request, `unknown` when there was no answer.
        """
        body = json.dumps(payload, ensure_ascii=False).encode()
        headers = sign_post(
            self._host,
            {"Content-Type": f"application/x-amz-json-{self._version}", "X-Amz-Target": target},
            body,
            credentials=self._credentials,
            region=self._region,
            service=self._service,
            now=time.time(),
        )
        status, answer = self._post(body, headers, target)
        data = _object(answer)
        if status == 200 and data is not None:
            return data
        raise _refusal(status, data or {}, target)

    def close(self) -> None:
        """Close the connection; the next call makes a new one."""
        self._connection.close()

    def _post(self, body: bytes, headers: Mapping[str, str], target: str) -> tuple[int, bytes]:
        """Status and body of the answer; a connection from an earlier call gets a second chance."""
        reused = self._connection.sock is not None
        try:
            return self._connection.post(headers, body)
        except (OSError, AnswerError) as error:
            self.close()
            if reused:
                return self._post(body, headers, target)
            raise VendorError(
                f"{target}: {self._host} gave no answer ({type(error).__name__})",
                permanent=False,
                unknown=not isinstance(error, ConnectionRefusedError),
            ) from None


def _connection(scheme: str, host: str, ca_file: str | None, timeout: float) -> Connection:
    """To `host`, which may end with a port, and may be an IPv6 address in brackets."""
    name, _, port = host.rpartition(":") if host.rfind(":") > host.rfind("]") else (host, "", "")
    if scheme == "http":
        return Connection(name.strip("[]"), int(port or 80), timeout=timeout)
    return Connection(name.strip("[]"), int(port or 443), trust=lambda: _trust(ca_file), timeout=timeout)


@cache
def _trust(ca_file: str | None) -> ssl.SSLContext:
    """What to trust: one file, made into a context once, because that takes longer than a request."""
    return ssl.create_default_context(cafile=ca_file or ssl.get_default_verify_paths().cafile)


def _object(answer: bytes) -> dict[str, Any] | None:
    try:
        data = json.loads(answer)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _refusal(status: int, data: Mapping[str, Any], target: str) -> RefusedError:
    """The error in an answer such as {"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "…"}."""
    code = str(data.get("__type", "")).rpartition("#")[2][:80]
    reason = str(data.get("message") or data.get("Message") or "")[:300]
    permanent = 400 <= status < 500 and status != 429 and not any(word in code for word in _PASSING)
    message = redact(f"{target}: HTTP {status} {code} {reason}".strip())
    reasons = tuple(str(reason.get("Code", "None")) for reason in data.get("CancellationReasons") or ())
    return RefusedError(
        message, permanent=permanent, unknown=status in {200, 500, 502, 504}, code=code, reasons=reasons
    )
