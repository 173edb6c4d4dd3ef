"""Rules over what the edge refuses, limits, lets through and answers itself."""

from checks.contract import Contract
from checks.model import Verdict, judge
from checks.probes.edge import MOST_REQUESTS, SENSITIVE_PATHS, BurstFacts, OperatorFacts
from checks.probes.hosts import proxied
from checks.probes.http import Exchange, host_of

SIGN_IN = frozenset({401, 403})


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


def waf(contract: Contract, facts: tuple[Exchange, ...]) -> Verdict:
    """edge.waf: the edge itself refuses probes for secrets with 403 (Cloudflare, WAF custom rules).

    The edge marks its answers with cf-ray; a refusal by the application behind it does not count. Managed signatures
    are not judged here (edge.waf-managed), nor hosts that are not behind the edge. A redirect host may redirect
    instead: its target is judged by itself.
    """
    behind = proxied(contract, {host_of(visit.url) for visit in facts})
    asked = [visit for visit in facts if host_of(visit.url) in behind]
    problems = [visit.line() for visit in asked if visit.status != 403 and not visit.location]
    problems += [
        f"{visit.line()} without cf-ray: not refused by the edge"
        for visit in asked
        if visit.status == 403 and not visit.header("cf-ray")
    ]
    refused = sum(visit.status == 403 for visit in asked)
    if not refused:
        problems.append("nothing was refused")
    return judge(
        "403 with cf-ray for each blocked path",
        seen=f"{refused} of {len(asked)} refused by the edge, the others redirected",
        problems=problems,
        evidence=tuple(visit.line() for visit in asked),
    )


def managed(contract: Contract, facts: tuple[Exchange, ...]) -> Verdict:
    """edge.waf-managed: the managed rules are at work: an attack that hits nobody is refused by the edge (Cloudflare).

    Log4Shell aimed at the loopback address, which the rules of every plan know. Other signatures are not tried.
    """
    problems = [visit.line() for visit in facts if visit.status != 403]
    problems += [
        f"{visit.line()} without cf-ray" for visit in facts if visit.status == 403 and not visit.header("cf-ray")
    ]
    return judge(
        "403 with cf-ray",
        seen=f"{len(facts)} hosts, {', '.join(contract.edge.waf.managed)}",
        problems=problems or ([] if facts else ["no host behind the edge shows pages"]),
        evidence=tuple(visit.line() for visit in facts),
    )


def rate(_contract: Contract, facts: tuple[BurstFacts, ...]) -> Verdict:
    """edge.rate: each declared limit answers a burst with 429 and Retry-After (RFC 6585 section 4, ASVS 5.0 2.4.1).

    One that is wider than 1000 requests is not tried, and no limit at all is a failure. What the plan leaves without a
    limit is told in the report. When a limit lifts again is edge.rate-recovery.
    """
    problems = [problem for one in facts for problem in _burst_problems(one)]
    return judge(
        "429 with Retry-After once a limit is exceeded",
        seen="; ".join(f"{one.limit.name}: refused after {_passed(one)} requests" for one in facts),
        problems=problems or ([] if facts else ["no rate limit is declared"]),
        evidence=tuple(f"{one.url}: {' '.join(str(status) for status in one.statuses)}" for one in facts),
    )


def recovery(_contract: Contract, facts: tuple[BurstFacts, Exchange]) -> Verdict:
    """edge.rate-recovery: after the mitigation time the same address is served again (RFC 6585 section 4)."""
    burst, after = facts
    problems = [] if burst.refused else ["nothing was refused, so nothing could recover"]
    problems += [after.line()] if after.status == 429 else []
    return judge("no 429 after the mitigation time", seen=after.line(), problems=problems, evidence=(after.line(),))


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


def operators(_contract: Contract, facts: tuple[OperatorFacts, ...]) -> Verdict:
    """edge.access: strangers are not let into what operators use (Cloudflare, "Self-hosted applications").

    A host behind Access leads to a sign-in page of Cloudflare. Another one of operators must at least ask who one is:
    401, 403 or a way to sign in. Who may sign in is not judged.
    """
    problems = []
    for one in facts:
        answer = one.answer
        if one.declared and not _asked_by_access(answer):
            problems.append(f"{answer.line()}, not to the sign-in page of Access")
        elif not one.declared and answer.status not in SIGN_IN and not answer.location:
            problems.append(f"{answer.line()}: a stranger is let in, and no Access is declared")
    return judge(
        "a stranger is asked to sign in",
        seen=f"{len(facts)} hosts",
        problems=problems,
        evidence=tuple(one.answer.line() for one in facts),
    )


def maintenance(contract: Contract, facts: tuple[Exchange, ...]) -> Verdict:
    """edge.maintenance: the declared hosts, and no other, answer 503 with Retry-After (RFC 9110 15.6.4)."""
    declared = contract.edge.maintenance
    closed = set(declared.hosts) if declared else set()
    problems = []
    for visit in facts:
        if host_of(visit.url) not in closed:
            problems += [f"{visit.line()}, and no maintenance is declared"] if visit.status == 503 else []
        elif visit.status != 503:
            problems.append(f"{visit.line()}, though maintenance is declared")
        elif declared and visit.header("retry-after") != str(declared.retry_after_seconds):
            said = visit.header("retry-after") or "(none)"
            problems.append(f"{visit.url}: Retry-After {said}, declared {declared.retry_after_seconds}")
    return judge(
        "503 with Retry-After on the hosts in maintenance, and on no other",
        seen=f"{len(closed)} of {len(facts)} hosts in maintenance",
        problems=problems,
        evidence=tuple(visit.line() for visit in facts),
    )


def _asked_by_access(answer: Exchange) -> bool:
    place = host_of(answer.location)
    return answer.status == 302 and place.endswith(".cloudflareaccess.com")


def _burst_problems(one: BurstFacts) -> list[str]:
    limit, refused = one.limit, one.refused
    if limit.requests > MOST_REQUESTS:
        return [f"{limit.name}: {limit.requests} requests are allowed, at most {MOST_REQUESTS} are a limit"]
    if refused is None:
        return [f"{limit.name}: {_passed(one)} quick requests to {one.url} and none refused"]
    return [] if refused.header("retry-after") else [f"{limit.name}: 429 without Retry-After"]


def _passed(one: BurstFacts) -> int:
    return sum(status != 429 for status in one.statuses)
