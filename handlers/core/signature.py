"""Is this body from Stripe? The `v1` scheme of the Stripe-Signature header, checked on the raw bytes.

https://docs.stripe.com/webhooks#verify-manually
"""

import hmac
import re
from collections.abc import Sequence
from enum import StrEnum

from handlers.core.errors import SignatureError

TOLERANCE_SECONDS = 300

_TIMESTAMP = re.compile(r"[0-9]{1,12}")


class Reason(StrEnum):
    """Why a request was refused."""

    MISSING = "no Stripe-Signature header"
    MALFORMED = "the Stripe-Signature header is not of the form t=…,v1=…"
    STALE = f"the signature is more than {TOLERANCE_SECONDS} s old"
    FUTURE = f"the signature is dated more than {TOLERANCE_SECONDS} s ahead"
    MISMATCH = "no v1 signature matches the body under a secret that we hold"


class UnverifiedError(SignatureError):
    """A refused request, with its reason; only MISMATCH can mean that our secrets are out of date."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


def verify(raw: bytes, header: str | None, secrets: Sequence[str], *, now: float) -> int:
    """When Stripe signed `raw` (Unix seconds); UnverifiedError when it did not, or not around `now`.

    Each of `secrets` is tried against each v1 signature: while a secret is rolled there is one for each. Other
    schemes are ignored, or an attacker could choose a weaker one. The future is as suspect as the past: a signature
    dated ahead would be replayable until then.
    """
    timestamp, signatures = _parsed(header)
    if timestamp < now - TOLERANCE_SECONDS:
        raise UnverifiedError(Reason.STALE)
    if timestamp > now + TOLERANCE_SECONDS:
        raise UnverifiedError(Reason.FUTURE)
    signed = b"%d.%b" % (timestamp, raw)
    for secret in secrets:
        if not secret.strip():
            raise ValueError("a signing secret is empty: anybody can sign with it")
        expected = hmac.digest(secret.encode(), signed, "sha256").hex().encode()
        for signature in signatures:
            if hmac.compare_digest(expected, signature):
                return timestamp
    raise UnverifiedError(Reason.MISMATCH)


def _parsed(header: str | None) -> tuple[int, list[bytes]]:
    """The timestamp and the v1 signatures of a header such as "t=1700000000,v1=5257…,v0=6ffb…"."""
    if not header:
        raise UnverifiedError(Reason.MISSING)
    pairs = [item.partition("=") for item in header.split(",")]
    timestamps = [value for name, _, value in pairs if name == "t"]
    # compare_digest takes text of ASCII only, and bytes of any kind
    signatures = [value.encode("utf-8", "replace") for name, _, value in pairs if name == "v1"]
    bare = ("v1", "", "") in pairs  # the official package refuses that too, whatever else the header holds
    if bare or len(timestamps) != 1 or not _TIMESTAMP.fullmatch(timestamps[0]) or not signatures:
        raise UnverifiedError(Reason.MALFORMED)
    return int(timestamps[0]), signatures
