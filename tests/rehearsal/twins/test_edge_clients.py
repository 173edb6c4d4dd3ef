"""Where requests come from, and what rate limits make of it."""

from typing import Any

import pytest

from rehearsal.route import STRIPE_ADDRESS, Route
from rehearsal.twins.edge.access import Access
from rehearsal.twins.edge.exchange import Exchange
from rehearsal.twins.edge.passage import Passage
from rehearsal.twins.edge.phases import Phases
from rehearsal.twins.rules import Request
from tests.rehearsal.twins.declared import ZONE, Declaration, limit
from tests.rehearsal.twins.edge_world import API, APP, World, answering

EVENTS = 2000  # in a minute


def limiting(requests: int, *characteristics: str, expression: str = "true", **others: Any) -> dict[str, Any]:
    """A rule of the enterprise plan, which may count by anything."""
    rule = limit("/", requests)
    ratelimit = {**rule["ratelimit"], "characteristics": ["cf.colo.id", *characteristics], **others}
    return {**rule, "expression": expression, "ratelimit": ratelimit}


def statuses(world: World, count: int, path: str = "/", **headers: str) -> list[int]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return [world.get(f"https://{APP}{path}", headers=named).status_code for _ in range(count)]


def test_a_request_counts_as_sent_from_the_address_that_it_names(world: World):
    world.get(f"https://{APP}/", headers={"x-rehearsal-client": "2001:db8::7"})
    headers = world.origin.visits()[0].headers
    assert (headers["cf-connecting-ip"], headers["x-forwarded-for"]) == ("2001:db8::7", "2001:db8::7")
    assert "x-rehearsal-client" not in headers


def test_an_address_that_is_none_is_refused(world: World):
    assert world.get(f"https://{APP}/", headers={"x-rehearsal-client": "nobody"}).status_code == 400


@pytest.mark.parametrize("plan", ["business"])
def test_stripes_events_pass_a_limit_that_stops_everybody_else(world: World, serve):
    """As many as come in a minute, all of them from Stripe; the same flood from elsewhere meets 429."""
    world.origins[API] = serve(answering(200, []))
    spare_stripe(world.declared)
    url = f"https://{API}/webhooks/stripe"
    with Route(world.dns.port, world.edge.ports, world.ca_file).client(address=STRIPE_ADDRESS) as stripe:
        assert {stripe.post(url, content=b"{}").status_code for _ in range(30)} == {200}
    assert [world.client.post(url, content=b"{}").status_code for _ in range(30)] == [200] * 20 + [429] * 10


def test_two_thousand_events_in_a_minute_are_never_limited():
    declared, now = Declaration("business"), 0.0
    spare_stripe(declared)
    account, zone = declared.twin, declared.twin.zone_for(API)
    assert zone is not None
    phases = Phases(account, Access(lambda: now), lambda: now)

    def ends(client: str) -> bool:
        request = Request(method="POST", scheme="https", host=API, path="/w", raw_path="/w", client=client)
        passage = Passage(zone=zone, exchange=Exchange.of(request, b"{}", API), record=lambda event: None)
        return phases.answer(passage) is not None

    ended = {STRIPE_ADDRESS: 0, "192.0.2.1": 0}
    for _ in range(EVENTS):
        now += 60 / EVENTS
        for client in ended:
            ended[client] += ends(client)
    assert ended == {STRIPE_ADDRESS: 0, "192.0.2.1": EVENTS - 20}


def spare_stripe(declared: Declaration) -> None:
    """A limit for everything, and a rule before it that skips it for Stripe."""
    skip = {"ruleset": "current", "phases": ["http_ratelimit"]}
    rule = {"ref": "s", "expression": f"ip.src in {{{STRIPE_ADDRESS}}}", "action": "skip", "actionParameters": skip}
    declared.ruleset("http_request_firewall_custom", {**rule, "logging": {"enabled": False}})
    declared.ruleset("http_ratelimit", limit("/", 20, period=60, mitigation=60))


@pytest.mark.parametrize("plan", ["enterprise"])
@pytest.mark.parametrize(
    ("characteristic", "same", "other"),
    [
        ('http.request.headers["x-key"]', {"x_key": "a"}, {"x_key": "b"}),
        ('http.request.cookies["k"]', {"cookie": "k=a; z=1"}, {"cookie": "k=b"}),
        ("ip.src", {"x_rehearsal_client": "192.0.2.1"}, {"x_rehearsal_client": "192.0.2.2"}),
        ("cf.unique_visitor_id", {"x_rehearsal_client": "192.0.2.1"}, {"x_rehearsal_client": "192.0.2.2"}),
    ],
)
def test_a_rule_counts_by_its_characteristics(world: World, characteristic: str, same: Any, other: Any):
    world.declared.ruleset("http_ratelimit", limiting(2, characteristic))
    assert statuses(world, 3, **same) == [200, 200, 429]
    assert statuses(world, 2, **other) == [200, 200]


@pytest.mark.parametrize("plan", ["enterprise"])
def test_hosts_are_counted_together_unless_they_are_a_characteristic(world: World):
    world.declared.ruleset("http_ratelimit", limiting(1, "http.host"))
    assert [world.get(f"https://{host}/").status_code for host in (APP, ZONE, APP)] == [200, 200, 429]


@pytest.mark.parametrize("plan", ["pro"])
def test_each_rule_has_counters_of_its_own(world: World):
    world.declared.ruleset("http_ratelimit", limit("/auth/", 2), {**limit("/pri", 1), "ref": "other"})
    assert statuses(world, 2, "/pricing") == [200, 429]
    assert statuses(world, 3, "/auth/login") == [200, 200, 429]


@pytest.mark.parametrize("plan", ["enterprise"])
def test_a_rule_may_count_by_the_answer(world: World):
    rule = limiting(
        1, "ip.src", expression='http.request.uri.path eq "/auth/login"', countingExpression="http.response.code eq 401"
    )
    world.declared.ruleset("http_ratelimit", rule)
    url = f"https://{APP}/auth/login"
    assert [world.client.post(url).status_code for _ in range(3)] == [401, 401, 429]
    assert world.get(url).status_code == 429
    world.clock.now += 10
    assert world.get(url).status_code == 200


@pytest.mark.parametrize("plan", ["enterprise"])
def test_a_rule_without_mitigation_lets_requests_pass_at_its_rate(world: World):
    rule = limiting(1, "ip.src", mitigationTimeout=0.0)
    world.declared.ruleset("http_ratelimit", {**rule, "action": "managed_challenge"})
    assert statuses(world, 2) == [200, 403]
    world.clock.now += 9
    assert statuses(world, 1) == [403]
    world.clock.now += 1
    assert statuses(world, 1) == [200]
