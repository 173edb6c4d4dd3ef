"""What the zone's rules do with requests, on every plan: parsed by Cloudflare's parser, evaluated by the twin's."""

from collections.abc import Iterator
from typing import Any, get_args

import octorules_wirefilter
import pulumi_cloudflare as cloudflare
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from handlers.settings import WEBHOOK_PATH
from infra.edge import expressions, headers, rate_limits
from infra.edge.addresses import STRIPE_WEBHOOK_ADDRESSES
from infra.edge.contract import edge
from infra.edge.firewall import SKIPPED_PHASES
from infra.edge.phases import RULESETS, Phase
from infra.edge.rules import OWN_ROUTES, edge_leaves_our_routes_alone
from infra.edge.sections import RateLimit, Waf
from infra.edge.zone_rules import zone_rules
from infra.plans import ORDER, PLANS, PlanName
from infra.problems import ConfigError
from infra.settings import Stack
from rehearsal.twins.rules import Request, compile_filter
from tests.infra.test_config import loaded

DOMAIN = "tidewriters.example"
APP, API = f"app.{DOMAIN}", f"api.{DOMAIN}"
STRIPE = STRIPE_WEBHOOK_ADDRESSES[0]
SIGN_IN = {"name": "sign-in", "paths": ["/auth/"], "requests": 20, "periodSeconds": 10}
FORMS = {"name": "public-forms", "paths": ["/contact"], "requests": 10, "periodSeconds": 10, "priority": 2}
SEARCH = {"name": "search", "paths": ["/search"], "requests": 60, "periodSeconds": 60, "hosts": ["app"], "priority": 3}
BY_PLAN: dict[PlanName, dict[str, Any]] = {  # one app, as each plan lets it be declared
    "free": {"rateLimits": [SIGN_IN, FORMS]},
    "pro": {"rateLimits": [SEARCH, FORMS, SIGN_IN]},
    "business": {"rateLimits": [SIGN_IN, FORMS, SEARCH]},
    "enterprise": {"rateLimits": [SIGN_IN, FORMS, SEARCH]},
}
EXTRA = {"ref": "old", "expression": '(http.host eq "old.tidewriters.example")', "action": "block"}


def declared(plan: PlanName = "free", **changes: Any) -> Stack:
    waf = {"blockedPaths": ["/.env", "/.git/"], "managed": True}
    values = {"zonePlan": plan, "waf": waf, "ddos": {"sensitivity": "medium"}, **BY_PLAN[plan]}
    return loaded(**{**values, **changes})


def every_rule(stack: Stack) -> Iterator[tuple[Phase, cloudflare.RulesetRuleArgs]]:
    for phase, rules in zone_rules(stack).items():
        for rule in rules:
            yield phase, rule


def request(url: str, *, client: str = "203.0.113.9", cookie: str = "", response: int | None = None) -> dict[str, Any]:
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    headers = (("cookie", cookie),) if cookie else ()
    made = Request(
        method="GET", scheme=scheme, host=host, path=slash + path, raw_path=slash + path, headers=headers, client=client
    )
    return {**made.fields(), "http.response.code": response}


def matching(stack: Stack, phase: Phase, fields: dict[str, Any]) -> list[str]:
    rules = zone_rules(stack).get(phase, ())
    return [str(rule.ref) for rule in rules if compile_filter(str(rule.expression))(fields)]


@pytest.mark.parametrize("plan", ORDER)
def test_cloudflares_own_parser_takes_every_expression(plan: PlanName) -> None:
    seen = 0
    for phase, rule in every_rule(declared(plan)):
        if rule.expression == expressions.EVERY_REQUEST:
            assert phase in ("ddos_l7", "http_request_firewall_managed")  # the API's own word, not the language's
            continue
        parsed = octorules_wirefilter.parse_expression(str(rule.expression))
        assert "error" not in parsed, (rule.ref, parsed)
        assert parsed["fields"], rule.ref
        seen += 1
    assert seen >= 12


def test_the_oracle_does_refuse_a_broken_expression() -> None:
    assert "error" in octorules_wirefilter.parse_expression('(http.hots eq "x")')


