"""A first configuration of an existing zone: what its hosts, its mail and its settings seem to be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from infra.adoption.hosts import api_label, canonical, hosts_of
from infra.adoption.mail import mail_of
from infra.edge.header_sections import Hsts
from infra.plans import PLANS

# What another stack's file may say of hosts that this zone does not have.
_OF_OTHER_HOSTS: Mapping[str, Any] = {
    "apps": {},
    "securityTxt": {},
    "maintenance": {"hosts": []},
    "access": {},
    "csp": {"rung": "report-only", "target": "report-only"},
    "originPulls": {},
}


@dataclass
class Guess:
    """Configuration by key without namespace, and what a person should know about it."""

    config: dict[str, Any]
    notes: list[str] = field(default_factory=list)


def first_guess(snapshot: Mapping[str, Any], today: date) -> Guess:
    """Configuration for the zone of `snapshot`; everything that it does not name is left over for `with_leftovers`.

    What the zone does not have (CAA, DNSSEC) is left off, so that adopting it adds nothing by itself; ladders get a
    target within 90 days of `today`, for that is a decision which only waits to be taken.
    """
    zone, records = snapshot["zone"], snapshot["records"]
    domain = zone["name"]
    guess = Guess({})
    plan = (zone.get("plan") or {}).get("legacy_id", "free")
    if plan not in PLANS:
        guess.notes.append(
            f"the zone's plan {plan!r} is none that is known here; zonePlan is free until you correct it"
        )
        plan = "free"
    hosts = hosts_of(records, domain, guess.notes)
    guess.config |= {
        "domain": domain,
        "cloudflareAccountId": zone["account"]["id"],
        "zonePlan": plan,
        "zone": "owner",
        "zoneId": "",
        "owner": "",
        "apiHost": api_label(records, domain),
        "canonical": canonical(records, domain),
        "hosts": hosts,
        "mail": mail_of(records, domain, today, guess.notes),
        "hsts": _hsts(snapshot["settings"]),
        "dnssec": (snapshot["dnssec"] or {}).get("status") in ("active", "pending"),
        "caa": {"enabled": False},
        "records": [],
        "parked": [],
        "retired": [],
        "redirects": {},
        "settings": {},
        "extraRules": {},
        **_OF_OTHER_HOSTS,
    }
    return guess


def _hsts(settings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The highest rung that asks for no more than the zone does."""
    values = {setting["id"]: setting["value"] for setting in settings}
    live = (values.get("security_header") or {}).get("strict_transport_security") or {}
    rung = "minutes"
    for name in ("minutes", "week", "month", "year", "preload"):
        asked = Hsts(rung=name, target=name)
        reached = live.get("enabled") and live.get("max_age", 0) >= asked.max_age
        if reached and live.get("include_subdomains", False) >= asked.include_subdomains:
            rung = name if live.get("preload", False) >= asked.preload else rung
    return {"rung": rung, "target": rung}
