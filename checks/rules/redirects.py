"""Rules over redirects."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from checks.contract import Contract
from checks.model import Verdict, judge
from checks.probes.http import Exchange, host_of
from checks.probes.redirects import KEPT, STRANGER, AliasFacts, PathFacts, RetiredFacts

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


def canonical(contract: Contract, facts: tuple[AliasFacts, ...]) -> Verdict:
    """redir.canonical: each alias leads to its host in one hop as declared, path and query kept, and never back.

    Mozilla Observatory's redirection test. Of the domain and its www, one must be an alias of the other; which one is
    the project's choice.
    """
    problems = [problem for one in facts for problem in _alias_problems(one)]
    pair = {contract.domain, f"www.{contract.domain}"}
    if not any({one.redirect.from_host, one.redirect.to_host} == pair for one in facts):
        problems.append(f"neither of {' and '.join(sorted(pair))} leads to the other")
    return judge(
        "each alias leads to its canonical host in one permanent hop, path and query kept",
        seen="; ".join(one.alias.line() for one in facts),
        problems=problems,
        evidence=tuple(line for one in facts for line in (one.alias.line(), one.target.line())),
    )


def paths(contract: Contract, facts: tuple[PathFacts, ...]) -> Verdict:
    """redir.paths: each old address of the sample leads, in its first hop, where it is declared to, its query kept.

    The contract names some of each kind; what is behind the new address is not judged (redir.chain follows it).
    """
    problems = []
    for one in facts:
        wanted = one.declared.to + (f"?{KEPT}" if one.kept else "")
        if (one.answer.status, one.answer.location) != (one.declared.status, wanted):
            problems.append(f"{one.answer.line()}, declared {one.declared.status} to {wanted}")
    return judge(
        "the declared status and address in the first hop, query kept",
        seen=f"{len(facts)} of {contract.path_redirects.total} old addresses",
        problems=problems,
        evidence=tuple(one.answer.line() for one in facts),
    )


def retired(_contract: Contract, facts: tuple[RetiredFacts, ...]) -> Verdict:
    """redir.retired: a retired domain leads to its successor, permanently, over https at once.

    Path and query go along, or neither, as declared. Over http a hop to https on the same domain may come first (HSTS
    preload's submission rules).
    """
    problems = []
    for one in facts:
        wanted = _successor(one)
        if (one.secure.status, one.secure.location) != (one.declared.status, wanted):
            problems.append(f"{one.secure.line()}, declared {one.declared.status} to {wanted}")
        upgraded = one.plain.location in {wanted, one.plain.url.replace("http:", "https:", 1)}
        if one.plain.status not in PERMANENT or not upgraded:
            problems.append(one.plain.line())
    return judge(
        "each retired domain leads to its successor with the declared status",
        seen=f"{len(facts)} names",
        problems=problems,
        evidence=tuple(line for one in facts for line in (one.plain.line(), one.secure.line())),
    )


def stays(contract: Contract, facts: tuple[Exchange, ...]) -> Verdict:
    """redir.open: no parameter makes a page lead to a site of somebody else (ASVS 5.0 3.7.2).

    The usual names of such parameters are tried, all in one request, on the paths that the edge was told of. What a
    page does with them after signing in, or in a script, is not seen. Another party's sign-in page may be led to.
    """
    problems = [visit.line() for visit in facts if host_of(visit.location) == STRANGER]
    return judge(
        f"none leads to {STRANGER}",
        seen=f"{len(facts)} requests, none led away from {contract.domain}",
        problems=problems,
        evidence=tuple(visit.line() for visit in facts),
    )


def chain(contract: Contract, facts: tuple[tuple[Exchange, ...], ...]) -> Verdict:
    """redir.chain: at most one redirect (two from an http alias), no loop, never from https back to http.

    The HSTS preload list's submission rules. A hop out of the domain, to a sign-in page or to a site that something has
    moved to, is not counted; what the last answer says is not judged.
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


def api(_contract: Contract, facts: tuple[Exchange, ...]) -> Verdict:
    """redir.api: plain http to an API host is refused (4xx or no connection), never redirected, never served.

    ASVS 5.0 4.1.2: a redirect hides that the first request, with its key, went out in clear text.
    """
    problems = [visit.line() for visit in facts if visit.status and not 400 <= visit.status < 500]
    return judge(
        "http:// to the API is refused with 4xx or no connection",
        seen="; ".join(visit.line() for visit in facts),
        problems=problems,
        evidence=tuple(visit.line() for visit in facts),
    )


def _alias_problems(one: AliasFacts) -> list[str]:
    asked = urlsplit(one.alias.url)
    path = asked.path if one.redirect.preserve_path else "/"
    query = f"?{asked.query}" if one.redirect.preserve_query else ""
    wanted = f"https://{one.redirect.to_host}{path}{query}"
    good = one.alias.status == one.redirect.status and one.alias.location == wanted
    problems = (
        []
        if good and one.alias.status in PERMANENT
        else [f"{one.alias.line()}, wanted {one.redirect.status} to {wanted}"]
    )
    if host_of(one.target.location) == one.redirect.from_host:
        problems.append(f"{one.target.line()}: back to its alias")
    return problems


def _successor(one: RetiredFacts) -> str:
    asked = urlsplit(one.secure.url)
    if not one.declared.keep_path:
        return one.declared.to
    return f"{one.declared.to.rstrip('/')}{asked.path}?{asked.query}"


def _upgrades(visit: Exchange, canonical_of: Mapping[str, str]) -> bool:
    asked, target = urlsplit(visit.url), urlsplit(visit.location)
    host = asked.hostname or ""
    same_page = (target.path, target.query) == (asked.path, asked.query)
    allowed = target.hostname in {host, canonical_of.get(host)}
    return visit.status in PERMANENT and target.scheme == "https" and allowed and same_page


def _chain_problems(contract: Contract, hops: tuple[Exchange, ...]) -> list[str]:
    first = urlsplit(hops[0].url)
    aliases = {redirect.from_host for redirect in contract.redirects} | {f"www.{contract.domain}"}
    old = {one.url for one in contract.path_redirects.sample}
    most = 2 if first.scheme == "http" and (first.hostname in aliases or hops[0].url in old) else 1
    redirects = [hop for hop in hops if hop.location]
    ours = [hop for hop in redirects if f".{host_of(hop.location)}".endswith(f".{contract.domain}")]
    problems = []
    if len({hop.url for hop in hops}) < len(hops) or hops[-1].location in {hop.url for hop in hops}:
        problems.append(f"{hops[0].url} loops")
    elif len(ours) > most:
        problems.append(f"{hops[0].url}: {len(ours)} redirects, at most {most}")
    problems += [
        f"{hop.url} leads back to {hop.location}"
        for hop in redirects
        if hop.url.startswith("https:") and hop.location.startswith("http:")
    ]
    return problems
