"""The form that Cloudflare's API gives to what a zone holds: snake case, whole numbers, and what it adds itself."""

import hashlib
from collections.abc import Mapping
from typing import Any

from rehearsal.twins.zone import Entry, Zone
from rehearsal.twins.zone.conduct import REQUEST_TRANSFORMS, RESPONSE_TRANSFORMS
from rehearsal.twins.zone.naming import snake, to_api, whole
from rehearsal.twins.zone.plans import CLOUDFLARE_RULESET, OWASP_RULESET, Plan

_PLAN_NAMES: Mapping[Plan, str] = {
    "free": "Free Website",
    "pro": "Pro Website",
    "business": "Business Website",
    "enterprise": "Enterprise Website",
}
_RELEASED = "2026-01-01T00:00:00Z"
_NOT_TOLD = frozenset(
    {"zoneId", "accountId", "createdOn", "modifiedOn", "content", "privateKey", "mainModule", "bindings"}
)
_VERSION = "1"  # a rule's: Cloudflare counts the changes of each, the twin makes every rule anew


def zone(entry: Entry, plan: Plan) -> dict[str, Any]:
    """The zone; what the twin knows nothing of (billing, quotas, the registrar) is left out or null."""
    account = {"id": entry.outputs["account"]["id"], "name": "Rehearsal"}
    return {
        "id": entry.id,
        "name": entry.outputs["name"],
        "status": entry.outputs["status"],
        "paused": entry.outputs["paused"],
        "type": entry.outputs["type"],
        "development_mode": 0,
        "name_servers": list(entry.outputs["nameServers"]),
        "original_name_servers": None,
        "original_registrar": None,
        "original_dnshost": None,
        "account": account,
        "owner": {"id": None, "name": None, "type": "user"},
        "plan": {"id": plan, "legacy_id": plan, "name": _PLAN_NAMES[plan]},
        "meta": {"phishing_detected": False},
        "permissions": ["#zone:read", "#zone_settings:read", "#dns_records:read"],
        "activated_on": entry.outputs["createdOn"],
        **_dates(entry),
    }


def setting(entry: Entry) -> dict[str, Any]:
    """A setting that was declared."""
    return {
        "id": entry.outputs["settingId"],
        "value": whole(entry.outputs["value"]),
        "modified_on": entry.outputs["modifiedOn"],
        "editable": True,
    }


def untouched_setting(name: str, value: Any) -> dict[str, Any]:
    """A setting that nobody declared, at the value that Cloudflare gives every zone."""
    return {"id": name, "value": value, "modified_on": None, "editable": True}


def record(entry: Entry) -> dict[str, Any]:
    """A DNS record."""
    outputs = entry.outputs
    form = {"id": entry.id, **{key: outputs[key] for key in ("name", "type", "content", "proxiable", "proxied", "ttl")}}
    added = {"settings": outputs.get("settings") or {}, "meta": {}, "comment": outputs.get("comment")}
    particular = {key: to_api(outputs[key]) for key in ("priority", "data") if outputs.get(key) is not None}
    return {**form, **added, "tags": list(outputs.get("tags") or []), **particular, **_dates(entry)}


def ruleset(entry: Entry) -> dict[str, Any]:
    """The entry-point ruleset of a phase, its rules in their order, also those that are not enabled."""
    outputs = entry.outputs
    return {
        "id": entry.id,
        "name": outputs["name"],
        "description": outputs.get("description") or "",
        "kind": outputs["kind"],
        "phase": outputs["phase"],
        "version": outputs["version"],
        "last_updated": outputs["lastUpdated"],
        "rules": [_rule(rule, outputs["lastUpdated"]) for rule in outputs["rules"]],
    }


def _rule(rule: Mapping[str, Any], updated: str) -> dict[str, Any]:
    form = to_api({key: value for key, value in rule.items() if value is not None})
    return {"ref": rule["id"], "version": _VERSION, "last_updated": updated, **form}


def ruleset_summary(entry: Entry) -> dict[str, Any]:
    """A ruleset as lists of rulesets tell it: without its rules."""
    return {key: value for key, value in ruleset(entry).items() if key != "rules"}


def managed_rulesets() -> list[dict[str, Any]]:
    """Cloudflare's own rulesets, which every list of a zone's rulesets has too."""
    named = {CLOUDFLARE_RULESET: "Cloudflare Managed Ruleset", OWASP_RULESET: "Cloudflare OWASP Core Ruleset"}
    common = {"kind": "managed", "phase": "http_request_firewall_managed", "description": "", "version": "1"}
    return [{"id": id_, "name": name, "last_updated": _RELEASED, **common} for id_, name in named.items()]


