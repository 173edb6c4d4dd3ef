"""A zone as the program declares it, for the tests of the twins."""

from typing import Any

from rehearsal.twins.zone import Entry, Kind, Zone, ZoneTwin
from rehearsal.twins.zone.plans import Plan

ZONE = "tidewriters.example"
ACCOUNT = "a" * 32
ORIGIN_ADDRESS = "203.0.113.10"


class Declaration:
    """A ZoneTwin with a zone in it, and short ways to declare more."""

    def __init__(self, plan: Plan = "free", *, twin: ZoneTwin | None = None, name: str = ZONE) -> None:
        self.twin = ZoneTwin(plan=plan) if twin is None else twin
        self.zone = self.twin.create(Kind.ZONE, {"account": {"id": ACCOUNT}, "name": name, "type": "full"})

    @property
    def now(self) -> Zone:
        """The zone as it is read now."""
        return next(zone for zone in self.twin.zones if zone.id == self.zone.id)

    def another(self, name: str) -> "Declaration":
        """A further zone of the same account."""
        return Declaration(twin=self.twin, name=name)

    def of_zone(self, kind: Kind, /, **inputs: Any) -> Entry:
        return self.twin.create(kind, {"zoneId": self.zone.id, **inputs})

    def of_account(self, kind: Kind, /, **inputs: Any) -> Entry:
        return self.twin.create(kind, {"accountId": ACCOUNT, **inputs})

    def record(self, name: str, kind: str = "A", content: str | None = ORIGIN_ADDRESS, **others: Any) -> Entry:
        inputs = {"zoneId": self.zone.id, "name": name, "type": kind, "content": content, "ttl": 300.0, **others}
        return self.twin.create(Kind.RECORD, inputs)

    def proxied(self, name: str, kind: str = "A", content: str = ORIGIN_ADDRESS) -> Entry:
        return self.record(name, kind, content, proxied=True, ttl=1.0)

    def setting(self, setting: str, value: Any) -> Entry:
        return self.twin.create(Kind.SETTING, {"zoneId": self.zone.id, "settingId": setting, "value": value})

    def ruleset(self, phase: str, *rules: dict[str, Any], **others: Any) -> Entry:
        inputs = {"zoneId": self.zone.id, "kind": "zone", "name": phase, "phase": phase, "rules": list(rules), **others}
        return self.twin.create(Kind.RULESET, inputs)

    def dnssec(self, **others: Any) -> Entry:
        return self.twin.create(Kind.DNSSEC, {"zoneId": self.zone.id, **others})


def redirect(expression: str, target: dict[str, str], **others: Any) -> dict[str, Any]:
    parameters = {"fromValue": {"statusCode": 301.0, "targetUrl": target, "preserveQueryString": True, **others}}
    return {"ref": "r", "expression": expression, "action": "redirect", "actionParameters": parameters}


def block(expression: str, **others: Any) -> dict[str, Any]:
    return {"ref": "b", "expression": expression, "action": "block", **others}


def limit(path: str, requests: int, period: int = 10, mitigation: int = 10, **others: Any) -> dict[str, Any]:
    ratelimit = {
        "characteristics": ["cf.colo.id", "ip.src"],
        "period": float(period),
        "requestsPerPeriod": float(requests),
        "mitigationTimeout": float(mitigation),
    }
    expression = f'starts_with(http.request.uri.path, "{path}")'
    return {"ref": "l", "expression": expression, "action": "block", "ratelimit": ratelimit, **others}


def caching(expression: str, **parameters: Any) -> dict[str, Any]:
    return {
        "ref": "c",
        "expression": expression,
        "action": "set_cache_settings",
        "actionParameters": {"cache": True, **parameters},
    }


def hsts(**others: Any) -> dict[str, Any]:
    header = {"enabled": True, "max_age": 31_536_000, "include_subdomains": True, "preload": False, **others}
    return {"strict_transport_security": header}
