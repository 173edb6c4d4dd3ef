"""URL normalisation, on for every zone: what rules see of a path.

https://developers.cloudflare.com/rules/normalization/
"""

import re

_ENCODED = re.compile(r"%([0-9a-fA-F]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def normalised(path: str, kind: str = "cloudflare") -> str:
    """By RFC 3986; `kind` cloudflare also makes backslashes slashes, and slashes in a row one."""
    decoded = _ENCODED.sub(_decoded, path)
    if kind == "cloudflare":
        decoded = re.sub(r"/{2,}", "/", decoded.replace("\\", "/"))
    return _without_dots(decoded)


def _decoded(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    return character if character in _UNRESERVED else match[0].upper()


def _without_dots(path: str) -> str:
    """RFC 3986 section 5.2.4, for an absolute path."""
    kept: list[str] = []
    parts = path.split("/")[1:]
    for part in parts:
        if part == "..":
            kept[-1:] = []
        elif part != ".":
            kept.append(part)
    if parts and parts[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)