def dnssec(entry: Entry | None) -> dict[str, Any]:
    """DNSSEC, also of a zone that never had it."""
    keys = ("status", "algorithm", "digest", "digestAlgorithm", "digestType", "ds", "flags", "keyTag", "keyType")
    outputs = {"status": "disabled"} if entry is None else entry.outputs
    modified = None if entry is None else entry.outputs["modifiedOn"]
    found = {snake(key): outputs.get(key) for key in (*keys, "publicKey")}
    return {**found, "modified_on": modified}


def redirect_list(entry: Entry, count: int) -> dict[str, Any]:
    """A list, without its items."""
    kept = {key: entry.outputs.get(key) for key in ("name", "kind", "description")}
    return {"id": entry.id, **kept, "num_items": count, "num_referencing_filters": 0, **_dates(entry)}


def list_item(item: Mapping[str, Any], list_id: str, dates: Entry) -> dict[str, Any]:
    """An item; one that the list declares itself gets its id from its source."""
    source = str((item.get("redirect") or {}).get("sourceUrl"))
    id_ = item.get("id") or hashlib.sha256(f"{list_id} {source}".encode()).hexdigest()[:32]
    kept = {key: to_api(item[key]) for key in ("comment", "redirect") if item.get(key) is not None}
    return {"id": id_, **kept, **_dates(dates)}


def plain(entry: Entry) -> dict[str, Any]:
    """A thing whose API form is what was declared, in snake case, with id and dates."""
    kept = {key: value for key, value in entry.outputs.items() if key not in _NOT_TOLD and value is not None}
    return {"id": entry.id, **to_api(kept), **_dates(entry)}


def route(entry: Entry) -> dict[str, Any]:
    """A Workers route."""
    return {"id": entry.id, "pattern": entry.outputs["pattern"], "script": entry.outputs.get("script")}


def script(entry: Entry) -> dict[str, Any]:
    """A Workers script, without its source."""
    told = {key: value for key, value in plain(entry).items() if key in ("id", "etag", "compatibility_date")}
    return {**told, "handlers": ["fetch"], "has_assets": False, "has_modules": True, **_dates(entry)}


def pull_certificate(entry: Entry) -> dict[str, Any]:
    """An origin pull certificate: its key is never told."""
    told = ("certificate", "issuer", "signature", "serialNumber", "expiresOn", "status", "uploadedOn")
    return {"id": entry.id, **{snake(key): entry.outputs[key] for key in told}}


def access_policy(entry: Entry) -> dict[str, Any]:
    """An Access policy, whose rules the API calls include, require and exclude."""
    form = plain(entry)
    rules = {key: form.pop(f"{key}s", []) for key in ("include", "require", "exclude")}
    created, updated = form.pop("created_on"), form.pop("modified_on")
    return {**form, **rules, "created_at": created, "updated_at": updated}


def access_application(entry: Entry, policies: Mapping[str, Entry]) -> dict[str, Any]:
    """An Access application with its policies in full."""
    form = plain(entry)
    created, updated = form.pop("created_on"), form.pop("modified_on")
    embedded = [
        {**access_policy(policies[one["id"]]), "precedence": one.get("precedence", number)}
        for number, one in enumerate(form.get("policies") or [], start=1)
        if one.get("id") in policies
    ]
    return {**form, "policies": embedded, "created_at": created, "updated_at": updated}


def bots(outputs: Mapping[str, Any]) -> dict[str, Any]:
    """Bot management."""
    kept = {key: value for key, value in outputs.items() if key not in _NOT_TOLD}
    return {**to_api(kept), "using_latest_model": True}


def transforms(enabled: tuple[frozenset[str], frozenset[str]]) -> dict[str, Any]:
    """All managed transforms, on and off."""
    keys, known = ("managed_request_headers", "managed_response_headers"), (REQUEST_TRANSFORMS, RESPONSE_TRANSFORMS)
    return {
        key: [{"id": name, "enabled": name in on, "has_conflict": False} for name in names]
        for key, names, on in zip(keys, known, enabled, strict=True)
    }


def universal_pack(zone: Zone) -> dict[str, Any]:
    """The certificate that Cloudflare gives every zone: the apex and one label."""
    hosts = [zone.name, f"*.{zone.name}"]
    return {
        "id": hashlib.sha256(zone.id.encode()).hexdigest()[:32],
        "type": "universal",
        "hosts": hosts,
        "status": "active",
        "validation_method": "txt",
        "validity_days": 90,
        "certificate_authority": "google",
        "certificates": [{"id": "1", "hosts": hosts, "status": "active", "issuer": "GoogleTrustServices"}],
    }


def _dates(entry: Entry) -> dict[str, Any]:
    return {"created_on": entry.outputs["createdOn"], "modified_on": entry.outputs["modifiedOn"]}
