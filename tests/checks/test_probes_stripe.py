import json
from urllib.parse import parse_qs, urlsplit

import pytest

from checks.errors import NeedsInput, ProbeError
from checks.probes import stripe
from checks.vantage import StripeAccess
from tests.checks.loopback import WebServer, unused_port

KEY = "rk_live_0123456789abcdef"


def endpoint(number: int, **changes):
    return {
        "id": f"we_{number}",
        "object": "webhook_endpoint",
        "url": f"https://api.tidewriters.example/{number}",
        "status": "enabled",
        "livemode": True,
        "api_version": "2026-10-28.endive",
        "enabled_events": ["refund.created", "invoice.paid"],
        **changes,
    }


@pytest.fixture
def account():
    """Stripe's API as far as it is asked: two pages of endpoints and the account."""

    def respond(method, host, path, headers, body):
        if headers["authorization"] != f"Bearer {KEY}":
            return 401, {}, json.dumps({"error": {"type": "invalid_request_error", "message": "Invalid API Key"}})
        asked = urlsplit(path)
        if asked.path == "/v1/account":
            return 200, {}, json.dumps(ACCOUNT)
        after = parse_qs(asked.query).get("starting_after")
        data = [endpoint(2, api_version=None)] if after else [endpoint(1)]
        page = {"object": "list", "url": "/v1/webhook_endpoints", "has_more": not after, "data": data}
        return 200, {}, json.dumps(page)

    with WebServer(respond) as server:
        yield server


ACCOUNT = {
    "id": "acct_1",
    "object": "account",
    "charges_enabled": True,
    "payouts_enabled": False,
    "requirements": {"currently_due": ["external_account"], "past_due": ["external_account"]},
}


def access(port: int, key: str = KEY) -> StripeAccess:
    return StripeAccess(api_base=f"http://127.0.0.1:{port}", api_key=key)


def test_every_page_of_endpoints_is_read(look, account):
    first, second = stripe.endpoints(look(stripe=access(account.port)))

    assert (first.id, first.events) == ("we_1", ("invoice.paid", "refund.created"))
    assert (second.id, second.api_version) == ("we_2", "")


def test_the_account_is_read(look, account):
    facts = stripe.account(look(stripe=access(account.port)))

    assert (facts.charges_enabled, facts.payouts_enabled, facts.due) == (True, False, ("external_account",))


def test_an_account_that_says_nothing_of_what_is_due_is_no_verdict(look):
    told = {key: value for key, value in ACCOUNT.items() if key != "requirements"}
    with (
        WebServer(lambda *_: (200, {}, json.dumps(told))) as server,
        pytest.raises(ProbeError, match="what the account still has to give"),
    ):
        stripe.account(look(stripe=access(server.port)))


def test_a_refused_key_is_no_verdict(look, account):
    with pytest.raises(ProbeError, match="AuthenticationError: Invalid API Key"):
        stripe.endpoints(look(stripe=access(account.port, "rk_live_wrong")))


def test_an_api_that_is_down_is_no_verdict(look):
    with pytest.raises(ProbeError, match="APIConnectionError"):
        stripe.endpoints(look(stripe=access(unused_port())))


def test_without_a_key_nothing_is_asked(look):
    with pytest.raises(NeedsInput, match="restricted Stripe key"):
        stripe.endpoints(look())