@pytest.mark.parametrize("plan", ORDER)
def test_no_rule_needs_what_the_plan_lacks(plan: PlanName) -> None:
    limits = PLANS[plan]
    for phase, rules in zone_rules(declared(plan)).items():
        most = RULESETS[phase].limit
        assert most is None or len(rules) <= most(limits)
        for rule in rules:
            parsed = octorules_wirefilter.parse_expression(str(rule.expression))
            assert limits.regex or not parsed["regex_literals"]
            assert phase != "http_ratelimit" or limits.limits_by(*parsed["fields"])


@pytest.mark.parametrize("plan", ORDER)
def test_every_rule_has_a_ref_of_its_own(plan: PlanName) -> None:
    refs = [rule.ref for _, rule in every_rule(declared(plan))]
    assert all(refs)
    assert len(set(refs)) == len(refs)


def test_stripes_webhooks_skip_everything_that_a_rule_may_skip_before_any_other_rule() -> None:
    first = zone_rules(declared("free", extraRules={"http_request_firewall_custom": [{**EXTRA, "position": "first"}]}))[
        "http_request_firewall_custom"
    ][0]
    assert (first.ref, first.action) == ("stripe-webhooks", "skip")
    parameters = first.action_parameters
    assert isinstance(parameters, cloudflare.RulesetRuleActionParametersArgs)
    assert (parameters.ruleset, parameters.phases) == ("current", list(SKIPPED_PHASES))
    assert isinstance(parameters.products, list)
    assert "securityLevel" in parameters.products


@pytest.mark.parametrize(
    ("url", "client", "passes"),
    [
        (f"https://{API}{WEBHOOK_PATH}", STRIPE, True),
        (f"https://{API}{WEBHOOK_PATH}", "203.0.113.9", False),
        (f"http://{API}{WEBHOOK_PATH}", STRIPE, False),
        (f"https://{API}{WEBHOOK_PATH}/more", STRIPE, False),
        (f"https://{API}/v1/members/u1", STRIPE, False),
        (f"https://{APP}{WEBHOOK_PATH}", STRIPE, False),
    ],
)
def test_only_stripes_own_requests_to_the_webhook_skip(url: str, client: str, passes: bool) -> None:
    found = matching(declared(), "http_request_firewall_custom", request(url, client=client))
    assert ("stripe-webhooks" in found) == passes


@pytest.mark.parametrize("plan", ORDER)
@pytest.mark.parametrize("address", STRIPE_WEBHOOK_ADDRESSES)
def test_no_limit_block_or_redirect_matches_an_event_from_stripe(plan: PlanName, address: str) -> None:
    stack, event = declared(plan), request(f"https://{API}{WEBHOOK_PATH}", client=address)
    assert matching(stack, "http_request_firewall_custom", event) == ["stripe-webhooks"]
    assert matching(stack, "http_ratelimit", event) == []
    assert matching(stack, "http_request_dynamic_redirect", event) == []


@pytest.mark.parametrize(
    ("url", "phase", "refs"),
    [
        (f"http://{API}/v1/members/u1", "http_request_firewall_custom", ["plain-http-api"]),
        (f"http://{API}/v1/members/u1", "http_request_dynamic_redirect", []),
        (f"http://{APP}/", "http_request_firewall_custom", []),
        (f"https://{APP}/.env", "http_request_firewall_custom", ["blocked-paths"]),
        (f"https://{APP}/.ENV.local", "http_request_firewall_custom", ["blocked-paths"]),
        (f"https://{APP}/.well-known/security.txt", "http_request_firewall_custom", []),
        (f"https://{APP}/auth/login", "http_ratelimit", ["rate-limit-sign-in"]),
        (f"https://{APP}/authors", "http_ratelimit", []),
        (f"https://{APP}/_next/static/a.js", "http_request_cache_settings", ["static-files"]),
        (f"https://{APP}/pricing", "http_request_cache_settings", ["pages"]),
        (f"https://{APP}/about.html", "http_request_cache_settings", ["pages"]),
        (f"https://{APP}/logo.png", "http_request_cache_settings", []),
        (f"https://{APP}/account/x.css", "http_request_cache_settings", ["never-cached"]),
        (f"https://{API}/health", "http_request_cache_settings", ["never-cached"]),
        (f"https://{API}/_next/static/a.js", "http_request_cache_settings", ["never-cached"]),
    ],
)
def test_a_request_meets_these_rules(url: str, phase: Phase, refs: list[str]) -> None:
    assert matching(declared(), phase, request(url)) == refs


