"""Rules over what the live zone is set to, read over Cloudflare's API."""

from collections.abc import Mapping
from typing import Any

from checks.contract import Contract
from checks.model import Verdict, judge
from checks.probes.hosts import api_hosts, proxied

TLS_1_3_ON = frozenset({"on", "zrt"})  # zrt: with resumption without a round trip


def origin(_contract: Contract, facts: Mapping[str, Any]) -> Verdict:
    """tls.origin: the live zone's ssl setting is strict and its TLS floor 1.2 (Cloudflare, "Full (strict)").

    Whether the origin can be reached around the edge is not judged here.
    """
    problems = [] if facts.get("ssl") == "strict" else [f"ssl is {facts.get('ssl')}"]
    floor = facts.get("min_tls_version")
    problems += [] if floor in {"1.2", "1.3"} else [f"min_tls_version is {floor}"]
    said = f"ssl {facts.get('ssl')}, min_tls_version {floor}"
    return judge("ssl strict, min_tls_version 1.2", seen=said, problems=problems, evidence=(said,))


def settings(contract: Contract, facts: Mapping[str, Any]) -> Verdict:
    """edge.settings: the live zone is set as declared: ssl, TLS versions, HSTS (Cloudflare, zone settings).

    Other settings of the zone are compared by `launch-ready drift`.
    """
    edge = contract.edge
    pairs = [
        ("ssl", facts.get("ssl"), edge.ssl),
        ("min_tls_version", facts.get("min_tls_version"), edge.min_tls_version),
        ("tls_1_3", facts.get("tls_1_3") in TLS_1_3_ON, edge.tls_1_3),
    ]
    live = (facts.get("security_header") or {}).get("strict_transport_security") or {}
    pairs.append(("HSTS enabled", bool(live.get("enabled")), edge.hsts is not None))
    if edge.hsts:
        pairs += [(f"HSTS {key}", live.get(key, False), wanted) for key, wanted in edge.hsts.model_dump().items()]
    return judge(
        "the live zone is set as declared",
        seen=f"{len(pairs)} settings as declared",
        problems=[f"{name} is {found}, declared {wanted}" for name, found, wanted in pairs if found != wanted],
        evidence=tuple(f"{name}: {found}" for name, found, _ in pairs),
    )


def bots(contract: Contract, facts: Mapping[str, Any]) -> Verdict:
    """edge.bots: Bot Fight Mode is as declared, and off where a webhook is behind the edge (Cloudflare).

    No rule can take a request out of it, so it may challenge Stripe's posts.
    """
    fighting = bool(facts.get("fight_mode"))
    problems = []
    if fighting != contract.edge.bot_fight_mode:
        problems.append(f"fight_mode is {fighting}, declared {contract.edge.bot_fight_mode}")
    behind = proxied(contract, api_hosts(contract))
    if fighting and behind:
        problems.append(f"Bot Fight Mode may challenge Stripe's posts to {', '.join(behind)}")
    said = f"fight_mode {fighting}"
    return judge("Bot Fight Mode as declared, off over a webhook", seen=said, problems=problems, evidence=(said,))


def ddos(contract: Contract, facts: tuple[Mapping[str, Any], ...]) -> Verdict:
    """edge.ddos: the protection against floods is overridden as declared, or not at all (Cloudflare, DDoS overrides).

    The protection itself is always on. Overrides of single rules in it count as one that is not declared.
    """
    declared = contract.edge.ddos
    wanted = [(declared.action, declared.sensitivity)] if declared else []
    found = [_override(rule) for rule in facts if rule.get("action") == "execute"]
    said = ", ".join(f"action {action}, sensitivity {sensitivity}" for action, sensitivity in found) or "no override"
    return judge(
        f"action {declared.action}, sensitivity {declared.sensitivity}" if declared else "no override",
        seen=said,
        problems=[] if found == wanted else [f"live: {said}"],
        evidence=(said,),
    )


def _override(rule: Mapping[str, Any]) -> tuple[str, str]:
    changes = (rule.get("action_parameters") or {}).get("overrides") or {}
    single = "some rules'" if changes.get("rules") or changes.get("categories") else "default"
    return str(changes.get("action") or single), str(changes.get("sensitivity_level") or single)
