"""Rules over what the edge and browsers keep."""

import re
from urllib.parse import urlsplit

from checks.contract import Contract
from checks.model import Verdict, judge
from checks.probes.caching import AssetFacts
from checks.probes.http import Exchange

YEAR = 31_536_000  # seconds
HITS = frozenset({"HIT", "REVALIDATED", "UPDATING", "STALE"})
NOT_KEPT = frozenset({"", "DYNAMIC", "BYPASS", "NONE/UNKNOWN"})


def static(contract: Contract, facts: AssetFacts) -> Verdict:
    """cache.static: versioned assets are kept by the edge and by browsers for a year (RFC 9111, RFC 8246).

    Judges the first assets that the pages link, and that a cache rule covers their path: Cloudflare keeps
    known file endings without any rule ("Default cache behavior"), but not by the rule's time. An asset that no
    page links is not looked at.
    """
    problems = [] if contract.edge.cache.static_paths else ["no static path is declared for the edge's cache"]
    if facts.unnamed.header("cf-cache-status").upper() in {"", "DYNAMIC"}:
        problems.append(f"{facts.unnamed.url}: no cache rule covers it (cf-cache-status DYNAMIC)")
    for _, second in facts.pairs:
        status = second.header("cf-cache-status").upper()
        if second.status != 200:
            problems.append(second.line())
        if status not in HITS:
            problems.append(f"{second.url}: cf-cache-status {status or '(none)'} the second time, not HIT")
        problems += _long_lived_problems(second)
    return judge(
        f"the second GET is a HIT with max-age>={YEAR}, immutable",
        seen=f"{len(facts.pairs)} assets",
        problems=problems,
        evidence=tuple(_caching(visit) for pair in facts.pairs for visit in pair),
    )


def html(_contract: Contract, facts: tuple[Exchange, ...]) -> Verdict:
    """cache.html: pages are revalidated, so that a release is seen at once (RFC 9111 section 5.2.2).

    The first page of each host; the home page, which comes first, must be there (200).
    """
    problems = [f"{visit.url}: {problem}" for visit in facts for problem in _revalidation_problems(visit)]
    problems += [visit.line() for visit in facts[:1] if visit.status != 200]
    return judge(
        "Cache-Control with no-cache, no-store, max-age=0 or s-maxage revalidation; not a HIT",
        seen=f"{len(facts)} hosts",
        problems=problems,
        evidence=tuple(_caching(visit) for visit in facts),
    )


def private(_contract: Contract, facts: tuple[Exchange, ...]) -> Verdict:
    """cache.private: what belongs to one person or moment is never kept (ASVS 5.0 14.3.2).

    cf-cache-status DYNAMIC, BYPASS or absent, no Age, no public Cache-Control, each asked for twice. An answer
    without Cache-Control passes only because the edge says that it did not look in its cache. A page that answers a
    session as it answers a stranger may say public, but must not come from the cache.
    """
    problems = [problem for visit in facts for problem in _kept_problems(visit)]
    for visit in facts:
        control = directives(visit)
        if urlsplit(visit.url).path == "/":
            continue
        if "public" in control or int(control.get("s-maxage") or 0) or int(control.get("max-age") or 0):
            problems.append(f"{visit.url}: Cache-Control {visit.header('cache-control')}")
    return judge(
        "never from a cache, never to be kept",
        seen=f"{len(facts)} answers from the origin",
        problems=problems,
        evidence=tuple(_caching(visit) for visit in facts),
    )


def deception(_contract: Contract, facts: tuple[Exchange, ...]) -> Verdict:
    """cache.deception: a private page is not kept because its address ends like a stylesheet (ASVS 5.0 14.2.5).

    Such an address is asked for twice, and one elsewhere with a session; the edge itself must leave it out
    (cf-cache-status DYNAMIC or none). MISS says that it came to the cache, BYPASS that only the app's own headers kept
    it out (Cloudflare, "Cache responses").
    """
    problems = [problem for visit in facts for problem in _kept_problems(visit)]
    problems += [
        f"{visit.url}: cf-cache-status BYPASS: no rule of the edge leaves it out, only the app's answer did"
        for visit in facts
        if visit.header("cf-cache-status").upper() == "BYPASS"
    ]
    return judge(
        "/private/x.css never kept: cf-cache-status DYNAMIC, no Age",
        seen=f"{len(facts)} addresses",
        problems=problems,
        evidence=tuple(_caching(visit) for visit in facts),
    )


def cookie(_contract: Contract, facts: tuple[Exchange, ...]) -> Verdict:
    """cache.cookie: no answer from the cache sets a cookie: it would be somebody else's (RFC 9111 section 7.3)."""
    problems = [
        f"{visit.url}: sets a cookie from the cache"
        for visit in facts
        if visit.header("cf-cache-status").upper() in HITS and visit.header("set-cookie")
    ]
    hits = sum(visit.header("cf-cache-status").upper() in HITS for visit in facts)
    return judge(
        "no Set-Cookie on a HIT",
        seen=f"{hits} of {len(facts)} answers from the cache, none sets a cookie",
        problems=problems,
        evidence=tuple(_caching(visit) for visit in facts),
    )


def directives(visit: Exchange) -> dict[str, str]:
    """The Cache-Control directives of an answer, names in lower case; one without a value maps to ""."""
    parts = (part.strip().partition("=") for part in visit.header("cache-control").split(",") if part.strip())
    return {name.strip().lower(): re.sub(r"\D", "", value) for name, _, value in parts}


def _kept_problems(visit: Exchange) -> list[str]:
    status = visit.header("cf-cache-status").upper()
    problems = [] if status in NOT_KEPT else [f"{visit.url}: cf-cache-status {status}"]
    return problems + ([f"{visit.url}: Age {visit.header('age')}"] if visit.header("age") else [])


def _long_lived_problems(visit: Exchange) -> list[str]:
    control = directives(visit)
    age = int(control.get("max-age") or 0)
    problems = [] if age >= YEAR else [f"{visit.url}: max-age={age}, at least {YEAR}"]
    return problems + ([] if "immutable" in control else [f"{visit.url}: not immutable"])


def _revalidation_problems(visit: Exchange) -> list[str]:
    control = directives(visit)
    problems = []
    if visit.header("cf-cache-status").upper() in HITS:
        problems.append(f"cf-cache-status {visit.header('cf-cache-status')}")
    if "immutable" in control:
        problems.append("the page is immutable")
    if not ({"no-cache", "no-store"} & set(control)) and control.get("max-age") != "0":
        problems.append(f"Cache-Control {visit.header('cache-control') or '(none)'}: browsers may keep the page")
    return problems


def _caching(visit: Exchange) -> str:
    control = visit.header("cache-control") or "(none)"
    return f"{visit.line()}, cache-control {control}, cf-cache-status {visit.header('cf-cache-status') or '(none)'}"