@pytest.mark.parametrize(
    ("url", "last"),
    [
        (f"https://{APP}/_next/static/a.js", "signed-in"),
        (f"https://{APP}/logo.png", "signed-in"),
        (f"https://{API}/health", "signed-in"),
    ],
)
def test_whoever_is_signed_in_is_answered_by_the_origin(url: str, last: str) -> None:
    fields = request(url, cookie="theme=dark; __Host-session=abc")
    assert matching(declared(), "http_request_cache_settings", fields)[-1] == last
    assert last not in matching(declared(), "http_request_cache_settings", request(url, cookie="theme=dark"))


@pytest.mark.parametrize(("response", "immutable"), [(200, True), (404, False), (500, False), (304, False)])
def test_an_error_is_never_called_immutable(response: int, immutable: bool) -> None:
    found = matching(
        declared(), "http_response_headers_transform", request(f"https://{APP}/_next/static/a.js", response=response)
    )
    assert ("static-immutable" in found) == immutable


@pytest.mark.parametrize(
    ("plan", "counted", "left_out"),
    [
        ("free", ["sign-in"], ["rate-limit-public-forms", "managed-firewall"]),
        ("pro", ["sign-in", "public-forms"], ["rate-limit-search"]),
        ("business", ["sign-in", "public-forms", "search"], []),
        ("enterprise", ["sign-in", "public-forms", "search"], []),
    ],
)
def test_each_plan_gives_up_what_it_has_no_room_for_and_says_so(
    plan: PlanName, counted: list[str], left_out: list[str]
) -> None:
    said = edge(declared(plan))
    assert [limit["name"] for limit in said["rate_limits"]] == counted
    assert [entry["name"] for entry in said["unprotected"]] == left_out
    assert all("allows it" in entry["why"] for entry in said["unprotected"])


@pytest.mark.parametrize(
    ("plan", "managed"),
    [
        ("free", ["Cloudflare Managed Free Ruleset"]),
        ("pro", ["Cloudflare Managed Ruleset", "Cloudflare OWASP Core Ruleset"]),
    ],
)
def test_the_managed_rulesets_are_those_of_the_plan(plan: PlanName, managed: list[str]) -> None:
    assert edge(declared(plan))["waf"]["managed"] == managed
    assert len(zone_rules(declared(plan))["http_request_firewall_managed"]) == len(managed)
    waf = {"blockedPaths": ["/.env"], "managed": False}
    assert "http_request_firewall_managed" not in zone_rules(declared(plan, waf=waf))


def test_rules_from_before_keep_their_place_around_ours() -> None:
    around = [{**EXTRA, "ref": "before", "position": "first"}, {**EXTRA, "ref": "after"}]
    rules = zone_rules(declared(extraRules={"http_request_firewall_custom": around}))["http_request_firewall_custom"]
    assert [rule.ref for rule in rules] == ["stripe-webhooks", "before", "plain-http-api", "blocked-paths", "after"]


def test_rules_from_before_may_be_in_phases_that_the_program_leaves_alone() -> None:
    parameters = {"origin": {"host": "origin.example", "port": 8443}}
    rule = {**EXTRA, "action": "route", "actionParameters": parameters}
    [kept] = zone_rules(declared(extraRules={"http_request_origin": [rule]}))["http_request_origin"]
    assert isinstance(kept.action_parameters, cloudflare.RulesetRuleActionParametersArgs)
    origin = kept.action_parameters.origin
    assert isinstance(origin, cloudflare.RulesetRuleActionParametersOriginArgs)
    assert (origin.host, origin.port) == ("origin.example", 8443)


def test_a_challenge_from_before_may_have_no_time_of_its_own() -> None:
    limit = {"characteristics": ["ip.src", "cf.colo.id"], "period": 10, "requestsPerPeriod": 5, "mitigationTimeout": 0}
    old = {**EXTRA, "expression": 'http.request.uri.path eq "/old"', "action": "managed_challenge", "ratelimit": limit}
    [kept] = zone_rules(declared(rateLimits=[], extraRules={"http_ratelimit": [old]}))["http_ratelimit"]
    assert isinstance(kept.ratelimit, cloudflare.RulesetRuleRatelimitArgs)
    assert kept.ratelimit.mitigation_timeout == 0


