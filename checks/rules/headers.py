"""Rules over the headers with which pages defend themselves."""

from checks.contract import Contract, Csp
from checks.model import Verdict, judge
from checks.probes.http import Exchange, host_of
from checks.probes.pages import TypedExchange

ENFORCED, REPORTED = "content-security-policy", "content-security-policy-report-only"
REFERRER = frozenset({"strict-origin-when-cross-origin", "strict-origin", "same-origin", "no-referrer"})
OPENER = frozenset({"same-origin", "same-origin-allow-popups"})
NONE = ["'none'"]
WIDE_SOURCES = frozenset({"*", "http:", "https:", "data:", "blob:", "'unsafe-eval'"})


def csp(contract: Contract, facts: tuple[Exchange, ...]) -> Verdict:
    """http.csp: each page has its declared policy, on its declared rung, and the policy is strict (ASVS 5.0 3.4.3).

    A report-only rung is served as Content-Security-Policy-Report-Only (http.csp-rung sees to it that it climbs); a
    page without a declared policy must enforce one of its own. Strict: scripts neither inline without nonce or hash
    nor from everywhere, object-src and base-uri 'none'. Pages behind the first of each host are not looked at.
    """
    declared = {one.host: one for one in contract.edge.csp}
    problems = [problem for visit in facts for problem in _csp_problems(declared.get(host_of(visit.url)), visit)]
    return judge(
        "the declared policy and no other, strict, on each page",
        seen=f"{len(facts)} hosts",
        problems=problems,
        evidence=tuple(_said(visit, ENFORCED, REPORTED) for visit in facts),
    )


def frame(_contract: Contract, facts: tuple[Exchange, ...]) -> Verdict:
    """http.frame: nobody else may frame a page (ASVS 5.0 3.4.6): frame-ancestors, or X-Frame-Options in its place.

    A policy that only reports keeps nobody out, so it does not count (CSP Level 3, section 7.7.4).
    """
    problems = [f"{visit.url} may be framed by anybody" for visit in facts if not _framed_by_us(visit)]
    return judge(
        "frame-ancestors 'none' or named origins, or X-Frame-Options DENY or SAMEORIGIN",
        seen=f"{len(facts)} hosts",
        problems=problems,
        evidence=tuple(_said(visit, ENFORCED, "x-frame-options") for visit in facts),
    )


def nosniff(_contract: Contract, facts: tuple[TypedExchange, ...]) -> Verdict:
    """http.nosniff: every answer says nosniff and what it is, text with its charset (ASVS 5.0 3.4.4 and 4.1.1).

    Judges pages, files that they load, errors and the API's health. application/json needs no charset (RFC 8259).
    """
    problems = [problem for one in facts for problem in _type_problems(one)]
    return judge(
        "X-Content-Type-Options: nosniff and the right Content-Type on every answer",
        seen=f"{len(facts)} answers",
        problems=problems,
        evidence=tuple(_said(one.answer, "content-type", "x-content-type-options") for one in facts),
    )


def referrer(_contract: Contract, facts: tuple[Exchange, ...]) -> Verdict:
    """http.referrer: addresses of pages are not told to other sites (ASVS 5.0 3.4.5).

    The last policy that a browser knows counts (Referrer Policy, section 8.1).
    """
    problems = []
    for visit in facts:
        values = [part.strip().lower() for part in visit.header("referrer-policy").split(",") if part.strip()]
        if not values or values[-1] not in REFERRER:
            problems.append(f"{visit.url}: Referrer-Policy {', '.join(values) or '(none)'}")
    return judge(
        "Referrer-Policy strict-origin-when-cross-origin or stricter",
        seen=f"{len(facts)} hosts",
        problems=problems,
        evidence=tuple(_said(visit, "referrer-policy") for visit in facts),
    )


def coop(_contract: Contract, facts: tuple[Exchange, ...]) -> Verdict:
    """http.coop: a page that opens ours gets no hold of its window (ASVS 5.0 3.4.8)."""
    name = "cross-origin-opener-policy"
    problems = [
        f"{visit.url}: {name} {visit.header(name) or '(none)'}"
        for visit in facts
        if visit.header(name).partition(";")[0].strip() not in OPENER
    ]
    return judge(
        "Cross-Origin-Opener-Policy same-origin or same-origin-allow-popups",
        seen=f"{len(facts)} hosts",
        problems=problems,
        evidence=tuple(_said(visit, name) for visit in facts),
    )


