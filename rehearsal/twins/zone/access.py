"""Access: policies, and the applications that they guard.

https://developers.cloudflare.com/cloudflare-one/access-controls/
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.twins.zone.entries import Entry, Kind, entry
from rehearsal.twins.zone.holdings import Holdings
from rehearsal.twins.zone.refusals import CloudflareError, NotInTwinError, one_of, text, whole

MOST_APPLICATIONS = 500
_DECISIONS = ("allow", "deny", "non_identity", "bypass")
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+")
_SELECTORS = {"email": "email", "emailDomain": "domain", "everyone": None}
_APPLICATION_KEYS = frozenset(
    {
        *("accountId", "zoneId", "name", "type", "domain", "destinations", "selfHostedDomains", "policies"),
        *("sessionDuration", "appLauncherVisible", "autoRedirectToIdentity", "httpOnlyCookieAttribute"),
        *("sameSiteCookieAttribute", "enableBindingCookie", "allowedIdps", "tags", "optionsPreflightBypass"),
    }
)


@dataclass(frozen=True, kw_only=True)
class AccessPolicy:
    """Who gets in; the selectors are camelCase as declared, e.g. {"emailDomain": {"domain": "example.com"}}."""

    id: str
    name: str
    decision: str
    includes: tuple[Mapping[str, Any], ...]
    requires: tuple[Mapping[str, Any], ...]
    excludes: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, kw_only=True)
class AccessApplication:
    """What is guarded: `domains` are `host` or `host/path`, where a `*` stands for anything but a slash or dot."""

    id: str
    aud: str
    domains: tuple[str, ...]
    session_duration: str
    policies: tuple[AccessPolicy, ...]


@dataclass(frozen=True)
class Guarded:
    """What an application was declared with; its policies are known by their ids, in order of precedence."""

    domains: tuple[str, ...]
    policies: tuple[str, ...]


def policy(inputs: Mapping[str, Any], held: Holdings, old: Entry | None) -> Entry:
    """A reusable policy of the account."""
    account = held.account(inputs, "an Access policy")
    what = f"Access policy {text(inputs, 'name', 'an Access policy')}"
    one_of(inputs.get("decision"), _DECISIONS, f"{what}: decision")
    _duration(inputs, what)
    if not inputs.get("includes"):
        raise CloudflareError(f"{what}: a policy needs at least one rule in includes", 12130)
    for key in ("includes", "requires", "excludes"):
        for rule in inputs.get(key) or []:
            _check_rule({name: value for name, value in rule.items() if value is not None}, f"{what}: {key}")
    return entry(Kind.ACCESS_POLICY, account, {**inputs, "reusable": True, "appCount": 0}, old)


def application(inputs: Mapping[str, Any], held: Holdings, old: Entry | None) -> Entry:
    """A self-hosted application on names of this account's zones."""
    scope = held.zone(inputs, "Access").id if inputs.get("zoneId") else held.account(inputs, "an Access application")
    what = f"Access application {inputs.get('name') or inputs.get('domain')}"
    if inputs.get("type") != "self_hosted":
        raise NotInTwinError(f"{what}: the edge twin acts on type self_hosted, got {inputs.get('type')!r}")
    foreign = sorted(key for key, value in inputs.items() if value is not None and key not in _APPLICATION_KEYS)
    if foreign:
        raise NotInTwinError(f"{what}: the edge twin does not act on {', '.join(foreign)}")
    _duration(inputs, what)
    domains = _domains(inputs, held, what)
    others = held.of(Kind.ACCESS_APPLICATION, but=old)
    for other in others:
        taken = set(other.meaning.domains) & set(domains) if isinstance(other.meaning, Guarded) else set()
        if taken:
            raise CloudflareError(f"{what}: {', '.join(sorted(taken))} belongs to an application already", 11010)
    if len(others) >= MOST_APPLICATIONS:
        raise CloudflareError(f"{what}: an account has at most {MOST_APPLICATIONS} applications")
    guarded = Guarded(domains, _policy_ids(inputs, held, what))
    made = entry(Kind.ACCESS_APPLICATION, scope, {"sessionDuration": "24h", **inputs}, old, guarded)
    aud = hashlib.sha256(made.id.encode()).hexdigest()
    return Entry(id=made.id, kind=made.kind, scope=scope, outputs={**made.outputs, "aud": aud}, meaning=guarded)


def _check_rule(rule: Mapping[str, Any], what: str) -> None:
    if len(rule) != 1:
        raise CloudflareError(f"{what}: each rule has one selector, got {', '.join(sorted(rule)) or 'none'}")
    ((selector, value),) = rule.items()
    if selector not in _SELECTORS:
        raise NotInTwinError(f"{what}: the edge twin knows {', '.join(_SELECTORS)}; got {selector}")
    key = _SELECTORS[selector]
    if key is not None:
        text(value, key, f"{what}: {selector}")


def _duration(inputs: Mapping[str, Any], what: str) -> None:
    value = inputs.get("sessionDuration")
    if value is not None and not (isinstance(value, str) and _DURATION.fullmatch(value)):
        raise CloudflareError(f"{what}: sessionDuration must look like 30m or 24h, got {value!r}")


def _domains(inputs: Mapping[str, Any], held: Holdings, what: str) -> tuple[str, ...]:
    declared = [inputs.get("domain"), *(inputs.get("selfHostedDomains") or [])]
    for destination in inputs.get("destinations") or []:
        if destination.get("type", "public") != "public":
            raise NotInTwinError(f"{what}: the edge twin acts on public destinations")
        declared.append(destination.get("uri"))
    domains = tuple(dict.fromkeys(_host_lowered(str(domain)) for domain in declared if domain))
    if not domains:
        raise CloudflareError(f"{what}: an application of type self_hosted needs domain", 12130)
    zones = [zone.outputs["name"] for zone in held.of(Kind.ZONE)]
    for domain in domains:
        host = domain.partition("/")[0]
        if not any(host == zone or host.endswith(f".{zone}") for zone in zones):
            raise CloudflareError(f"{what}: domain {domain} does not belong to a zone of this account", 12130)
    return domains


def _host_lowered(domain: str) -> str:
    host, slash, path = domain.partition("/")
    return f"{host.lower()}{slash}{path}"


def _policy_ids(inputs: Mapping[str, Any], held: Holdings, what: str) -> tuple[str, ...]:
    ordered = []
    for number, one in enumerate(inputs.get("policies") or [], start=1):
        if not one.get("id"):
            raise NotInTwinError(f"{what}: the edge twin acts on reusable policies, each with an id")
        found = held.get(one["id"])
        if found is None or found.kind != Kind.ACCESS_POLICY:
            raise CloudflareError(f"{what}: no Access policy has the id {one['id']!r}", 12130)
        precedence = whole(one.get("precedence", number), f"{what}: precedence", least=1, most=1_000_000)
        ordered.append((precedence, one["id"]))
    if len({precedence for precedence, _ in ordered}) != len(ordered):
        raise CloudflareError(f"{what}: policies have a precedence of their own each", 12130)
    return tuple(id_ for _, id_ in sorted(ordered))
