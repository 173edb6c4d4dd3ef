"""Rules over what the webhook refuses, and how soon it answers."""

from checks.contract import Contract
from checks.model import Verdict, judge
from checks.probes.http import Exchange
from checks.probes.webhook import ANSWERS, ANSWERS_WITH_ONE_LATE, Refusal


def refused(contract: Contract, facts: tuple[Refusal, ...]) -> Verdict:
    """wh.unsigned, wh.stale: what is not genuinely and recently signed is answered with the declared status.

    Stripe, "Verify webhook signatures". Where that is 400, as usual, 403 and 401 fail: they come from the edge or the
    gateway, and would meet Stripe's posts. That nothing was written is shown by a journey, not here.
    """
    wanted = contract.webhook.bad_signature_status
    problems = [f"{one.what}: {one.answer.line()}" for one in facts if one.answer.status != wanted]
    return judge(
        f"{wanted}",
        seen="; ".join(f"{one.what}: {one.answer.status}" for one in facts),
        problems=problems,
        evidence=tuple(f"{one.what}: {one.answer.line()}" for one in facts),
    )


def ack(contract: Contract, facts: tuple[Exchange, ...]) -> Verdict:
    """wh.ack: the 95th percentile of acknowledgements is below the declared threshold (handover checklist).

    None of 59 answers or one of 93 at the threshold or above shows that with 95 % confidence (binomial test). Each is
    2xx. Seen from here: the way to the edge is in it. Stripe itself waits for 10 s.
    """
    limit = contract.thresholds.ack_p95_ms
    times = sorted(answer.seconds * 1000 for answer in facts)
    late = sum(time >= limit for time in times)
    allowed = 1 if len(facts) >= ANSWERS_WITH_ONE_LATE else 0
    problems = [f"{late} of {len(facts)} took {limit} ms or longer"] if late > allowed else []
    problems += [f"only {len(facts)} answers were timed, {ANSWERS} are needed"] if len(facts) < ANSWERS else []
    problems += [answer.line() for answer in facts if not 200 <= answer.status < 300][:3]
    slowest = ", ".join(f"{time:.0f}" for time in times[-3:])
    return judge(
        f"none of {ANSWERS}, or one of {ANSWERS_WITH_ONE_LATE}, at {limit} ms or above; all 2xx",
        seen=f"{len(facts)} answers, the slowest after {slowest} ms",
        problems=problems,
        evidence=(f"slowest: {slowest} ms of {len(facts)}",),
    )
