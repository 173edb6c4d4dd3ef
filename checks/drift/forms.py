"""One form for what is declared (camelCase, as Pulumi sends it) and what is live (snake case, as the API gives it)."""

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from checks.drift.model import SECRET, UNKNOWN, Field

_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_HOSTS = ("CNAME", "NS", "MX", "PTR")


def content(kind: str, text: str) -> str:
    """A record's content as it is compared: TXT joined without quotes, names without the last dot, addresses short."""
    if kind == "TXT":
        parts = _QUOTED.findall(text) if text.startswith('"') else [text]
        return re.sub(r"\\(.)", r"\1", "".join(parts))
    if kind in _HOSTS:
        return text.rstrip(".").lower()
    if kind in ("A", "AAAA"):
        try:
            return str(ipaddress.ip_address(text))
        except ValueError:
            return text
    return text


def snake(value: Any) -> Any:
    """A declared value with the API's keys; those of `headers` and of a setting's value are names already."""
    if isinstance(value, Mapping):
        return {
            _snake(key): {name: snake(one) for name, one in part.items()}
            if key == "headers" and isinstance(part, Mapping)
            else snake(part)
            for key, part in value.items()
            if part is not None
        }
    if isinstance(value, list | tuple):
        return [snake(one) for one in value]
    return value


def differing(declared: Any, live: Any, path: str = "") -> Iterator[Field]:
    """Where `live` is not as `declared`. What is not declared is Cloudflare's to say, so it is not compared."""
    if declared in (UNKNOWN, SECRET):
        return
    if isinstance(declared, Mapping) and isinstance(live, Mapping):
        for key, value in declared.items():
            yield from differing(value, live.get(key), f"{path}.{key}" if path else key)
    elif _is_list(declared) and _is_list(live) and len(declared) == len(live):
        for index, (one, other) in enumerate(zip(declared, live, strict=True)):
            yield from differing(one, other, f"{path}[{index}]")
    elif declared != live and not (_is_empty(declared) and _is_empty(live)):
        yield Field(path, live, declared)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _is_empty(value: Any) -> bool:
    """Cloudflare gives back nothing, an empty text or an empty list where nothing was said, as it likes."""
    return value is None or value in ("", [], {})


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()