def test_lists_and_maps_of_parameters_from_before_keep_their_shape() -> None:
    rule = {
        **EXTRA,
        "action": "rewrite",
        "actionParameters": {"headers": {"x-old": {"operation": "set", "value": "1"}}},
    }
    extra = {"http_request_late_transform": [rule]}
    [kept] = zone_rules(declared(extraRules=extra))["http_request_late_transform"]
    assert isinstance(kept.action_parameters, cloudflare.RulesetRuleActionParametersArgs)
    headers = kept.action_parameters.headers
    assert isinstance(headers, dict)
    assert headers["x-old"] == cloudflare.RulesetRuleActionParametersHeadersArgs(operation="set", value="1")


def test_a_limit_from_before_takes_its_room_from_ours() -> None:
    limit = {"characteristics": ["ip.src", "cf.colo.id"], "period": 10, "requestsPerPeriod": 5, "mitigationTimeout": 10}
    old = {**EXTRA, "expression": 'http.request.uri.path eq "/old"', "ratelimit": limit}
    stack = declared(extraRules={"http_ratelimit": [old]})
    assert [rule.ref for rule in zone_rules(stack)["http_ratelimit"]] == ["old"]
    assert [entry["name"] for entry in rate_limits.unprotected(stack)] == [
        "rate-limit-sign-in",
        "rate-limit-public-forms",
    ]


@pytest.mark.parametrize(
    ("plan", "phase", "count", "said"),
    [
        ("free", "http_request_firewall_custom", 3, "plan 'free' allows 5 in http_request_firewall_custom"),
        ("free", "http_ratelimit", 2, "plan 'free' allows 1 in http_ratelimit"),
        ("pro", "http_request_cache_settings", 22, "plan 'pro' allows 25 in http_request_cache_settings"),
        ("business", "http_config_settings", 51, "plan 'business' allows 50 in http_config_settings"),
    ],
)
def test_one_rule_too_many_is_refused_with_the_plan_that_would_take_it(
    plan: PlanName, phase: str, count: int, said: str
) -> None:
    path = 'http.request.uri.path eq "/old"'
    rules = [{**EXTRA, "ref": f"old-{number}", "expression": path} for number in range(count)]
    with pytest.raises(ConfigError) as caught:
        zone_rules(declared(plan, extraRules={phase: rules}))
    [problem] = caught.value.problems
    assert said in problem.limit
    larger = ORDER[ORDER.index(plan) + 1]
    assert problem.remedy == f"Declare fewer; zonePlan {larger} allows it."


def test_a_rule_from_before_cannot_have_the_ref_of_one_of_ours() -> None:
    with pytest.raises(ConfigError) as caught:
        zone_rules(declared(extraRules={"http_request_firewall_custom": [{**EXTRA, "ref": "blocked-paths"}]}))
    [problem] = caught.value.problems
    assert (problem.key, problem.value) == ("launch-ready:extraRules.http_request_firewall_custom", "blocked-paths")


def test_an_expression_that_is_too_long_is_named_by_its_rule() -> None:
    with pytest.raises(ConfigError) as caught:
        zone_rules(declared(waf={"blockedPaths": [f"/{number}{'a' * 150}" for number in range(30)]}))
    assert "the expression of rule blocked-paths has at most 4096 characters" in str(caught.value)


def test_the_edge_leaves_the_policy_of_a_host_to_its_app() -> None:
    stack = declared(csp={"leftToApp": ["app"]})
    app = stack.host("app")
    assert app not in headers.policies(stack)
    assert app not in [entry["host"] for entry in headers.declared_policies(stack)]
    assert app not in str([rule.expression for rule in headers.rules(stack) if str(rule.ref).startswith("csp-")])


def test_hosts_with_the_same_policy_share_a_rule() -> None:
    own = "default-src 'none'; base-uri 'none'; object-src 'none'"
    stack = declared(csp={"rung": "enforce", "target": "enforce", "policies": {"app": own, "ops": own}})
    rules = {rule.ref: rule for rule in zone_rules(stack)["http_response_headers_transform"]}
    assert rules["csp-2"].expression == f'(http.host in {{"{APP}" "ops.{DOMAIN}"}})'
    said = {entry["host"]: entry for entry in edge(stack)["csp"]}
    assert said[APP] == {"host": APP, "enforced": True, "policy": own}
    assert set(said) == {DOMAIN, APP, f"ops.{DOMAIN}"}


