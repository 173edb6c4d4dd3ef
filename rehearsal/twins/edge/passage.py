"""A request under way through the phases of its zone."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rehearsal.twins.edge.exchange import Exchange
from rehearsal.twins.rules import compile_filter
from rehearsal.twins.zone import Rule, Zone


@dataclass(frozen=True, kw_only=True)
class SecurityEvent:
    """A rule of the firewall that a request met, as Cloudflare's security events show it."""

    phase: str
    ref: str
    action: str
    client: str
    host: str
    path: str


@dataclass(kw_only=True)
class Passage:
    """One request in one zone: phases change the exchange, the settings that hold for it and what is still asked."""

    zone: Zone
    exchange: Exchange
    record: Callable[[SecurityEvent], None]
    overrides: dict[str, Any] = field(default_factory=dict)  # zone settings, by configuration rules
    skipped: set[str] = field(default_factory=set)  # phases and products, by custom rules

    def setting(self, name: str) -> Any:
        """The zone's setting, or what a configuration rule makes of it for this request."""
        return self.overrides[name] if name in self.overrides else self.zone.setting(name)

    def matching(self, phase: str) -> list[Rule]:
        """The rules of a phase that match the request as it is now."""
        fields = self.exchange.fields
        return [rule for rule in self.zone.rulesets(phase) if compile_filter(rule.expression)(fields)]

    def log(self, phase: str, rule: Rule) -> None:
        """Record that `rule` met the request."""
        request = self.exchange.request
        event = SecurityEvent(
            phase=phase, ref=rule.ref, action=rule.action, client=request.client, host=request.host, path=request.path
        )
        self.record(event)
