"""The form that Cloudflare's API gives to what a zone holds: snake case, whole numbers, and what it adds itself."""

import re
from collections.abc import Mapping
from typing import Any

from rehearsal.twins.zone import Entry
from rehearsal.twins.zone.plans import Plan

_PLAN_NAMES: Mapping[Plan, str] = {
    "free": "Free Website",
    "pro": "Pro Website",
    "business": "Business Website",
    "enterprise": "Enterprise Website",
}
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
        "value": _whole(entry.outputs["value"]),
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
    particular = {key: _whole(outputs[key]) for key in ("priority", "data") if outputs.get(key) is not None}
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
    form = {_snake(key): _api(value) for key, value in rule.items() if value is not None}
    return {"ref": rule["id"], **form, "version": _VERSION, "last_updated": updated}


def _dates(entry: Entry) -> dict[str, Any]:
    return {"created_on": entry.outputs["createdOn"], "modified_on": entry.outputs["modifiedOn"]}


def _api(value: Any) -> Any:
    """A value in the API's form: keys in snake case but for those of `headers`, which are names of headers."""
    if isinstance(value, Mapping):
        return {
            _snake(key): {name: _api(change) for name, change in one.items()} if key == "headers" else _api(one)
            for key, one in value.items()
        }
    if isinstance(value, list | tuple):
        return [_api(one) for one in value]
    return _whole(value)


def _whole(value: Any) -> Any:
    """Whole numbers as such: Pulumi's wire format turns them into floats."""
    if isinstance(value, Mapping):
        return {key: _whole(one) for key, one in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()