@pytest.mark.parametrize(("frame", "ancestors"), [("deny", "'none'"), ("sameorigin", "'self'")])
def test_the_strict_policy_agrees_with_the_older_header_about_frames(frame: str, ancestors: str) -> None:
    said = edge(declared(headers={"frame": frame}))
    assert {entry["policy"].partition("frame-ancestors ")[2] for entry in said["csp"]} == {ancestors}
    assert {entry["value"] for entry in said["headers"] if entry["name"] == "x-frame-options"} == {frame.upper()}


@pytest.mark.parametrize("text", ['a"b', "a\\b", 'x") or (true'])
def test_a_quote_in_a_value_does_not_leave_its_string(text: str) -> None:
    parsed = octorules_wirefilter.parse_expression(expressions.asks_for(text))
    assert "error" not in parsed
    assert parsed["fields"] == ["http.host"]


@pytest.mark.parametrize(
    ("expression", "fields", "regex"),
    [
        ('(http.host eq "matches ip.src")', {"http.host"}, False),
        ('http.request.uri.path matches "^/a"', {"http.request.uri.path"}, True),
        (
            'ip.src in {192.0.2.1} and not ssl and http.user_agent contains r#"~"#',
            {"ip.src", "ssl", "http.user_agent"},
            False,
        ),
        ('http.request.headers["x"][0] ~ "a"', {"http.request.headers"}, True),
    ],
)
def test_what_somebody_elses_expression_reads_is_what_cloudflares_parser_says(
    expression: str, fields: set[str], regex: bool
) -> None:
    parsed = octorules_wirefilter.parse_expression(expression)
    assert expressions.fields(expression) == fields == set(parsed["fields"])
    assert expressions.uses_regex(expression) == regex == bool(parsed["regex_literals"])


PATHS = st.from_regex(r"/[A-Za-z0-9._~/-]{1,30}", fullmatch=True)
NEAR_OUR_ROUTES = st.builds(
    lambda route, cut, more: route[:cut] + more, st.sampled_from(OWN_ROUTES), st.integers(2, 20), PATHS
)
ANY_PATH = st.one_of(PATHS, NEAR_OUR_ROUTES, st.sampled_from(OWN_ROUTES))


@given(paths=st.lists(ANY_PATH, min_size=1, max_size=4), below=st.sampled_from(["", "/u1"]))
def test_no_block_or_limit_that_is_accepted_ever_matches_our_routes(paths: list[str], below: str) -> None:
    waf, limit = Waf.model_validate({"blockedPaths": tuple(paths)}), RateLimit(name="limit", paths=tuple(paths))
    assume(not list(edge_leaves_our_routes_alone(waf, (limit,))))
    block = compile_filter(expressions.path_starts_with_in_any_case(waf.blocked_paths))
    count = compile_filter(rate_limits.expression(limit, ()))
    for route in OWN_ROUTES:
        fields = request(f"https://{API}{route}{below}")
        assert not block(fields)
        assert not count(fields)


@given(
    plan=st.sampled_from(ORDER),
    limits=st.lists(st.integers(1, 5), max_size=8),
    extras=st.integers(0, 6),
)
def test_there_are_never_more_limits_than_the_plan_counts_and_the_first_priorities_win(
    plan: PlanName, limits: list[int], extras: int
) -> None:
    wanted = [RateLimit(name=f"limit-{n}", paths=("/a",), priority=priority) for n, priority in enumerate(limits)]
    found = rate_limits.by_priority(wanted, PLANS[plan].rate_limit_rules - extras)
    assert len(found.counted) + extras <= max(PLANS[plan].rate_limit_rules, extras)
    assert sorted(limit.name for limit in (*found.counted, *found.left_out)) == sorted(limit.name for limit in wanted)
    if found.counted and found.left_out:
        assert max(limit.priority for limit in found.counted) <= min(limit.priority for limit in found.left_out)


def test_every_phase_has_a_ruleset_name_of_its_own() -> None:
    assert set(RULESETS) == set(get_args(Phase))
    assert len({ruleset.name for ruleset in RULESETS.values()}) == len(RULESETS)
