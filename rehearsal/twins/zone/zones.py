"""What Cloudflare makes of a zone, its records, settings, rulesets and DNSSEC."""

import hashlib
import re
import secrets
from collections.abc import Mapping
from typing import Any

from rehearsal.twins.zone import dnssec
from rehearsal.twins.zone.dnssec import SigningKey
from rehearsal.twins.zone.entries import Entry, Kind, entry, now
from rehearsal.twins.zone.holdings import Holdings
from rehearsal.twins.zone.records import PROXIABLE, Record, check_beside, parse_record
from rehearsal.twins.zone.refusals import CloudflareError, NotInTwinError, identifier, one_of, text
from rehearsal.twins.zone.rulesets import Ruleset, list_names, parse_ruleset
from rehearsal.twins.zone.settings import check_setting

_DOMAIN = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])")
_SERVERS = ("ada", "bob", "cleo", "dean", "elle", "finn", "gail", "hugh")
_ROOT_PHASES = ("http_request_redirect",)


def zone(inputs: Mapping[str, Any], held: Holdings, old: Entry | None) -> Entry:
    """A zone of type full, active at once."""
    name = text(inputs, "name", "a zone").rstrip(".").lower()
    account = identifier((inputs.get("account") or {}).get("id"), f"zone {name}: account.id")
    if not _DOMAIN.fullmatch(name):
        raise CloudflareError(f"zone {name!r}: the name must be a registrable domain such as example.com", 1097)
    if inputs.get("type", "full") != "full":
        raise NotInTwinError(f"zone {name}: the twin serves zones of type 'full', got {inputs['type']!r}")
    for other in held.of(Kind.ZONE, but=old):
        if other.outputs["name"] == name:
            raise CloudflareError(f"zone {name} already exists: import it, or destroy what made it", 1061)
        if other.scope != account:
            raise CloudflareError(f"zone {name}: the token has no access to account {account}", 10000)
    if old is not None and old.outputs["name"] != name:
        raise CloudflareError(f"zone {old.outputs['name']} cannot be renamed to {name}: make another zone")
    added = {"nameServers": name_servers(name), "status": "active", "paused": False}
    return entry(Kind.ZONE, account, {"type": "full", **inputs, "name": name, **added}, old)


def record(inputs: Mapping[str, Any], held: Holdings, old: Entry | None) -> Entry:
    """A DNS record."""
    parent = held.zone(inputs, "a record")
    apex, limits = parent.outputs["name"], held.limits_of(parent)
    made = parse_record(inputs, apex, limits)
    if held.count(Kind.RECORD, parent.id) - (old is not None) >= limits.records:
        raise CloudflareError(f"the plan holds {limits.records} records, {made.name} would be one more", 81045)
    others = [other.meaning for other in held.records_named(parent.id, made.name, but=old)]
    check_beside(made, [other for other in others if isinstance(other, Record)], apex)
    added = {
        "name": made.name,
        "content": made.content,
        "ttl": made.ttl,
        "proxied": made.proxied,
        "proxiable": made.type in PROXIABLE,
    }
    return entry(Kind.RECORD, parent.id, {**inputs, **added}, old, made)


def setting(inputs: Mapping[str, Any], held: Holdings, old: Entry | None) -> Entry:
    """A zone setting; Cloudflare's own id is the name alone, unique in its zone only."""
    parent = held.zone(inputs, "a zone setting")
    name = text(inputs, "settingId", "a zone setting")
    check_setting(name, inputs.get("value"), held.plan_of(parent))
    return entry(Kind.SETTING, parent.id, {**inputs, "editable": True}, old, id_=f"{parent.id}/{name}")


def ruleset(inputs: Mapping[str, Any], held: Holdings, old: Entry | None) -> Entry:
    """The entry point of a phase: of a zone, or of the account for the phases that it has."""
    root = inputs.get("kind") == "root"
    if root and inputs.get("phase") not in _ROOT_PHASES:
        raise NotInTwinError(f"ruleset of kind root: the edge twin acts on phase {', '.join(_ROOT_PHASES)}")
    if not root and inputs.get("phase") in _ROOT_PHASES:
        raise CloudflareError(f"phase {inputs['phase']} belongs to rulesets of kind 'root'", 20015)
    parent = None if root else held.zone(inputs, "a ruleset")
    scope = held.account(inputs, "a ruleset of kind root") if parent is None else parent.id
    made = parse_ruleset(inputs, held.account_limits if parent is None else held.limits_of(parent))
    for other in held.of(Kind.RULESET, scope, but=old):
        if isinstance(other.meaning, Ruleset) and other.meaning.phase == made.phase:
            message = f"phase {made.phase} has its entry-point ruleset already: put all rules there"
            raise CloudflareError(message, 20217)
    if root:
        _check_lists(made, held, scope)
    version = 1 if old is None else int(old.outputs["version"]) + 1
    rules = _identified(inputs.get("rules") or [], old)
    added = {"rules": rules, "version": str(version), "lastUpdated": now()}
    return entry(Kind.RULESET, scope, {**inputs, **added}, old, made)


def dnssec_status(inputs: Mapping[str, Any], held: Holdings, old: Entry | None) -> Entry:
    """DNSSEC: the key is made once and stays."""
    parent = held.zone(inputs, "DNSSEC")
    name = parent.outputs["name"]
    status = one_of(inputs.get("status", "active"), ("active", "disabled"), "DNSSEC status")
    for key in ("dnssecUseNsec3", "dnssecPresigned", "dnssecMultiSigner"):
        if inputs.get(key):
            raise NotInTwinError(f"zone {name}: the DNS twin signs with one key and NSEC, not with {key}")
    if held.of(Kind.DNSSEC, parent.id, but=old):
        raise CloudflareError(f"zone {name}: DNSSEC is declared already")
    if status == "disabled":
        return entry(Kind.DNSSEC, parent.id, {**inputs, "status": status}, old)
    key = old.meaning if old is not None and isinstance(old.meaning, SigningKey) else dnssec.generate()
    return entry(Kind.DNSSEC, parent.id, {**inputs, **key.outputs(name)}, old, key)


def name_servers(name: str) -> list[str]:
    """Two of Cloudflare's, always the same ones for a zone."""
    first = hashlib.sha256(name.encode()).digest()[0] % len(_SERVERS)
    return sorted(f"{_SERVERS[(first + step) % len(_SERVERS)]}.ns.cloudflare.com" for step in (0, 3))


def _check_lists(made: Ruleset, held: Holdings, account: str) -> None:
    known = {one.outputs["name"] for one in held.of(Kind.LIST, account)}
    missing = sorted({name for rule in made.rules for name in list_names(rule)} - known)
    if missing:
        raise CloudflareError(f"phase {made.phase}: the account has no list {', '.join(missing)}", 20126)


def _identified(rules: list[Mapping[str, Any]], old: Entry | None) -> list[dict[str, Any]]:
    """The rules with their ids: one of the same `ref` keeps its own."""
    before = [] if old is None else old.outputs["rules"]
    ids = {rule["ref"]: rule["id"] for rule in before if rule.get("ref")}
    given = [{key: value for key, value in rule.items() if value is not None} for rule in rules]
    return [{"id": ids.get(rule.get("ref"), secrets.token_hex(16)), "enabled": True, **rule} for rule in given]
