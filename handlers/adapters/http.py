"""One HTTP request to a vendor, on the urllib3 that the Lambda runtime brings (1.26 or 2) with botocore."""

import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

import urllib3

from handlers.adapters.deadline import bounded
from handlers.core.errors import VendorError

MAX_BODY_BYTES = 8 * 1024 * 1024  # above the 6 MB of a webhook's request: an event too long for SQS is read again
IDLE_SECONDS = 4.0  # a connection idle for longer is not used again: the peer or a frozen function may have lost it

_MAYBE_DONE = frozenset({500, 502, 504})  # the vendor, or what stands before it, failed after taking the request


@dataclass(frozen=True)
class Response:
    """A vendor's complete answer; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON data; ValueError when it is something else, such as a proxy's HTML page."""
        try:
            return json.loads(self.body)
        except RecursionError:
            raise ValueError("nested too deeply") from None


class Request(Protocol):
    """How a request is made: `request`, or what counts the requests before it makes them."""

    def __call__(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None, timeout: float = 10.0
    ) -> Response:
        """See `request`."""
        ...


def request(
    method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None, timeout: float = 10.0
) -> Response:
    """One request, one answer of any status: redirects are not followed, nothing is tried again, TLS is verified.

    `timeout` is in seconds and bounds connecting, and then the whole answer. Raises VendorError when there is none:
    `unknown` tells whether the vendor may have acted on the request. The error names the host, never path or headers.
    """
    host = urllib3.util.parse_url(url).host
    sent = {"Accept-Encoding": "identity", **headers}  # no compression: the limit below then bounds memory as well
    limits = urllib3.Timeout(connect=timeout, read=timeout)
    try:
        answer = _connections().request(
            method,
            url,
            body=body,
            headers=sent,
            timeout=limits,
            retries=False,
            redirect=False,
            preload_content=False,
            enforce_content_length=True,  # urllib3 1.26 does so only when told
        )
        content = _content(answer)
    except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError) as error:
        raise VendorError(f"{host} cannot be reached ({type(error).__name__})", permanent=False) from None
    except urllib3.exceptions.HTTPError as error:
        if error.args and isinstance(error.args[0], ssl.SSLCertVerificationError):
            raise VendorError(f"{host}: its certificate is not trusted", permanent=False) from None
        raise VendorError(f"{host} gave no answer ({type(error).__name__})", permanent=False, unknown=True) from None
    if len(content) > MAX_BODY_BYTES:
        answer.close()
        raise VendorError(f"{host} answered more than {MAX_BODY_BYTES} bytes", permanent=False, unknown=True)
    answer.release_conn()
    return Response(answer.status, {name.lower(): value for name, value in answer.headers.items()}, content)


def _content(answer: "urllib3.BaseHTTPResponse") -> bytes:
    """The whole body, or just more than MAX_BODY_BYTES of it. Only a read that gives nothing finds a cut-off body.

    The type is in quotes because urllib3 1.26 has no such name.
    """
    content = b""
    while len(content) <= MAX_BODY_BYTES and (part := answer.read(65536, decode_content=False)):
        content += part
    return content


def failure(response: Response, action: str, *, detail: str = "", now: float | None = None) -> VendorError:
    """The error that an answer other than success means. `action` says what was tried, such as "kit: add tag".

    4xx but 408 and 429 are permanent, and so are redirects: an API that moved needs a person, and following would
    carry the key to another host. `detail` must hold no secret and no e-mail; `now` is Unix seconds.
    """
    status = response.status
    permanent = 300 <= status < 500 and status not in {408, 429}
    what = f"redirect refused (HTTP {status})" if 300 <= status < 400 else f"HTTP {status}"
    return VendorError(
        f"{action}: {what}" + (f": {detail}" if detail else ""),
        permanent=permanent,
        retry_after=None if permanent else retry_after(response.headers, now=now),
        unknown=status in _MAYBE_DONE or status < 200,
    )


def malformed(response: Response, action: str) -> VendorError:
    """The error for an answer with the status of success that is not what the vendor documents (a proxy's page)."""
    kind = response.headers.get("content-type", "no content type").partition(";")[0][:60]
    message = f"{action}: HTTP {response.status} with an unexpected body ({kind}, {len(response.body)} bytes)"
    return VendorError(message, permanent=False, unknown=True)


def retry_after(headers: Mapping[str, str], *, now: float | None = None) -> float | None:
    """Seconds to wait according to `Retry-After` (RFC 9110, 10.2.3: seconds or a date); None when there is none."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdecimal() and len(value) < 10:
        return float(value)
    try:
        moment = parsedate_to_datetime(value).timestamp()
    except (ValueError, OverflowError):
        return None
    return max(0.0, moment - (time.time() if now is None else now))


def close() -> None:
    """Close all connections; the next request makes new ones."""
    if _Pool.manager is not None:
        _Pool.manager.clear()
        _Pool.manager = None


class _Pool:
    """The connections in use, and when they were last used."""

    manager: urllib3.PoolManager | None = None
    used_at = 0.0


def _connections() -> urllib3.PoolManager:
    """The pool, made anew when it has been idle."""
    now = time.monotonic()
    if now - _Pool.used_at > IDLE_SECONDS:
        close()
    if _Pool.manager is None:
        _Pool.manager = bounded(urllib3.PoolManager(num_pools=4, cert_reqs="CERT_REQUIRED"))
    _Pool.used_at = now
    return _Pool.manager
