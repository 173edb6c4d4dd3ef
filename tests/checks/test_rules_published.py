import pytest

from checks.rules import published
from tests.checks.exchanges import changed_edge, passes

OURS = ("3.18.12.63", "3.69.109.8")


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (OURS, None),
        ((*OURS, "192.0.2.1"), "Stripe posts from 192.0.2.1, which is not let through"),
        (OURS[:1], "3.69.109.8 is let through and is not Stripe's"),
        ((), "is let through and is not Stripe's"),
    ],
)
def test_webhook_addresses(declared, found, said):
    assert passes(published.webhook_addresses(changed_edge(declared, webhook_addresses=OURS), found), said)


def test_an_empty_list_of_stripes_is_no_agreement(declared):
    assert passes(published.webhook_addresses(declared, ()), "Stripe's list is empty")


EXPRESSION = (
    '(ssl and http.host in {"api.tidewriters.example"} and http.request.uri.path eq "/webhooks/stripe" '
    "and ip.src in {3.18.12.63 3.69.109.8})"
)


def skip(expression=EXPRESSION, action="skip", **parameters):
    told = {"ruleset": "current", "phases": ["http_ratelimit"], **parameters}
    return {"action": action, "expression": expression, "action_parameters": told, "description": "Stripe"}


BLOCK = {"action": "block", "expression": "true", "description": "everybody"}


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ((skip(), BLOCK), None),
        ((BLOCK, skip()), "the first rule is everybody, no skip"),
        ((), "the first rule is not there"),
        ((skip(phases=[]),), "skips no phase"),
        ((skip(ruleset=None),), "not custom rules and limits"),
        ((skip(EXPRESSION.replace("api.", "www.")),), "does not name api.tidewriters.example"),
        ((skip(EXPRESSION.replace("/webhooks/stripe", "/")),), "does not name /webhooks/stripe"),
        ((skip(EXPRESSION.replace(" 3.69.109.8", "")),), "it lacks 3.69.109.8"),
        ((skip(EXPRESSION.replace("3.69.109.8", "3.69.109.8 192.0.2.0/24")),), "it lets 192.0.2.0/24 through"),
        ((skip("true"),), "it lacks 3.18.12.63"),
    ],
)
def test_stripe_is_let_through_first(declared, rules, said):
    assert passes(published.skipped_first(changed_edge(declared, webhook_addresses=OURS), rules), said)
