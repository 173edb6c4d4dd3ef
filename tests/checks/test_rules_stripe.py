from dataclasses import replace

import pytest

from checks.probes.aws.pipeline import FunctionFacts
from checks.probes.stripe import AccountFacts, EndpointFacts
from checks.probes.webhook import Refusal
from checks.rules import stripe, webhook
from tests.checks.exchanges import exchange, passes

URL = "https://api.tidewriters.example/webhooks/stripe"
GOOD = EndpointFacts(
    id="we_1",
    url=URL,
    status="enabled",
    livemode=True,
    api_version="2026-10-28.endive",
    events=tuple(sorted(stripe.REQUIRED_EVENTS)),
)
OTHER = replace(GOOD, id="we_2", url="https://other.example/hook")


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ((GOOD, OTHER), None),
        ((), f"0 endpoints at {URL}"),
        ((GOOD, replace(GOOD, id="we_2")), "2 endpoints"),
        ((replace(GOOD, status="disabled"),), "we_1 is disabled"),
        ((replace(GOOD, livemode=False),), "livemode False"),
        ((GOOD, replace(GOOD, id="we_2", url=f"{URL}/")), "we_2 calls"),
    ],
)
def test_endpoint(declared, facts, said):
    assert passes(stripe.endpoint(declared, facts), said)


@pytest.mark.parametrize(
    ("events", "said"),
    [
        (GOOD.events, None),
        (GOOD.events[1:], "does not get charge.dispute.closed"),
        (("*",), 'it gets "*"'),
        ((*GOOD.events, "plan.created"), "gets plan.created, which is not declared"),
        ((), "does not get invoice.paid"),
    ],
)
def test_events(declared, events, said):
    assert passes(stripe.events(declared, (replace(GOOD, events=events),)), said)


def test_too_few_events_fail_also_where_they_are_what_was_declared(declared):
    few = ("invoice.paid",)
    weak = declared.model_copy(update={"stripe": declared.stripe.model_copy(update={"events": few})})

    assert passes(stripe.events(weak, (replace(GOOD, events=few),)), "does not get charge.refunded")


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ((GOOD,), None),
        ((replace(GOOD, api_version="2020-08-27"),), "we_1 sends 2020-08-27"),
        ((replace(GOOD, api_version=""),), "we_1 sends the account default"),
        ((OTHER,), f"no endpoint at {URL}"),
    ],
)
def test_version(declared, facts, said):
    assert passes(stripe.version(declared, facts), said)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (AccountFacts(charges_enabled=True, payouts_enabled=True, due=()), None),
        (AccountFacts(charges_enabled=False, payouts_enabled=True, due=()), "charges are not enabled"),
        (AccountFacts(charges_enabled=True, payouts_enabled=False, due=()), "payouts are not enabled"),
        (AccountFacts(charges_enabled=True, payouts_enabled=True, due=("iban",)), "due: iban"),
    ],
)
def test_account(declared, facts, said):
    assert passes(stripe.account(declared, facts), said)


def function(**variables: str) -> FunctionFacts:
    return FunctionFacts(name="webhook", exists=True, environment=tuple(variables.items()))


@pytest.mark.parametrize(
    ("endpoint", "told", "said"),
    [
        (GOOD, function(LAUNCH_LIVEMODE="true"), None),
        (GOOD, function(LAUNCH_LIVEMODE="false"), "webhook accepts livemode false"),
        (GOOD, function(), "no function is told which mode"),
        (GOOD, function(LAUNCH_LIVEMODE="true", X="pk_test_123"), "webhook: X holds a test key"),
        (replace(GOOD, livemode=False), function(LAUNCH_LIVEMODE="true"), "we_1: livemode False"),
    ],
)
def test_modes(declared, endpoint, told, said):
    assert passes(stripe.modes(declared, ((endpoint,), (told,))), said)


def test_refusals_with_the_status_that_the_stack_declares(declared):
    other = declared.model_copy(update={"webhook": declared.webhook.model_copy(update={"bad_signature_status": 401})})
    facts = (Refusal(what="a wrong one", answer=exchange(URL, 401, method="POST")),)

    assert passes(webhook.refused(other, facts), None)
    assert passes(webhook.refused(declared, facts), "-> 401")


@pytest.mark.parametrize(("status", "said"), [(400, None), (200, "a wrong one"), (403, "-> 403"), (500, "-> 500")])
def test_refusals(declared, status, said):
    facts = (Refusal(what="a wrong one", answer=exchange(URL, status, method="POST")),)

    assert passes(webhook.refused(declared, facts), said)
