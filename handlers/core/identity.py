"""Who pays, in words that only a holder of the identity key can write: signed references, and claim tokens.

A **reference** goes into Stripe's `client_reference_id`, which on a payment link is a URL parameter that the payer can
type: `lr1_`, the MAC in base64url, the user id in base64url. A **claim token** is a link's way of saying that whoever
holds it may take what one payer bought: `lc1_`, the MAC, the expiry in Unix seconds, `-`, the Stripe id. The MAC
(HMAC-SHA256, RFC 2104) is of fixed length, so that no separator is needed after it, and covers the kind of text that
it is in, so that one kind is never taken for the other. base64url is RFC 4648, section 5, without padding.
"""

import base64
import hmac
import json
import re
from collections.abc import Sequence
from typing import Literal

from handlers.core.errors import LaunchError

# Letters, digits, dashes and underscores; Stripe drops a value that is longer or has others, and says nothing.
# https://docs.stripe.com/payment-links/url-parameters
MAX_REFERENCE = 200
MAC_CHARACTERS = 43  # 32 bytes in base64url

REFERENCE_PREFIX = "lr1_"
REFERENCE_DOMAIN = b"launch-ready reference v1"
MAX_REFERENCE_USER_BYTES = (MAX_REFERENCE - len(REFERENCE_PREFIX) - MAC_CHARACTERS) * 3 // 4  # of UTF-8

CLAIM_PREFIX = "lc1_"
CLAIM_DOMAIN = b"launch-ready claim v1"

MIN_KEY = 32  # characters

_BASE64URL = "[A-Za-z0-9_-]"
_REFERENCE = re.compile(f"{REFERENCE_PREFIX}{_BASE64URL}{{{MAC_CHARACTERS}}}({_BASE64URL}+)")
_CLAIM = re.compile(f"{CLAIM_PREFIX}{_BASE64URL}{{{MAC_CHARACTERS}}}([1-9][0-9]{{0,11}})-([A-Za-z0-9_]{{1,255}})")
_STRIPE_ID = re.compile(r"[A-Za-z0-9_]{1,255}")
_MAX_EXPIRY = 999_999_999_999

Refusal = Literal["expired", "not ours"]


class ClaimError(LaunchError):
    """A claim token that claims nothing: `reason` is "expired", or "not ours" for whatever we did not write."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(f"the claim token is {reason}")
        self.reason = reason


class IdentityKeyError(LaunchError):
    """The identity secret does not hold what it must; the message never shows what it holds."""


def parse_keys(text: str) -> tuple[str, ...]:
    """The keys in the identity secret, JSON {"current": "…", "previous": "…" or null}, current first.

    Sign with the first, verify with each. Raises IdentityKeyError.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict) or not {"current"} <= data.keys() <= {"current", "previous"}:
        raise IdentityKeyError('the identity secret must be JSON {"current": "…", "previous": "…" or null}')
    named = [("current", data["current"]), ("previous", data.get("previous"))]
    return tuple(_key(name, value) for name, value in named if name == "current" or value is not None)


def sign_reference(user_id: str, key: str) -> str:
    """The `client_reference_id` that names `user_id`, for as long as `key` is held.

    ValueError for an id that is empty, not printable, or over MAX_REFERENCE_USER_BYTES of UTF-8.
    """
    if not user_id or not user_id.isprintable():
        raise ValueError("a user id must be a printable text that is not empty")
    size = len(user_id.encode())
    if size > MAX_REFERENCE_USER_BYTES:
        raise ValueError(f"a user id has at most {MAX_REFERENCE_USER_BYTES} bytes of UTF-8 here, got {size}")
    return _reference(user_id.encode(), key)


def user_of_reference(reference: str, keys: Sequence[str]) -> str | None:
    """The user id that `reference` names; None when none of `keys` signed it just so."""
    if len(reference) > MAX_REFERENCE or (found := _REFERENCE.fullmatch(reference)) is None:
        return None
    try:
        raw = base64.urlsafe_b64decode(found[1] + "=" * (-len(found[1]) % 4))
        user_id = raw.decode()
    except ValueError:  # a length that base64 never has, or bytes that are no UTF-8
        return None
    # Writing it again and comparing the whole refuses any other spelling of the same bytes.
    signed = any(hmac.compare_digest(_reference(raw, key), reference) for key in keys)
    return user_id if signed and user_id.isprintable() else None


def claim_token(customer: str, key: str, expires_at: int) -> str:
    """What lets its holder claim the purchases of `customer` until `expires_at` (Unix seconds).

    `customer` is a Stripe customer, or the payment of a payer without one; ValueError when it cannot be a Stripe id.
    """
    if not _STRIPE_ID.fullmatch(customer):
        raise ValueError("a Stripe id has 1 to 255 letters, digits and underscores")
    if not 1 <= expires_at <= _MAX_EXPIRY:
        raise ValueError(f"an expiry is 1 to {_MAX_EXPIRY} Unix seconds, got {expires_at}")
    return _claim(customer, key, str(expires_at))


def claimed_customer(token: str, keys: Sequence[str], now: int) -> str:
    """The Stripe id that `token` names, under any of `keys`; ClaimError when it is not ours or no longer good."""
    found = _CLAIM.fullmatch(token)
    if found is None:
        raise ClaimError("not ours")
    expires_at, customer = found.groups()
    if not any(hmac.compare_digest(_claim(customer, key, expires_at), token) for key in keys):
        raise ClaimError("not ours")
    if now >= int(expires_at):
        raise ClaimError("expired")
    return customer


def _reference(user_id: bytes, key: str) -> str:
    return f"{REFERENCE_PREFIX}{_mac(REFERENCE_DOMAIN, user_id, key)}{_base64url(user_id)}"


def _claim(customer: str, key: str, expires_at: str) -> str:
    said = f"{expires_at}-{customer}"
    return f"{CLAIM_PREFIX}{_mac(CLAIM_DOMAIN, said.encode(), key)}{said}"


def _mac(domain: bytes, message: bytes, key: str) -> str:
    if len(key) < MIN_KEY:
        raise ValueError(f"an identity key has at least {MIN_KEY} characters, got {len(key)}")
    return _base64url(hmac.digest(key.encode(), domain + b"\0" + message, "sha256"))


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _key(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise IdentityKeyError(f"the identity secret: {name} must be a text, got {type(value).__name__}")
    if len(value) < MIN_KEY:
        raise IdentityKeyError(f"the identity secret: {name} must have at least {MIN_KEY} characters, got {len(value)}")
    if value != value.strip() or not value.isprintable():
        raise IdentityKeyError(f"the identity secret: {name} must not begin or end with blanks, nor break its line")
    return value
