"""What a zone holds beyond a first guess, as configuration that keeps it: records, rules and settings, verbatim."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from infra.adoption.guess import Guess
from infra.adoption.hosts import relative
from infra.adoption.validity import fault
from infra.edge.extra_rule_limits import extra_rules_are_rules, extra_rules_fit_the_plan
from infra.edge.phases import PHASES
from infra.edge.rules import settings_are_known
from infra.edge.sections import ExtraRule
from infra.names.record_data import PARTS
from infra.names.record_sections import WITH_PRIORITY, ZoneRecord
from infra.names.ttl import AUTOMATIC
from infra.plans import PlanName

_HUMP = re.compile(r"_([a-z0-9])")
# Of redirects the first that matches acts, so those that were there keep coming first; elsewhere ours may.
_FIRST = ("http_request_dynamic_redirect",)


def with_leftovers(guess: Guess, snapshot: Mapping[str, Any], left: Iterable[str]) -> Guess:
    """The configuration with everything of the snapshot whose Cloudflare id is in `left`, as far as it can be said.

    `left` are ids of records, rules, rulesets and settings that a plan of the guess does not declare. What cannot be
    declared is told in the notes with its reason, and stays in the zone.
    """
    ids = frozenset(left)
    notes = list(guess.notes)
    config = dict(guess.config)
    plan: PlanName = config["zonePlan"]
    config["records"] = list(_records(snapshot, ids, config["domain"], notes))
    config["settings"] = dict(_settings(snapshot, ids, plan, notes))
    rules: dict[str, list[dict[str, Any]]] = {}
    for ruleset in snapshot["rulesets"]:
        for rule in ruleset.get("rules") or ():
            if {rule["id"], ruleset["id"]} & ids and (kept := _rule(rule, ruleset["phase"], plan, notes)):
                rules.setdefault(ruleset["phase"], []).append(kept)
    config["extraRules"] = rules
    return Guess(config, notes)


def _records(
    snapshot: Mapping[str, Any], ids: frozenset[str], domain: str, notes: list[str]
) -> Iterator[dict[str, Any]]:
    for live in snapshot["records"]:
        if live["id"] not in ids:
            continue
        record = _record(live, domain)
        if refusal := fault(ZoneRecord, record):
            notes.append(f"{live['name']} {live['type']} {live['content']} stays undeclared: {refusal}")
        else:
            yield record


def _record(live: Mapping[str, Any], domain: str) -> dict[str, Any]:
    kind = live["type"]
    record: dict[str, Any] = {"name": relative(live["name"].lower(), domain), "type": kind}
    if kind in PARTS:
        record["data"] = {part.key: _whole((live.get("data") or {}).get(part.key)) for part in PARTS[kind]}
    else:
        record["content"] = live["content"] if kind == "TXT" else live["content"].rstrip(".") or "."
    if kind in WITH_PRIORITY:
        record["priority"] = int(live.get("priority") or 0)
    record |= {"proxied": True} if live.get("proxied") else {}
    record |= {"ttl": int(live["ttl"])} if live["ttl"] != AUTOMATIC else {}
    return record | ({"comment": live["comment"]} if live.get("comment") else {})


def _settings(
    snapshot: Mapping[str, Any], ids: frozenset[str], plan: PlanName, notes: list[str]
) -> Iterator[tuple[str, Any]]:
    for live in snapshot["settings"]:
        if live["id"] not in ids or live.get("editable") is False:
            continue
        refusals = list(settings_are_known({live["id"]: live["value"]}, plan))
        if refusals:
            notes.append(f"setting {live['id']} stays as it is, undeclared: {refusals[0].limit}")
        else:
            yield live["id"], live["value"]


def _rule(live: Mapping[str, Any], phase: str, plan: PlanName, notes: list[str]) -> dict[str, Any] | None:
    rule = {
        "ref": live.get("ref") or live["id"],
        **({"description": live["description"]} if live.get("description") else {}),
        "expression": live["expression"].strip(),
        "action": live["action"],
        "enabled": live.get("enabled", True),
        **{_camel(key): _in_camel(live[key]) for key in ("action_parameters", "ratelimit", "logging") if live.get(key)},
        "position": "first" if phase in _FIRST else "last",
    }
    refusal = fault(ExtraRule, rule) or _rule_fault(rule, phase, plan)
    if refusal is None:
        return rule
    fate = "the first deployment would REMOVE it" if phase in PHASES else "it stays as it is"
    notes.append(f"rule {rule['ref']} of phase {phase} cannot be declared, so {fate}: {refusal}")
    return None


def _rule_fault(rule: Mapping[str, Any], phase: str, plan: PlanName) -> str | None:
    alone: Any = {phase: (ExtraRule.model_validate_json(json.dumps(rule)),)}
    problems = [*extra_rules_are_rules(alone), *extra_rules_fit_the_plan(alone, plan)]
    return "; ".join(f"{problem.key}: {problem.limit}" for problem in problems) or None


def _in_camel(value: Any) -> Any:
    """The API's form in Pulumi's: camel case but for names of headers."""
    if isinstance(value, Mapping):
        return {
            _camel(key): {name: _in_camel(one) for name, one in part.items()}
            if key == "headers" and isinstance(part, Mapping)
            else _in_camel(part)
            for key, part in value.items()
            if part is not None
        }
    if isinstance(value, list):
        return [_in_camel(one) for one in value]
    return _whole(value)


def _camel(name: str) -> str:
    return _HUMP.sub(lambda hump: hump[1].upper(), name)


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value
