"""What else a zone is told: bots, health checks, how URLs are read, and headers that Cloudflare adds by itself."""

from collections.abc import Mapping
from typing import Any

from rehearsal.twins.zone.entries import Entry, Kind, entry
from rehearsal.twins.zone.holdings import Holdings
from rehearsal.twins.zone.plans import Plan
from rehearsal.twins.zone.refusals import CloudflareError, boolean, needs, one_of, text, whole

_BOT_SWITCHES = ("fightMode", "enableJs", "optimizeWordpress", "suppressSessionScore", "autoUpdateModel")
_BOT_ACTIONS: Mapping[str, Plan] = {
    "sbfmDefinitelyAutomated": "pro",
    "sbfmVerifiedBots": "pro",
    "sbfmLikelyAutomated": "business",
}
_PAID_BOT_SWITCHES = ("sbfmStaticResourceProtection", "optimizeWordpress")
BOTS: Mapping[str, Any] = {"fightMode": False, "enableJs": False, "aiBotsProtection": "disabled"}
NORMALIZATION = ("cloudflare", "incoming")
REQUEST_TRANSFORMS: Mapping[str, Plan] = {
    "add_bot_protection_headers": "enterprise",
    "add_client_certificate_headers": "free",
    "add_true_client_ip_headers": "enterprise",
    "add_visitor_location_headers": "free",
    "add_waf_credential_check_status_header": "free",
    "remove_visitor_ip_headers": "free",
}
RESPONSE_TRANSFORMS: Mapping[str, Plan] = {"add_security_headers": "free", "remove_x-powered-by_header": "free"}
_REGIONS = (
    *("WNAM", "ENAM", "WEU", "EEU", "NSAM", "SSAM", "OC", "ME", "NAF", "SAF"),
    *("IN", "SEAS", "NEAS", "ALL_REGIONS"),
)
_LEAST_INTERVAL: Mapping[Plan, int] = {"free": 60, "pro": 60, "business": 15, "enterprise": 10}


def bots(inputs: Mapping[str, Any], held: Holdings, old: Entry | None) -> Entry:
    """Bot Fight Mode, or Super Bot Fight Mode where the plan has it."""
    zone = held.zone(inputs, "bot management")
    plan = held.plan_of(zone)
    what = f"bot management of zone {zone.outputs['name']}"
    for key in _BOT_SWITCHES:
        boolean(inputs, key, what)
    for key, least in _BOT_ACTIONS.items():
        if inputs.get(key) is not None:
            needs(plan, least, f"{what}: {key}")
            one_of(inputs[key], ("allow", "block", "managed_challenge"), f"{what}: {key}")
    for key in _PAID_BOT_SWITCHES:
        if inputs.get(key):
            needs(plan, "pro", f"{what}: {key}")
    if inputs.get("aiBotsProtection") is not None:
        one_of(inputs["aiBotsProtection"], ("block", "disabled", "only_on_ad_pages"), f"{what}: aiBotsProtection")
    given = {key: value for key, value in inputs.items() if value is not None}
    return entry(Kind.BOTS, zone.id, {**BOTS, **given}, old, id_=f"{zone.id}/bot_management")


def healthcheck(inputs: Mapping[str, Any], held: Holdings, old: Entry | None) -> Entry:
    """A standalone health check; the twin keeps it and probes nothing."""
    zone = held.zone(inputs, "a health check")
    name = text(inputs, "name", "a health check")
    what, plan, most = f"health check {name}", held.plan_of(zone), held.limits_of(zone).healthchecks
    present = held.of(Kind.HEALTHCHECK, zone.id, but=old)
    if len(present) >= most:
        raise CloudflareError(f"{what}: the plan allows {most} health checks, got {len(present) + 1}", 1002)
    if any(other.outputs["name"] == name for other in present):
        raise CloudflareError(f"{what} exists already", 1002)
    text(inputs, "address", what)
    kind = one_of(inputs.get("type", "HTTP"), ("HTTP", "HTTPS", "TCP"), f"{what}: type")
    wrong = "httpConfig" if kind == "TCP" else "tcpConfig"
    if inputs.get(wrong):
        raise CloudflareError(f"{what}: {wrong} does not belong to type {kind}")
    for region in inputs.get("checkRegions") or []:
        one_of(region, _REGIONS, f"{what}: checkRegions")
    whole(inputs.get("interval", 60), f"{what}: interval", least=_LEAST_INTERVAL[plan], most=3600)
    whole(inputs.get("retries", 2), f"{what}: retries", least=0, most=5)
    whole(inputs.get("timeout", 5), f"{what}: timeout", least=1, most=10)
    return entry(Kind.HEALTHCHECK, zone.id, {"type": kind, **inputs, "status": "unknown"}, old)


def normalization(inputs: Mapping[str, Any], held: Holdings, old: Entry | None) -> Entry:
    """How the path is normalised before rules see it."""
    zone = held.zone(inputs, "URL normalization")
    kind = one_of(inputs.get("type"), ("cloudflare", "rfc3986"), "URL normalization: type")
    scope = one_of(inputs.get("scope"), ("incoming", "both", "none"), "URL normalization: scope")
    return entry(Kind.NORMALIZATION, zone.id, inputs, old, (kind, scope), id_=f"{zone.id}/url_normalization")


def transforms(inputs: Mapping[str, Any], held: Holdings, old: Entry | None) -> Entry:
    """Managed transforms: which of Cloudflare's own header changes are on."""
    zone = held.zone(inputs, "managed transforms")
    plan = held.plan_of(zone)
    enabled = tuple(
        frozenset(_enabled(inputs.get(key) or [], known, plan, f"managed transforms: {key}"))
        for key, known in (
            ("managedRequestHeaders", REQUEST_TRANSFORMS),
            ("managedResponseHeaders", RESPONSE_TRANSFORMS),
        )
    )
    return entry(Kind.TRANSFORMS, zone.id, inputs, old, enabled, id_=f"{zone.id}/managed_headers")


def _enabled(declared: list[Mapping[str, Any]], known: Mapping[str, Plan], plan: Plan, what: str) -> list[str]:
    enabled = []
    for one in declared:
        name = one_of(one.get("id"), known, what)
        if boolean(one, "enabled", f"{what}: {name}"):
            needs(plan, known[name], f"{what}: {name}")
            enabled.append(name)
    return enabled
