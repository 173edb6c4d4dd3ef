"""Sign the client_reference_id of a Stripe payment link, so that the payer cannot type somebody else's.

Copy this file into the app's server. It needs Python 3.8 and its standard library. Never ship the key to a browser or
a phone: who has it can name anybody. The format, and what it is worth, is in identity.md beside this file.
"""

import base64
import hashlib
import hmac

MAX_USER_BYTES = 114  # of UTF-8; what Stripe's 200 characters leave for the user id
MIN_KEY = 32  # characters

_PREFIX = "lr1_"
_DOMAIN = b"launch-ready reference v1\0"


def sign_reference(user_id: str, key: str) -> str:
    """The client_reference_id that names `user_id`. `key` is the identity secret's "current", as it is written there.

    ValueError for a user id that is empty, not printable or too long, and for a key that is too short.
    """
    if not user_id or not user_id.isprintable():
        raise ValueError("a user id must be a printable text that is not empty")
    said = user_id.encode()
    if len(said) > MAX_USER_BYTES:
        raise ValueError(f"a user id has at most {MAX_USER_BYTES} bytes of UTF-8 here, got {len(said)}")
    if len(key) < MIN_KEY:
        raise ValueError(f"an identity key has at least {MIN_KEY} characters, got {len(key)}")
    mac = hmac.new(key.encode(), _DOMAIN + said, hashlib.sha256).digest()
    return _PREFIX + _base64url(mac) + _base64url(said)


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
