"""Rules over who may call the functions."""

from checks.contract import Contract
from checks.model import Verdict, judge
from checks.probes.aws.callers import CallerFacts, Grant, ScheduleFacts

SCHEDULER = "scheduler.amazonaws.com"
SCHEDULED = ("sweep", "reconcile")
INVOKE = "lambda:InvokeFunction"


def callers(_contract: Contract, facts: tuple[CallerFacts, ...]) -> Verdict:
    """aws.callers: a function's policy lets AWS services in, each for a named source; schedules may call no other one.

    AWS Lambda, "Resource-based policies" (SourceArn, against the confused deputy). The sweep and reconcile must
    have a schedule that is on. That a queue calls its function is aws.redrive; what people may call is judged at the
    API's routes.
    """
    problems = [] if facts else ["no function is declared"]
    for fact in facts:
        name = fact.function.name
        problems += [f"{name}: {problem}" for grant in fact.grants for problem in _grant_problems(grant)]
        problems += [problem for schedule in fact.schedules for problem in _schedule_problems(schedule)]
        if fact.function.purpose in SCHEDULED and not any(schedule.enabled for schedule in fact.schedules):
            problems.append(f"{name}: no schedule that is on calls it")
    return judge(
        "services on behalf of a named source, and schedules that may call this function alone",
        seen=f"{len(facts)} functions",
        problems=problems,
        evidence=tuple(_told(fact) for fact in facts),
    )


def _grant_problems(grant: Grant) -> list[str]:
    if not grant.principal.endswith(".amazonaws.com") or ":" in grant.principal:
        return [f"{grant.principal} may call it"]
    if not grant.sources:
        return [f"{grant.principal} may call it on behalf of anybody: no source is named"]
    # arn:aws:execute-api:region:account:api/stage/method/path: the API must be named, its stage need not be.
    return [f"{grant.principal} may call it for {one}" for one in grant.sources if "*" in one.partition("/")[0]]


def _schedule_problems(schedule: ScheduleFacts) -> list[str]:
    name = f"schedule {schedule.name}"
    problems = [f"{name}: {who} may take its role on" for who in schedule.trusts if who != SCHEDULER]
    for statement in (one for one in schedule.statements if one.effect == "Allow"):
        others = [action for action in statement.actions if action != INVOKE or statement.inverted]
        problems += [f"{name}: its role may do {action}" for action in others]
        problems += [f"{name}: its role may call {one}" for one in statement.resources if one != schedule.target]
    return problems


def _told(fact: CallerFacts) -> str:
    grants = [f"{grant.principal} for {', '.join(grant.sources) or 'anybody'}" for grant in fact.grants]
    return f"{fact.function.name}: {'; '.join([*grants, *(s.name for s in fact.schedules)]) or 'nobody by its policy'}"
