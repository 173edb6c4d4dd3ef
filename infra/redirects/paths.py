"""Paths of URLs: which characters they hold, and their normal form. Pure."""

import re
import string

PATH = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*")  # RFC 3986 section 3.3
_UNRESERVED = frozenset(string.ascii_letters + string.digits + "-._~")
_OCTET = re.compile(r"%([0-9A-Fa-f]{2})")


def normal(path: str) -> str:
    """RFC 3986's normal form, with slashes in a row made one, as Cloudflare's URL normalisation has it."""
    merged = re.sub(r"/{2,}", "/", _OCTET.sub(_unreserved, path))
    kept: list[str] = []
    parts = merged.split("/")[1:]
    for part in parts:
        if part == "..":
            kept[-1:] = []
        elif part != ".":
            kept.append(part)
    return "/" + "/".join([*kept, *([""] if parts[-1] in (".", "..") else [])])


def _unreserved(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    return character if character in _UNRESERVED else match[0].upper()


def encoded(path: str) -> str:
    """The path with everything encoded that must be."""
    pieces = re.findall(r"%[0-9A-Fa-f]{2}|.", path, re.DOTALL)
    return "".join(p if PATH.fullmatch(p) else "".join(f"%{b:02X}" for b in p.encode()) for p in pieces)
