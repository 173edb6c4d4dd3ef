"""Reads the live zone over Cloudflare's API (v4)."""

from collections.abc import Mapping
from typing import Any

import requests

from checks.errors import NeedsInput, NotDeclared, ProbeError
from checks.scope import Scope


def zone_settings(scope: Scope) -> Mapping[str, Any]:
    """The zone's settings by id. The token needs Zone Settings: Read. Raises NeedsInput without one, ProbeError.

    GET /zones/{zone_id}/settings.
    """
    listed = _get(scope, "settings", "Zone Settings: Read")
    try:
        return {setting["id"]: setting["value"] for setting in listed}
    except (KeyError, TypeError) as error:
        raise ProbeError(f"the zone's settings are not in their form: {type(error).__name__}: {error}") from error


def bots(scope: Scope) -> Mapping[str, Any]:
    """How the zone treats bots. The token needs Bot Management: Read. Raises NeedsInput without one, ProbeError.

    GET /zones/{zone_id}/bot_management.
    """
    found = _get(scope, "bot_management", "Bot Management: Read")
    if not isinstance(found, dict):
        raise ProbeError(f"bot_management is no object but {type(found).__name__}")
    return found


def firewall(scope: Scope) -> tuple[Mapping[str, Any], ...]:
    """The enabled custom rules of the zone's firewall, in their order. The token needs Zone WAF: Read.

    GET /zones/{zone_id}/rulesets/phases/http_request_firewall_custom/entrypoint. Raises NeedsInput, ProbeError, and
    NotDeclared where no address is declared as let through.
    """
    if not scope.contract.edge.webhook_addresses:
        raise NotDeclared("no address is declared as let through")
    return _rules(scope, "http_request_firewall_custom", "Zone WAF: Read")


def ddos(scope: Scope) -> tuple[Mapping[str, Any], ...]:
    """The enabled rules that override the protection against floods. The token needs HTTP DDoS Managed Ruleset: Read.

    GET /zones/{zone_id}/rulesets/phases/ddos_l7/entrypoint. Raises NeedsInput, ProbeError.
    """
    return _rules(scope, "ddos_l7", "HTTP DDoS Managed Ruleset: Read")


def _rules(scope: Scope, phase: str, permission: str) -> tuple[Mapping[str, Any], ...]:
    """The enabled rules of a phase, none where it has no entry point."""
    found = _get(scope, f"rulesets/phases/{phase}/entrypoint", permission, absent={"rules": []})
    rules = found.get("rules", []) if isinstance(found, dict) else None
    if not isinstance(rules, list):
        raise ProbeError(f"the entry point of {phase} is not in its form: no list of rules")
    return tuple(rule for rule in rules if rule.get("enabled", True))


def _get(scope: Scope, what: str, permission: str, *, absent: Any = None) -> Any:
    """A result; `absent`, where it is given, in place of a 404."""
    access = scope.vantage.cloudflare
    if access is None:
        raise NeedsInput(f"give a Cloudflare token with {permission} (vantage: cloudflare)")
    url = f"{access.api_base}/zones/{scope.contract.zone.id}/{what}"
    try:
        answer = requests.get(
            url,
            headers={"authorization": f"Bearer {access.api_token}"},
            timeout=scope.deadline.left(),
            allow_redirects=False,
        )
        if answer.status_code == requests.codes.not_found and absent is not None:
            return absent
        answer.raise_for_status()
        return answer.json()["result"]
    except (requests.RequestException, KeyError, TypeError, ValueError) as error:
        raise ProbeError(f"GET {url}: {type(error).__name__}: {error}") from error
