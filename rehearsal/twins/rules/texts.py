"""What functions of the rules language do with texts.

A Bytes value is a str whose characters are its bytes, U+0000 to U+00FF: requests bring bytes, not characters.
"""

import base64
import binascii
import hashlib
import json
import uuid
from typing import Any
from urllib.parse import unquote_to_bytes

_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
_UPPER = {lower: upper for upper, lower in _LOWER.items()}


def wire(text: str) -> str:
    """Characters as the bytes that UTF-8 makes of them."""
    return text.encode().decode("latin-1")


def lower(text: str) -> str:
    """Of ASCII letters only."""
    return text.translate(_LOWER)


def upper(text: str) -> str:
    """Of ASCII letters only."""
    return text.translate(_UPPER)


def url_decode(text: str) -> str:
    """`%HH` are bytes, `+` is a space."""
    return unquote_to_bytes(text.replace("+", " ").encode("latin-1")).decode("latin-1")


def encode_base64(text: str, flags: str = "") -> str:
    """With flag `u` in the alphabet for URLs, and with `p` padded."""
    data = text.encode("latin-1")
    encoded = (base64.urlsafe_b64encode(data) if "u" in flags else base64.b64encode(data)).decode()
    return encoded if "p" in flags else encoded.rstrip("=")


def decode_base64(text: str) -> str | None:
    """None where it is no Base64."""
    try:
        return base64.b64decode(text.encode("latin-1"), validate=True).decode("latin-1")
    except binascii.Error:
        return None


def sha256(text: str) -> str:
    """The digest's 32 bytes."""
    return hashlib.sha256(text.encode("latin-1")).digest().decode("latin-1")


def sha512(text: str) -> str:
    """The digest's 64 bytes."""
    return hashlib.sha512(text.encode("latin-1")).digest().decode("latin-1")


def remove_bytes(text: str, unwanted: str) -> str:
    """`text` without any of those bytes."""
    return "".join(character for character in text if character not in unwanted)


def remove_query_args(query: str, *names: str) -> str:
    """`query` without every argument of these names."""
    return "&".join(part for part in query.split("&") if part.partition("=")[0] not in names)


def json_string(document: str, key: str) -> str | None:
    """The text at `key` of a JSON object; None where there is none."""
    value = _at(document, key)
    return wire(value) if isinstance(value, str) else None


def json_integer(document: str, key: str) -> int | None:
    """The whole number at `key` of a JSON object; None where there is none."""
    value = _at(document, key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _at(document: str, key: str) -> Any:
    try:
        held = json.loads(document.encode("latin-1"))
    except (ValueError, RecursionError):
        return None
    return held.get(key.encode("latin-1").decode("utf-8", "replace")) if isinstance(held, dict) else None


def uuidv4(source: str) -> str:
    """The UUID that those bytes of randomness give."""
    return str(uuid.UUID(bytes=hashlib.sha256(source.encode("latin-1")).digest()[:16], version=4))
