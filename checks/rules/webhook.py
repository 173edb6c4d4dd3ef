"""Rules over what the webhook refuses."""

from checks.contract import Contract
from checks.model import Verdict, judge
from checks.probes.webhook import Refusal


def refused(_contract: Contract, facts: tuple[Refusal, ...]) -> Verdict:
    """wh.unsigned, wh.stale: what is not genuinely and recently signed is answered with 400.

    Stripe, "Verify webhook signatures". 403 and 401 fail too: they come from the edge or the gateway, and would
    meet Stripe's posts. That nothing was written is shown by a journey, not here.
    """
    problems = [f"{one.what}: {one.answer.line()}" for one in facts if one.answer.status != 400]
    return judge(
        "400",
        seen="; ".join(f"{one.what}: {one.answer.status}" for one in facts),
        problems=problems,
        evidence=tuple(f"{one.what}: {one.answer.line()}" for one in facts),
    )
