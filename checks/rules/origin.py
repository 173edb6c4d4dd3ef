"""Rules over what keeps the API's origin to our edge alone."""

from datetime import UTC, datetime, timedelta

from checks.contract import Contract
from checks.model import Verdict, judge
from checks.probes.aws.watch import AlarmFacts
from checks.probes.origin import DirectFacts, OriginFacts

WARN_DAYS, FAIL_DAYS = 45, 14  # the alarm comes at 30, as Cloudflare's own notice does; its second one at 14
METRIC = "OriginCertificateDays"
FORBIDDEN = 403


def pulls(contract: Contract, facts: OriginFacts) -> Verdict:
    """edge.origin-pulls: the API's origin takes our edge's certificate alone (Cloudflare, Authenticated Origin Pulls).

    Around the edge a request without a certificate ends in the TLS handshake; one with a stranger's ends there or in
    403, which is how API Gateway tells that it does not trust it. Through the edge the health route answers. A launch
    that declares no certificate is warned when its origin answers anybody.
    """
    asking = {pull.host for pull in contract.edge.origin_pulls}
    problems = [fact.line() for fact in facts.direct if fact.host in asking and not _refused(fact)]
    warnings = [fact.line() for fact in facts.direct if fact.host not in asking and not _refused(fact)]
    problems += [] if facts.direct else ["no proxied API host is declared"]
    if facts.through_edge.status != 200:
        problems.append(f"through the edge: {facts.through_edge.line()}")
    return judge(
        "refused without our certificate, served through the edge",
        seen=f"{', '.join(sorted(asking)) or 'no origin'} asks for our certificate",
        problems=problems,
        warnings=warnings,
        evidence=(*(fact.line() for fact in facts.direct), facts.through_edge.line()),
    )


def expiry(contract: Contract, _facts: None, now: datetime | None = None) -> Verdict:
    """edge.origin-expiry: the edge's certificate for the API has 45 days left (warning), 14 (failure). Project rule.

    Judges the moment that was declared; which certificate the edge presents shows in edge.origin-pulls.
    """
    moment = now or datetime.now(UTC)
    left = {
        f"{pull.host}: {pull.certificate} until {pull.not_after}": datetime.fromisoformat(pull.not_after) - moment
        for pull in contract.edge.origin_pulls
    }
    return judge(
        f"{WARN_DAYS} days left",
        seen="; ".join(left),
        problems=[said for said, rest in left.items() if rest < timedelta(days=FAIL_DAYS)],
        warnings=[said for said, rest in left.items() if rest < timedelta(days=WARN_DAYS)],
    )


def alarm(contract: Contract, facts: tuple[AlarmFacts, ...]) -> Verdict:
    """edge.origin-alarm: somebody is told in time to renew the edge's certificate. Project rule.

    An alarm of this stack on the days left, that tells somebody and fires before edge.origin-expiry fails. Whether
    it rings already is aws.alarms.
    """
    stack = ("stack", f"{contract.project}-{contract.stack}")
    watching = [fact for fact in facts if fact.metric == METRIC and stack in fact.dimensions]
    good = [fact for fact in watching if fact.actions_enabled and fact.listeners and _in_time(fact)]
    problems = [] if good else [f"no alarm on {METRIC} that tells somebody in time"]
    return judge(
        f"an alarm on {METRIC} below {FAIL_DAYS} days or earlier",
        seen="; ".join(f"{fact.name}: below {fact.threshold:g} days" for fact in good),
        problems=problems,
        evidence=tuple(f"{fact.name}: {fact.comparison} {fact.threshold:g}" for fact in watching),
    )


def _refused(fact: DirectFacts) -> bool:
    return fact.status is None or (fact.certificate != "none" and fact.status == FORBIDDEN)


def _in_time(fact: AlarmFacts) -> bool:
    return fact.comparison in {"LessThanThreshold", "LessThanOrEqualToThreshold"} and fact.threshold >= FAIL_DAYS