def declared(contract: Contract, facts: tuple[Exchange, ...]) -> Verdict:
    """http.headers: each header that the edge is told to set is there once, as declared (Cloudflare, header rules)."""
    visits = {host_of(visit.url): visit for visit in facts}
    problems = []
    for header in contract.edge.headers:
        found = visits[header.host].headers_named(header.name)
        if found != (header.value,):
            problems.append(f"{header.host}: {header.name} is {', '.join(found) or '(none)'}, declared {header.value}")
    return judge(
        "each declared header once, with its declared value",
        seen=f"{len(contract.edge.headers)} headers on {len(visits)} hosts",
        problems=problems,
        evidence=tuple(visit.line() for visit in facts),
    )


def policies(visit: Exchange) -> list[dict[str, list[str]]]:
    """The enforced policies of an answer; each maps a directive to its sources (CSP Level 3, section 2.2.1)."""
    return [parse_policy(value) for value in visit.headers_named(ENFORCED)]


def parse_policy(text: str) -> dict[str, list[str]]:
    """The directives of one policy; of a repeated one the first counts."""
    found: dict[str, list[str]] = {}
    for part in text.split(";"):
        name, *sources = part.split() or [""]
        if name:
            found.setdefault(name.lower(), [source.lower() for source in sources])
    return found


def _csp_problems(wanted: Csp | None, visit: Exchange) -> list[str]:
    name = REPORTED if wanted and not wanted.enforced else ENFORCED
    values = visit.headers_named(name)
    if len(values) != 1:
        return [f"{visit.url}: {len(values)} {name} headers, must be one"]
    problems = [f"{visit.url}: {name} is not the declared one"] if wanted and values[0] != wanted.policy else []
    return problems + [f"{visit.url}: {weakness}" for weakness in weaknesses(parse_policy(values[0]))]


def weaknesses(policy: dict[str, list[str]]) -> list[str]:
    """What a policy allows that it should not."""
    scripts = policy.get("script-src", policy.get("default-src"))
    if scripts is None:
        return ["scripts may come from anywhere: neither script-src nor default-src"]
    named = [source for source in scripts if source.startswith(("'nonce-", "'sha"))]
    found = [
        f"script-src {source}" for source in scripts if source in WIDE_SOURCES and "'strict-dynamic'" not in scripts
    ]
    found += ["script-src 'unsafe-inline'"] if "'unsafe-inline'" in scripts and not named else []
    found += [] if policy.get("object-src", policy.get("default-src")) == NONE else ["object-src is not 'none'"]
    return found + ([] if policy.get("base-uri") == NONE else ["base-uri is not 'none'"])


def _framed_by_us(visit: Exchange) -> bool:
    ancestors = [policy["frame-ancestors"] for policy in policies(visit) if "frame-ancestors" in policy]
    if ancestors:
        return not any(source in {"*", "http:", "https:"} for sources in ancestors for source in sources)
    return visit.header("x-frame-options").strip().upper() in {"DENY", "SAMEORIGIN"}


def _type_problems(one: TypedExchange) -> list[str]:
    answer = one.answer
    kind, _, parameters = answer.header("content-type").lower().partition(";")
    kind = kind.strip()
    problems = []
    if answer.header("x-content-type-options").lower() != "nosniff":
        problems.append(f"{answer.url}: no X-Content-Type-Options: nosniff")
    if not kind:
        problems.append(f"{answer.url}: no Content-Type")
    elif one.type and kind != one.type:
        problems.append(f"{answer.url}: Content-Type {kind}, expected {one.type}")
    elif kind.startswith("text/") and "charset=" not in parameters:
        problems.append(f"{answer.url}: {kind} without a charset")
    return problems


def _said(visit: Exchange, *names: str) -> str:
    return ", ".join((visit.line(), *(f"{name}: {visit.header(name) or '(none)'}" for name in names)))
