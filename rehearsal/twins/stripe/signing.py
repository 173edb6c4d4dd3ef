"""Webhook signatures: `t=<seconds>,v1=<hex HMAC-SHA256 of "t.body">`, one v1 a valid secret.

Source: https://docs.stripe.com/webhooks#verify-manually.
"""

import hashlib
import hmac
import time
from collections.abc import Sequence

from rehearsal.twins.stripe.store import Object, Store


def signature_header(body: bytes, secrets: Sequence[str], timestamp: int) -> str:
    """The `Stripe-Signature` header of `body`, signed at `timestamp` (seconds since the epoch) with each secret."""
    if not secrets:
        raise ValueError("at least one secret is needed to sign")
    payload = str(timestamp).encode() + b"." + body
    signatures = [hmac.new(secret.encode(), payload, hashlib.sha256).hexdigest() for secret in secrets]
    return ",".join([f"t={timestamp}", *(f"v1={signature}" for signature in signatures)])


def valid_secrets(store: Store, endpoint: Object) -> list[str]:
    """The endpoint's secrets that sign now: the current one, and a rolled one until it expires (real time)."""
    now = time.time()
    return [secret for secret, expires in store.notes(endpoint)["secrets"] if expires is None or expires > now]
