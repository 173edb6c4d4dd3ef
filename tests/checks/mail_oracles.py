"""pyspf and dkimpy, asking the same names as our probes do."""

from collections.abc import Callable
from typing import Any

import dkim
import spf

from checks.probes import dns
from checks.scope import Scope


def spf_says(scope: Scope, client: str, sender: str, helo: str, monkeypatch: Any) -> str:
    """What pyspf makes of a delivery."""
    monkeypatch.setattr(spf, "DNSLookup", _lookup(scope))
    return spf.check2(i=client, s=sender, h=helo)[0]


def dkim_says(scope: Scope, message: bytes) -> bool:
    """Whether dkimpy verifies the first signature."""

    def text(name: bytes, timeout: int = 5) -> bytes | None:
        found = dns.look_up(scope, name.decode().rstrip("."), "TXT").records
        return found[0].encode() if len(found) == 1 else None

    return dkim.verify(message, dnsfunc=text)


def _lookup(scope: Scope) -> Callable[..., list[Any]]:
    def look_up(name: str, kind: str, strict: bool = True, timeout: int = 20) -> list[Any]:
        found = dns.look_up(scope, name.rstrip("."), kind).records
        return [((name, kind), _value(kind, record)) for record in found]

    return look_up


def _value(kind: str, record: str) -> Any:
    if kind == "TXT":
        return (record.encode(),)
    if kind == "MX":
        priority, _, host = record.partition(" ")
        return int(priority), host.rstrip(".")
    return record.rstrip(".")
