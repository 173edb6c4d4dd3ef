"""Carries one webhook request, and the record of how that went."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import httpx

# (url, body, headers) -> HTTP status; OSError or httpx.HTTPError where there is no answer.
Transport: TypeAlias = Callable[[str, bytes, Mapping[str, str]], int]

HEADERS = {
    "content-type": "application/json; charset=utf-8",
    "user-agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
    "accept": "*/*; q=0.5, application/xml",
    "cache-control": "no-cache",
}


@dataclass(frozen=True)
class Attempt:
    """One try to deliver an event.

    Times are real, in seconds since the epoch; `accepted_at` and `accepted_monotonic` (time.monotonic) are set if the
    endpoint answered 2xx. `status` is None where there was no answer, and `error` says why.
    """

    event_id: str
    endpoint_id: str
    number: int
    started_at: float
    status: int | None
    error: str | None = None
    accepted_at: float | None = None
    accepted_monotonic: float | None = None

    @property
    def accepted(self) -> bool:
        """Whether the endpoint acknowledged the event."""
        return self.accepted_at is not None


def http_transport(client: httpx.Client, timeout: float) -> Transport:
    """Deliver through an HTTP client, which decides about names, ports and trust. Redirects are not followed."""

    def send(url: str, body: bytes, headers: Mapping[str, str]) -> int:
        answer = client.post(url, content=body, headers=dict(headers), timeout=timeout, follow_redirects=False)
        return answer.status_code

    return send


def outcome(transport: Transport, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int | None, str | None]:
    """The status of one request, or None and why there was no answer."""
    try:
        return transport(url, body, {**HEADERS, **headers}), None
    except (OSError, httpx.HTTPError, httpx.InvalidURL) as error:
        return None, f"{type(error).__name__}: {error}"
