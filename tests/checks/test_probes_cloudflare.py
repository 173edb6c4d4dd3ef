import json

import pytest

from checks.errors import NeedsInput, NotDeclared, ProbeError
from checks.probes import cloudflare, published
from checks.vantage import CloudflareAccess, StripeAccess
from tests.checks.exchanges import changed_edge
from tests.checks.loopback import WebServer, unused_port

OURS = ("3.18.12.63", "3.69.109.8")


@pytest.fixture
def asked():
    """What Cloudflare's API was asked for."""
    return []


@pytest.fixture
def api(look, asked):
    """Makes a scope whose Cloudflare API answers every read with `result`."""
    servers = []

    def start(result, subject=None, token="cf-token"):
        def respond(method, host, path, headers, body):
            known = headers["authorization"] == "Bearer cf-token"
            asked.append(f"{method} {path}")
            return (200 if known else 403), {}, json.dumps({"success": known, "result": result})

        servers.append(WebServer(respond))
        base = f"http://127.0.0.1:{servers[-1].port}/client/v4"
        return look(subject=subject, cloudflare=CloudflareAccess(api_base=base, api_token=token))

    yield start
    for server in servers:
        server.stop()


def test_a_zones_settings_are_read(api, asked, declared):
    found = cloudflare.zone_settings(api([{"id": "ssl", "value": "strict"}, {"id": "tls_1_3", "value": "on"}]))

    assert found == {"ssl": "strict", "tls_1_3": "on"}
    assert asked == [f"GET /client/v4/zones/{declared.zone.id}/settings"]


def test_how_bots_are_treated_is_read(api):
    assert cloudflare.bots(api({"fight_mode": True})) == {"fight_mode": True}


def test_the_firewalls_enabled_rules_are_read_in_their_order(api, declared):
    rules = [{"ref": "off", "enabled": False}, {"ref": "first", "enabled": True}, {"ref": "second"}]
    subject = changed_edge(declared, webhook_addresses=OURS)

    assert [rule["ref"] for rule in cloudflare.firewall(api({"rules": rules}, subject))] == ["first", "second"]
    with pytest.raises(NotDeclared, match="no address is declared"):
        cloudflare.firewall(api({"rules": rules}))


def test_a_phase_without_rules_has_none(look):
    refused = json.dumps({"success": False, "errors": [{"code": 10003}], "result": None})
    with WebServer(lambda *_: (404, {}, refused)) as server:
        access = CloudflareAccess(api_base=f"http://127.0.0.1:{server.port}", api_token="cf-token")

        assert cloudflare.ddos(look(cloudflare=access)) == ()
        with pytest.raises(ProbeError, match="404"):
            cloudflare.bots(look(cloudflare=access))


@pytest.mark.parametrize(
    ("probe", "result"),
    [(cloudflare.zone_settings, [{"id": "ssl"}]), (cloudflare.bots, []), (cloudflare.firewall, {"rules": None})],
)
def test_an_answer_in_another_form_is_no_verdict(api, declared, probe, result):
    with pytest.raises(ProbeError, match=r"form|no object"):
        probe(api(result, changed_edge(declared, webhook_addresses=OURS)))


def test_a_wrong_token_is_no_verdict(api):
    with pytest.raises(ProbeError, match="403"):
        cloudflare.zone_settings(api([], token="wrong"))


def test_without_a_token_no_setting_is_asked_for(look):
    with pytest.raises(NeedsInput, match="Cloudflare token with Bot Management: Read"):
        cloudflare.bots(look())


@pytest.fixture
def site(look, declared):
    """Makes a scope in whose rehearsal Stripe publishes `body`."""
    servers = []

    def start(body, status=200):
        servers.append(WebServer(lambda *_: (status, {}, body)))
        stripe = StripeAccess(api_base=f"http://127.0.0.1:{servers[-1].port}", api_key="rk_test")
        return look(subject=changed_edge(declared, webhook_addresses=OURS), stripe=stripe)

    yield start
    for server in servers:
        server.stop()


def test_stripes_published_addresses_are_read(site):
    scope = site(json.dumps({"WEBHOOKS": list(reversed(OURS))}))

    assert published.webhook_addresses(scope) == OURS


@pytest.mark.parametrize(("body", "status"), [("{}", 200), ("<html>", 200), ("{}", 500), ("", 302)])
def test_a_list_that_cannot_be_read_is_no_verdict(site, body, status):
    with pytest.raises(ProbeError, match="ips_webhooks"):
        published.webhook_addresses(site(body, status))


def test_without_limits_over_the_webhook_nobody_needs_to_be_let_through(look, declared):
    with pytest.raises(NotDeclared, match="nothing at the edge counts"):
        published.webhook_addresses(look())

    everything = declared.edge.rate_limits[0].model_copy(update={"paths": ("/",)})
    counted = changed_edge(declared, rate_limits=(everything,))
    stripe = StripeAccess(api_base=f"http://127.0.0.1:{unused_port()}", api_key="rk_test")
    with pytest.raises(ProbeError, match="ips_webhooks"):
        published.webhook_addresses(look(subject=counted, stripe=stripe))
