"""Rules over redirects."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from checks.contract import Contract
from checks.model import Verdict, judge
from checks.probes.http import Exchange, host_of
from checks.probes.web import ApiFacts

PERMANENT = frozenset({301, 308})


def https(contract: Contract, facts: tuple[Exchange, ...]) -> Verdict:
    """redir.https: the first hop of plain http is 301 or 308 to https on the same host, path and query kept.

    ASVS 5.0 12.2.1 and the HSTS preload list's submission rules. An alias may lead to its canonical host at once.
    The declaration's own list of redirected hosts is not consulted: every host that people visit must upgrade.
    A proxied host's redirect must be the edge's own, which knows no cf-cache-status: before an origin could answer,
    the request has travelled on to it in clear text.
    """
    canonical_of = {redirect.from_host: redirect.to_host for redirect in contract.redirects}
    proxied = {host.name for host in contract.hosts if host.proxied}
    problems = [visit.line() for visit in facts if not _upgrades(visit, canonical_of)]
    problems += [
        f"{visit.line()} is the origin's answer, not the edge's"
        for visit in facts
        if host_of(visit.url) in proxied and visit.header("cf-cache-status")
    ]
    if not facts:
        problems.append("no host to visit is declared")
    return judge(
        "http:// answers 301 or 308 to https:// on the same host, path and query kept",
        seen=f"{len(facts)} hosts upgrade",
        problems=problems,
        evidence=tuple(visit.line() for visit in facts),
    )


def canonical(contract: Contract, facts: Exchange) -> Verdict:
    """redir.canonical: https://www leads to the apex in one permanent hop, path and query kept.

    Mozilla Observatory's redirection test. Which of the two names is canonical is the project's choice (the apex).
    """
    asked = urlsplit(facts.url)
    wanted = f"https://{contract.domain}{asked.path}?{asked.query}"
    good = facts.status in PERMANENT and facts.location == wanted
    return judge(
        f"301 or 308 to {wanted}",
        seen=facts.line(),
        problems=[] if good else [facts.line()],
        evidence=(facts.line(),),
    )


def chain(contract: Contract, facts: tuple[tuple[Exchange, ...], ...]) -> Verdict:
    """redir.chain: at most one redirect (two from an http alias), no loop, never from https back to http.

    The HSTS preload list's submission rules. What the last answer says is not judged.
    """
    problems = [problem for hops in facts for problem in _chain_problems(contract, hops)]
    if not facts:
        problems.append("no host to visit is declared")
    return judge(
        "at most one redirect, two from http:// on an alias; no loop, no downgrade",
        seen=f"{len(facts)} ways in, none too long",
        problems=problems,
        evidence=tuple(" then ".join(hop.line() for hop in hops) for hops in facts),
    )


def api(_contract: Contract, facts: ApiFacts) -> Verdict:
    """redir.api: plain http to an API host is refused (4xx or no connection), never redirected, never served.

    ASVS 5.0 4.1.2: a redirect hides that the first request, with its key, went out in clear text.
    """
    problems = [visit.line() for visit in facts.plain if visit.status and not 400 <= visit.status < 500]
    return judge(
        "http:// to the API is refused with 4xx or no connection",
        seen="; ".join(visit.line() for visit in facts.plain),
        problems=problems,
        evidence=tuple(visit.line() for visit in facts.plain),
    )


def _upgrades(visit: Exchange, canonical_of: Mapping[str, str]) -> bool:
    asked, target = urlsplit(visit.url), urlsplit(visit.location)
    host = asked.hostname or ""
    same_page = (target.path, target.query) == (asked.path, asked.query)
    allowed = target.hostname in {host, canonical_of.get(host)}
    return visit.status in PERMANENT and target.scheme == "https" and allowed and same_page


def _chain_problems(contract: Contract, hops: tuple[Exchange, ...]) -> list[str]:
    first = urlsplit(hops[0].url)
    aliases = {redirect.from_host for redirect in contract.redirects} | {f"www.{contract.domain}"}
    most = 2 if first.scheme == "http" and first.hostname in aliases else 1
    redirects = [hop for hop in hops if hop.location]
    problems = []
    if len({hop.url for hop in hops}) < len(hops) or hops[-1].location in {hop.url for hop in hops}:
        problems.append(f"{hops[0].url} loops")
    elif len(redirects) > most:
        problems.append(f"{hops[0].url}: {len(redirects)} redirects, at most {most}")
    problems += [
        f"{hop.url} leads back to {hop.location}"
        for hop in redirects
        if hop.url.startswith("https:") and hop.location.startswith("http:")
    ]
    return problems
