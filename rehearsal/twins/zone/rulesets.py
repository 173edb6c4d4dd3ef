"""Rulesets: which phases the edge twin acts on, and what Cloudflare refuses in them.

https://developers.cloudflare.com/ruleset-engine/
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.twins.zone.phases import PHASES
from rehearsal.twins.zone.plans import Limits
from rehearsal.twins.zone.protection import CHALLENGES
from rehearsal.twins.zone.refusals import CloudflareError, NotInTwinError, one_of, only, text
from rehearsal.twins.zone.rule import Rule, compiled

_LIST = re.compile(r'\$([a-z0-9_]+)|"(?:\\.|[^"\\])*"')
_RULE_KEYS = ("id", "ref", "description", "enabled", "expression", "action", "actionParameters", "ratelimit", "logging")


@dataclass(frozen=True)
class Ruleset:
    """The entry point of one phase."""

    phase: str
    rules: tuple[Rule, ...]


def parse_ruleset(inputs: Mapping[str, Any], limits: Limits) -> Ruleset:
    """The ruleset that Cloudflare makes of `inputs`; raises CloudflareError or NotInTwinError."""
    text(inputs, "name", "a ruleset")
    phase = text(inputs, "phase", "a ruleset")
    if inputs.get("kind") not in ("zone", "root"):
        kind = inputs.get("kind")
        raise NotInTwinError(f"ruleset of phase {phase}: the edge twin acts on kinds 'zone' and 'root', got {kind!r}")
    if phase not in PHASES:
        raise NotInTwinError(f"the edge twin does not act on phase {phase!r}; it acts on {', '.join(PHASES)}")
    declared = inputs.get("rules") or []
    most = limits.rules[phase]
    if len(declared) > most:
        raise CloudflareError(f"the plan allows {most} rules in phase {phase}, got {len(declared)}")
    rules = tuple(_rule(entry, index, phase, limits) for index, entry in enumerate(declared))
    refs = [rule.ref for rule in rules]
    repeated = sorted({ref for ref in refs if refs.count(ref) > 1})
    if repeated:
        raise CloudflareError(f"rules of phase {phase} share the ref {', '.join(repeated)}")
    return Ruleset(phase, rules)


def list_names(rule: Rule) -> set[str]:
    """The lists that a rule of bulk redirects refers to, by its parameters and in its expression."""
    named = rule.parameters.get("fromList") or {}
    return {name for name in _LIST.findall(rule.expression) if name} | ({named["name"]} if named else set())


def _rule(entry: Mapping[str, Any], index: int, phase: str, limits: Limits) -> Rule:
    what = f"rule {entry.get('ref') or index + 1} of phase {phase}"
    only(entry, _RULE_KEYS, what)
    check, actions = PHASES[phase]
    expression = text(entry, "expression", what)
    compiled(expression, what, limits)
    rule = Rule(
        ref=str(entry.get("ref") or f"#{index + 1}"),
        expression=expression,
        action=one_of(entry.get("action"), actions, f"{what}: action"),
        enabled=entry.get("enabled") is not False,
        parameters=entry.get("actionParameters") or {},
        ratelimit=entry.get("ratelimit") or {},
        logging=(entry.get("logging") or {}).get("enabled") is not False,
    )
    if rule.ratelimit and phase != "http_ratelimit":
        raise CloudflareError(f"{what}: ratelimit belongs to phase http_ratelimit")
    check(rule, what, limits)
    return rule


__all__ = ["CHALLENGES", "Rule", "Ruleset", "list_names", "parse_ruleset"]
