"""Rules over the Stripe account and its webhook endpoint."""

import re

from checks.contract import Contract
from checks.model import Verdict, judge
from checks.probes.aws.pipeline import FunctionFacts
from checks.probes.stripe import AccountFacts, EndpointFacts

# Without any one of these a member would be granted, kept or stopped wrongly, or nobody told (pipeline's event list).
REQUIRED_EVENTS = frozenset(
    {
        "charge.dispute.closed",
        "charge.dispute.created",
        "charge.refunded",
        "checkout.session.async_payment_failed",
        "checkout.session.async_payment_succeeded",
        "checkout.session.completed",
        "checkout.session.expired",
        "customer.created",
        "customer.deleted",
        "customer.subscription.created",
        "customer.subscription.deleted",
        "customer.subscription.paused",
        "customer.subscription.resumed",
        "customer.subscription.trial_will_end",
        "customer.subscription.updated",
        "customer.updated",
        "invoice.paid",
        "invoice.payment_action_required",
        "invoice.payment_failed",
        "invoice.payment_succeeded",
        "invoice_payment.paid",
        "payment_intent.payment_failed",
        "payment_intent.succeeded",
        "refund.created",
        "refund.failed",
        "refund.updated",
    }
)
TEST_KEY = re.compile(r"\b(?:sk|rk|pk)_test_")
LIVEMODE_VARIABLE = re.compile(r"(?:\A|_)LIVEMODE\Z")


def endpoint(contract: Contract, facts: tuple[EndpointFacts, ...]) -> Verdict:
    """stripe.endpoint: exactly one enabled endpoint has the webhook's exact URL, in the stack's mode (Stripe API).

    Endpoints at other hosts are not judged: the account may serve other applications.
    """
    url = contract.endpoints.webhook
    ours = [fact for fact in facts if fact.url == url]
    problems = [] if len(ours) == 1 else [f"{len(ours)} endpoints at {url}, must be one"]
    for fact in ours:
        if fact.status != "enabled":
            problems.append(f"{fact.id} is {fact.status}")
        if fact.livemode != contract.livemode:
            problems.append(f"{fact.id}: livemode {fact.livemode}, the stack's is {contract.livemode}")
    host = url.split("/")[2]
    problems += [f"{f.id} calls {f.url}, near but not {url}" for f in facts if f.url != url and f"//{host}" in f.url]
    return judge(
        f"one enabled endpoint at {url}",
        seen=", ".join(fact.id for fact in ours),
        problems=problems,
        evidence=tuple(f"{fact.id}: {fact.url} {fact.status}" for fact in facts),
    )


def events(contract: Contract, facts: tuple[EndpointFacts, ...]) -> Verdict:
    """stripe.events: the endpoint gets exactly the declared events, all that membership needs, and no "*"."""
    problems = []
    for fact in _ours(contract, facts):
        got = set(fact.events)
        problems += ['it gets "*": every event there is'] if "*" in got else []
        problems += [f"does not get {event}" for event in sorted(REQUIRED_EVENTS - got) if "*" not in got]
        problems += [f"gets {event}, which is not declared" for event in sorted(got - set(contract.stripe.events))]
    return _endpoint_verdict(contract, facts, f"the {len(REQUIRED_EVENTS)} events of membership", problems)


def version(contract: Contract, facts: tuple[EndpointFacts, ...]) -> Verdict:
    """stripe.version: the endpoint's api_version is the one that the code is written for (Stripe, go-live)."""
    wanted = contract.stripe.api_version
    problems = [
        f"{fact.id} sends {fact.api_version or 'the account default'}"
        for fact in _ours(contract, facts)
        if fact.api_version != wanted
    ]
    return _endpoint_verdict(contract, facts, f"api_version {wanted}", problems)


def account(_contract: Contract, facts: AccountFacts) -> Verdict:
    """stripe.account: charges and payouts are enabled and nothing is due (Stripe, go-live checklist)."""
    problems = [] if facts.charges_enabled else ["charges are not enabled"]
    problems += [] if facts.payouts_enabled else ["payouts are not enabled"]
    problems += [f"due: {', '.join(facts.due)}"] if facts.due else []
    return judge("charges and payouts enabled, nothing due", seen="nothing due", problems=problems)


def modes(contract: Contract, facts: tuple[tuple[EndpointFacts, ...], tuple[FunctionFacts, ...]]) -> Verdict:
    """sec.testkeys: stack, endpoint and functions agree on the mode; no test key in livemode.

    Stripe, go-live checklist. The client's bundle is not looked into: sec.bundle.
    """
    endpoints, functions = facts
    wanted = contract.livemode
    problems = [] if contract.stripe.livemode == wanted else [f"the endpoint is declared livemode {not wanted}"]
    problems += [f"{f.id}: livemode {f.livemode}" for f in _ours(contract, endpoints) if f.livemode != wanted]
    told = [(f.name, v) for f in functions for name, v in f.environment if LIVEMODE_VARIABLE.search(name)]
    problems += [f"{name} accepts livemode {value}" for name, value in told if value != str(wanted).lower()]
    problems += [] if told else ["no function is told which mode it accepts"]
    if wanted:
        problems += [
            f"{function.name}: {name} holds a test key"
            for function in functions
            for name, value in function.environment
            if TEST_KEY.search(value)
        ]
    return judge(f"livemode {wanted} everywhere", seen=f"{len(told)} functions and the endpoint", problems=problems)


def _ours(contract: Contract, facts: tuple[EndpointFacts, ...]) -> list[EndpointFacts]:
    return [fact for fact in facts if fact.url == contract.endpoints.webhook]


def _endpoint_verdict(
    contract: Contract, facts: tuple[EndpointFacts, ...], expected: str, problems: list[str]
) -> Verdict:
    ours = _ours(contract, facts)
    return judge(
        expected,
        seen=", ".join(fact.id for fact in ours),
        problems=problems or ([] if ours else [f"no endpoint at {contract.endpoints.webhook}"]),
        evidence=tuple(f"{fact.id} {fact.api_version}: {', '.join(fact.events)}" for fact in ours),
    )
