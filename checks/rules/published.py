"""The rule over addresses that others publish and the edge lets through."""

from checks.contract import Contract
from checks.model import Verdict, judge


def webhook_addresses(contract: Contract, facts: tuple[str, ...]) -> Verdict:
    """edge.webhook-addresses: the addresses that no limit touches are exactly Stripe's published ones (Stripe, "IPs").

    One that Stripe added may meet a limit; one that it gave up lets somebody else through.
    """
    declared, published = set(contract.edge.webhook_addresses), set(facts)
    problems = [f"Stripe posts from {one}, which is not let through" for one in sorted(published - declared)]
    problems += [f"{one} is let through and is not Stripe's" for one in sorted(declared - published)]
    return judge(
        "the declared addresses are those that Stripe publishes",
        seen=f"{len(published)} addresses",
        problems=problems or ([] if published else ["Stripe's list is empty"]),
        evidence=(", ".join(facts),),
    )
