"""Rules over what the edge serves, keeps and refuses."""

import re

from checks.contract import Contract
from checks.model import Verdict, judge
from checks.probes.http import Exchange
from checks.probes.web import SENSITIVE_PATHS, AssetFacts, BurstFacts

YEAR = 31_536_000  # seconds
HITS = frozenset({"HIT", "REVALIDATED", "UPDATING", "STALE"})
MISSES = frozenset({"", "DYNAMIC", "BYPASS", "MISS", "NONE/UNKNOWN"})
BURST_MOST = 100  # requests that one address may make before it is refused


def exposed(_contract: Contract, facts: tuple[Exchange, ...]) -> Verdict:
    """http.exposed: environment files and repositories are never served (ASVS 5.0 13.4.1 to 13.4.5).

    Only the well-known paths are tried; source maps and API documentation are not looked for.
    """
    served = [visit.line() for visit in facts if 200 <= visit.status < 300]
    return judge(
        f"{', '.join(SENSITIVE_PATHS)} never answered with 2xx",
        seen=f"{len(facts)} requests, none served",
        problems=served or ([] if facts else ["no host to visit is declared"]),
        evidence=tuple(visit.line() for visit in facts),
    )


def waf(_contract: Contract, facts: tuple[Exchange, ...]) -> Verdict:
    """edge.waf: the edge itself refuses probes for secrets with 403 (Cloudflare, WAF custom rules).

    The edge marks its answers with cf-ray; a refusal by the application behind it does not count. Managed
    signatures are not judged. A redirect host may redirect instead: its target is judged by itself.
    """
    problems = [visit.line() for visit in facts if visit.status != 403 and not visit.location]
    problems += [
        f"{visit.line()} without cf-ray: not refused by the edge"
        for visit in facts
        if visit.status == 403 and not visit.header("cf-ray")
    ]
    refused = sum(visit.status == 403 for visit in facts)
    if not refused:
        problems.append("nothing was refused")
    return judge(
        "403 with cf-ray for each blocked path",
        seen=f"{refused} of {len(facts)} refused by the edge, the others redirected",
        problems=problems,
        evidence=tuple(visit.line() for visit in facts),
    )


def rate(contract: Contract, facts: BurstFacts) -> Verdict:
    """edge.rate: a burst is answered with 429 and Retry-After (RFC 6585 section 4, ASVS 5.0 2.4.1).

    At most 100 requests may pass, whatever is declared. When the limit lifts again is edge.rate-recovery.
    """
    declared = next(iter(contract.edge.rate_limits), None)
    problems = [] if declared else ["no rate limit is declared"]
    if declared and declared.requests > BURST_MOST:
        problems.append(f"{declared.requests} requests are allowed, at most {BURST_MOST}")
    passed = sum(status != 429 for status in facts.statuses)
    if facts.refused is None:
        problems.append(f"{passed} quick requests to {facts.path} and none refused")
    elif not facts.refused.header("retry-after"):
        problems.append("429 without Retry-After")
    return judge(
        f"429 with Retry-After within {BURST_MOST + 1} quick requests",
        seen=f"refused after {passed} requests to {facts.path}",
        problems=problems,
        evidence=(f"statuses: {' '.join(str(status) for status in facts.statuses)}",),
    )


def recovery(_contract: Contract, facts: tuple[BurstFacts, Exchange]) -> Verdict:
    """edge.rate-recovery: after the mitigation time the same address is served again (RFC 6585 section 4)."""
    burst, after = facts
    problems = [] if burst.refused else ["nothing was refused, so nothing could recover"]
    problems += [after.line()] if after.status == 429 else []
    return judge("no 429 after the mitigation time", seen=after.line(), problems=problems, evidence=(after.line(),))


def static(contract: Contract, facts: AssetFacts) -> Verdict:
    """cache.static: versioned assets are kept by the edge and by browsers for a year (RFC 9111, RFC 8246).

    Judges the first assets that the home page links, and that a cache rule covers their path: Cloudflare keeps
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
        if second.header("set-cookie"):
            problems.append(f"{second.url}: sets a cookie from the cache")
    return judge(
        f"the second GET is a HIT with max-age>={YEAR}, immutable",
        seen=f"{len(facts.pairs)} assets",
        problems=problems,
        evidence=tuple(_caching(visit) for pair in facts.pairs for visit in pair),
    )


def html(_contract: Contract, facts: Exchange) -> Verdict:
    """cache.html: pages are revalidated, so that a release is seen at once (RFC 9111 section 5.2.2)."""
    problems = _revalidation_problems(facts)
    if facts.status != 200:
        problems.append(facts.line())
    return judge(
        "Cache-Control with no-cache, no-store, max-age=0 or s-maxage revalidation; not a HIT",
        seen=_caching(facts),
        problems=problems,
        evidence=(_caching(facts),),
    )


def private(_contract: Contract, facts: tuple[Exchange, ...]) -> Verdict:
    """cache.private: what belongs to one person or moment is never kept (ASVS 5.0 14.3.2).

    cf-cache-status DYNAMIC, BYPASS or absent, no Age, no public Cache-Control, each asked for twice. An answer
    without Cache-Control passes only because the edge says that it did not look in its cache.
    """
    problems = []
    for visit in facts:
        status = visit.header("cf-cache-status").upper()
        if status not in MISSES - {"MISS"}:
            problems.append(f"{visit.url}: cf-cache-status {status}")
        if visit.header("age"):
            problems.append(f"{visit.url}: Age {visit.header('age')}")
        control = directives(visit)
        if "public" in control or int(control.get("s-maxage") or 0) or int(control.get("max-age") or 0):
            problems.append(f"{visit.url}: Cache-Control {visit.header('cache-control')}")
    return judge(
        "never from a cache, never to be kept",
        seen=f"{len(facts)} answers from the origin",
        problems=problems,
        evidence=tuple(_caching(visit) for visit in facts),
    )


def webhook(_contract: Contract, facts: Exchange) -> Verdict:
    """edge.webhook: Stripe's POST meets no challenge, no redirect, no limit; the function itself answers (Stripe docs).

    An unsigned POST is sent: it must reach the function, whose answer to it is 400.
    """
    problems = [] if facts.status == 400 else [facts.line()]
    if facts.header("cf-mitigated"):
        problems.append(f"cf-mitigated: {facts.header('cf-mitigated')}")
    return judge(
        "400 from the function, no cf-mitigated, no redirect",
        seen=facts.line(),
        problems=problems,
        evidence=(facts.line(), facts.body[:200]),
    )


def directives(visit: Exchange) -> dict[str, str]:
    """The Cache-Control directives of an answer, names in lower case; one without a value maps to ""."""
    parts = (part.strip().partition("=") for part in visit.header("cache-control").split(",") if part.strip())
    return {name.strip().lower(): re.sub(r"\D", "", value) for name, _, value in parts}


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
