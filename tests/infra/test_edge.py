import octorules_wirefilter
import pytest

from infra.edge import expressions
from rehearsal.graph import Graph

SETTING = "cloudflare:index/zoneSetting:ZoneSetting"
RULESET = "cloudflare:index/ruleset:Ruleset"
API = "api.tidewriters.example"


def rules(graph: Graph, name: str) -> dict[str, dict]:
    return {rule["ref"]: rule for rule in graph.get(RULESET, name).inputs["rules"]}


def test_the_settings_are_these(graph: Graph) -> None:
    found = {setting.inputs["settingId"]: setting.inputs["value"] for setting in graph.of_type(SETTING)}
    header = {"enabled": True, "max_age": 31536000, "include_subdomains": True, "preload": False, "nosniff": True}
    assert found == {
        "ssl": "strict",
        "min_tls_version": "1.2",
        "tls_1_3": "on",
        "always_use_https": "off",
        "security_header": {"strict_transport_security": header},
    }


def test_each_phase_has_one_ruleset(graph: Graph) -> None:
    phases = [ruleset.inputs["phase"] for ruleset in graph.of_type(RULESET)]
    assert sorted(phases) == [
        "http_ratelimit",
        "http_request_cache_settings",
        "http_request_dynamic_redirect",
        "http_request_firewall_custom",
    ]


def test_every_rule_has_a_ref_of_its_own(graph: Graph) -> None:
    refs = [rule.get("ref") for ruleset in graph.of_type(RULESET) for rule in ruleset.inputs["rules"]]
    assert all(refs)
    assert len(set(refs)) == len(refs)


def test_cloudflares_own_parser_takes_every_expression(graph: Graph) -> None:
    for ruleset in graph.of_type(RULESET):
        for rule in ruleset.inputs["rules"]:
            parsed = octorules_wirefilter.parse_expression(rule["expression"])
            assert parsed["fields"], rule
            assert "error" not in parsed, rule


def test_the_oracle_does_refuse_a_broken_expression() -> None:
    assert "error" in octorules_wirefilter.parse_expression('(http.hots eq "x")')


def test_www_goes_to_the_apex_in_one_hop_before_any_other_redirect(graph: Graph) -> None:
    first = graph.get(RULESET, "redirects").inputs["rules"][0]
    assert first["expression"] == '(http.host eq "www.tidewriters.example")'
    value = first["actionParameters"]["fromValue"]
    assert value == {
        "statusCode": 301,
        "preserveQueryString": True,
        "targetUrl": {"expression": 'concat("https://", "tidewriters.example", http.request.uri.path)'},
    }


def test_plain_http_is_redirected_on_peoples_hosts_and_blocked_on_the_api(graph: Graph) -> None:
    redirect = rules(graph, "redirects")["https"]
    assert API not in redirect["expression"]
    for host in ("tidewriters.example", "app.tidewriters.example", "ops.tidewriters.example"):
        assert f'"{host}"' in redirect["expression"]
    block = rules(graph, "firewall")["plain-http-api"]
    assert (block["action"], block["expression"]) == ("block", f'(not ssl and http.host in {{"{API}"}})')


def test_only_static_files_of_peoples_hosts_are_cached(graph: Graph) -> None:
    rule = rules(graph, "cache")["static-files"]
    assert 'starts_with(http.request.uri.path, "/_next/static/")' in rule["expression"]
    assert API not in rule["expression"]
    assert rule["actionParameters"] == {"cache": True, "edgeTtl": {"mode": "override_origin", "default": 86400}}


def test_the_rate_limit_is_what_the_free_plan_can_count(graph: Graph) -> None:
    rule = rules(graph, "rate-limits")["rate-limit"]
    assert octorules_wirefilter.parse_expression(rule["expression"])["fields"] == ["http.request.uri.path"]
    assert rule["ratelimit"] == {
        "characteristics": ["ip.src", "cf.colo.id"],
        "period": 10,
        "requestsPerPeriod": 20,
        "mitigationTimeout": 10,
    }


@pytest.mark.parametrize("text", ['a"b', "a\\b", 'x") or (true'])
def test_a_quote_in_a_value_does_not_leave_its_string(text: str) -> None:
    parsed = octorules_wirefilter.parse_expression(expressions.asks_for(text))
    assert "error" not in parsed
    assert parsed["fields"] == ["http.host"]
