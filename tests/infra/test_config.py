import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from handlers.core.desired import labels
from handlers.core.membership import Membership, State
from infra.config import load
from infra.problems import ConfigError
from infra.rules import STATE_LABELS
from infra.settings import Settings, Stack

ROOT = Path(__file__).resolve().parents[2]
SECRETS = {
    "stripeApiKey": "rk_live_deploy",
    "stripeReadKey": "rk_live_read",
    "kitApiKey": "kit_made_up",
    "slackBotToken": "xoxb-made-up",
    "identityKey": "made-up-" + "k" * 32,
}
KIT = {"tags": {"member_active": 1}}
LIMIT = {"name": "sign-in", "paths": ["/auth/"]}
FIREWALL = "http_request_firewall_custom"
CACHE = "http_request_cache_settings"
RULE = {"ref": "old", "expression": '(http.host eq "old.tidewriters.example")', "action": "block"}


def answering(**response: Any) -> dict[str, Any]:
    return {**RULE, "actionParameters": {"response": response}}


def caching(**parameters: Any) -> dict[str, Any]:
    return {**RULE, "action": "set_cache_settings", "actionParameters": {"cache": True, **parameters}}


SLACK = {"slack": {"channel": "C1AB"}}
SOURCE = "aws.partner/stripe.com/ed_61TEN0dErlaWJQzTZ16Qafnx2x"

# What names hosts of the stack in the project, emptied: for tests that declare other hosts.
NO_HOSTS_NAMED: dict[str, Any] = {
    "redirects": {},
    "securityTxt": {},
    "apps": {},
    "access": {},
    "maintenance": {},
}


def raw(**changes: Any) -> dict[str, str]:
    """The prod stack as Pulumi hands it over, with some keys changed, or left out where None."""
    written = yaml.safe_load((ROOT / "Pulumi.prod.yaml").read_text(encoding="utf-8"))["config"]
    changes = {"spfLookups": "recorded", **SECRETS, **changes}  # a test asks no resolver
    values = {**written, **{f"launch-ready:{key}": value for key, value in changes.items()}}
    return {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in values.items()
        if value is not None
    }


def loaded(**changes: Any) -> Stack:
    return load(raw(**changes), project="launch-ready", stack="prod")


def problems(values: Mapping[str, str] | None = None, **changes: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(values or raw(**changes), project="launch-ready", stack="prod")
    return [str(problem) for problem in caught.value.problems]


def host(**changes: Any) -> dict[str, Any]:
    return {"name": "@", "platform": "plain", "addresses": ["203.0.113.24"], "role": "web", **changes}


def test_the_stack_in_the_project_is_complete_but_for_its_secrets() -> None:
    stack = loaded()
    assert (stack.prefix, stack.region, stack.api_host) == ("launch-ready-prod", "eu-west-1", "api.tidewriters.example")
    assert stack.proxied_web_hosts == ("tidewriters.example", "app.tidewriters.example", "ops.tidewriters.example")


def test_pulumi_yaml_has_the_same_keys_types_and_defaults_as_the_models() -> None:
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))
    declared = {key.removeprefix("launch-ready:"): entry for key, entry in project["config"].items()}
    assert declared.keys() == {field.alias for field in Settings.model_fields.values()}
    stack = loaded(**{key: entry["default"] for key, entry in declared.items() if "default" in entry})
    for name, field in Settings.model_fields.items():
        entry = declared[field.alias or name]
        assert entry["description"]
        assert ("default" in entry) == (not field.is_required()), name
        assert entry.get("secret", False) == (field.annotation is SecretStr), name
        if "default" in entry:
            assert getattr(stack.settings, name) == field.get_default(call_default_factory=True), name


def test_defaults_apply_where_nothing_is_written() -> None:
    stack = loaded(hsts=None, cache=None, protect=None, reservedConcurrency=None, lambdaRuntime=None)
    assert stack.settings.hsts.max_age == 31536000
    assert stack.settings.protect is True
    assert stack.settings.reserved_concurrency == {}


def test_everything_that_is_wrong_is_said_at_once() -> None:
    found = problems(
        domain="tidewriters.example:443",
        domian="x",
        alertEmail=None,
        hosts=[host(), host(name="app", platform="heroku")],
        rateLimits=[{**LIMIT, "periodSeconds": 60}],
        livemode="perhaps",
    )
    keys = [problem.partition(": got ")[0].removeprefix("launch-ready:") for problem in found]
    assert keys == ["domian", "domain", "livemode", "hosts[1].platform", "alertEmail", "rateLimits[0].periodSeconds"]


@pytest.mark.parametrize(
    ("changes", "key", "said"),
    [
        ({"domain": "tidewriters.example."}, "domain", "without the trailing dot"),
        ({"domain": "https://tidewriters.example"}, "domain", "neither scheme nor path"),
        ({"domain": "a" * 61 + ".example"}, "domain", "at most 60 characters"),
        ({"cloudflareAccountId": "abc"}, "cloudflareAccountId", "match pattern"),
        ({"zonePlan": "gold"}, "zonePlan", "'free', 'pro', 'business' or 'enterprise'"),
        ({"livemode": "1"}, "livemode", "a valid boolean"),
        ({"livemode": "yes"}, "livemode", "it must be true or false"),
        ({"logRetentionDays": 31}, "logRetentionDays", "it must be 7, 14, 30"),
        ({"applyMaxConcurrency": 1}, "applyMaxConcurrency", "greater than or equal to 2"),
        ({"syncMaxConcurrency": "2.5"}, "syncMaxConcurrency", "a valid integer"),
        ({"lambdaRuntime": "python3.9"}, "lambdaRuntime", "'python3.11'"),
        ({"hosts": []}, "hosts", "it needs at least 1"),
        ({"hosts": "[{"}, "hosts", "it must be JSON"),
        ({"ssl": "full"}, "ssl", "the edge would take any certificate of the origin"),
        ({"ssl": "flexible"}, "ssl", "asked for ever, in a loop"),
        ({"ssl": "tight"}, "ssl", "its modes are strict, full, flexible, off"),
        ({"minTlsVersion": "1.1"}, "minTlsVersion", "RFC 8996"),
        ({"hsts": {"rung": "decade"}}, "hsts.rung", "'minutes', 'week', 'month', 'year' or 'preload'"),
        ({"hsts": {"rung": "preload", "target": "year"}}, "hsts.target", "not below the rung, preload"),
        ({"hsts": {"rung": "week", "target": "year"}}, "hsts.by", "rung week is below the target year"),
        ({"csp": {"rung": "report-only", "target": "enforce"}}, "csp.by", "must have a day"),
        ({"csp": {"by": "soon"}}, "csp.by", "date"),
        ({"csp": {"policies": {"shop": "default-src 'self'"}}}, "csp.policies", "declared hosts that are proxied"),
        ({"csp": {"leftToApp": ["shop"]}}, "csp.leftToApp", "declared hosts that are proxied"),
        (
            {"csp": {"policies": {"app": "default-src 'self'"}, "leftToApp": ["app"]}},
            "csp.leftToApp",
            "the edge sets this host's policy, or its app does",
        ),
        ({"csp": {"policies": {"app": "default-src 'self'\nx-evil: 1"}}}, "csp.policies.app", "one line of ASCII"),
        ({"csp": {"policies": {"app": " ; "}}}, "csp.policies.app", "one line of ASCII"),
        ({"csp": {"policies": {"app": ";"}}}, "csp.policies.app", "at least one directive"),
        (
            {"csp": {"policies": {"app": "img-src a.example; IMG-SRC b.example"}}},
            "csp.policies.app",
            "only the first img-src",
        ),
        ({"headers": {"referrerPolicy": "unsafe-url"}}, "headers.referrerPolicy", "'no-referrer'"),
        ({"headers": {"permissionsPolicy": "camera=()\u00e9"}}, "headers.permissionsPolicy", "one line of ASCII"),
        ({"cors": {"origins": ["*"]}}, "cors.origins[0]", "is one of the app's: https://app.tidewriters.example"),
        ({"cors": {"origins": ["null"]}}, "cors.origins[0]", "is one of the app's"),
        ({"cors": {"origins": ["https://app.tidewriters.example.evil"]}}, "cors.origins[0]", "is one of the app's"),
        ({"cors": {"origins": ["http://app.tidewriters.example"]}}, "cors.origins[0]", "is one of the app's"),
        ({"cors": {"methods": ["*"]}}, "cors.methods[0]", "'GET', 'POST'"),
        ({"cors": {"headers": ["*"]}}, "cors.headers[0]", "match pattern"),
        ({"bots": {"fightMode": True}}, "bots.fightMode", "api.tidewriters.example is proxied and takes Stripe's"),
        ({"ddos": {"sensitivity": "off"}}, "ddos.sensitivity", "'default', 'medium', 'low' or 'eoff'"),
        ({"ddos": {"action": "log"}}, "ddos.action", "plan 'free' has no action log for rule ddos"),
        ({"settings": {"always_use_https": "on"}}, "settings.always_use_https", "declares this setting itself"),
        ({"settings": {"early_hint": "on"}}, "settings.early_hint", "no such zone setting"),
        ({"settings": {"early_hints": True}}, "settings.early_hints", "its values are on, off"),
        ({"settings": {"challenge_ttl": 301}}, "settings.challenge_ttl", "its values are 300, 900"),
        ({"settings": {"browser_cache_ttl": "0"}}, "settings.browser_cache_ttl", "of type int"),
        ({"settings": {"polish": "lossy"}}, "settings.polish", "plan 'free' has no setting polish"),
        ({"extraRules": {"http_request": [RULE]}}, "extraRules.http_request", "the phases are ddos_l7"),
        ({"extraRules": {FIREWALL: [RULE, RULE]}}, f"extraRules.{FIREWALL}", "a ref of its own"),
        (
            {"extraRules": {FIREWALL: [{**RULE, "actionParameters": {"respons": {}}}]}},
            f"extraRules.{FIREWALL}[0].actionParameters.respons",
            "there is no such parameter",
        ),
        (
            {"extraRules": {FIREWALL: [{**RULE, "expression": 'http.host matches "a"'}]}},
            f"extraRules.{FIREWALL}[0].expression",
            "plan 'free' has no regular expressions, which rule old uses",
        ),
        (
            {"extraRules": {FIREWALL: [{**RULE, "action": "log"}]}},
            f"extraRules.{FIREWALL}[0].action",
            "plan 'free' has no action log for rule old",
        ),
        (
            {"extraRules": {FIREWALL: [{**RULE, "actionParameters": {"response": 403}}]}},
            f"extraRules.{FIREWALL}[0].actionParameters.response",
            "it is an object; known there: content, contentType, statusCode",
        ),
        (
            {"extraRules": {FIREWALL: [answering(content="no", contentType="text/plain", statusCode=403)]}},
            f"extraRules.{FIREWALL}[0].actionParameters.response",
            "plan 'free' answers with its own page alone, and rule old with another",
        ),
        (
            {"extraRules": {"http_config_settings": [{**RULE, "actionParameters": {"ssl": "flexible"}}]}},
            "extraRules.http_config_settings[0].actionParameters.ssl",
            "asked for ever, in a loop",
        ),
        (
            {"extraRules": {FIREWALL: [answering(content="no")]}},
            f"extraRules.{FIREWALL}[0].actionParameters.response",
            "it needs contentType, statusCode",
        ),
        (
            {
                "extraRules": {
                    "http_ratelimit": [{**RULE, "ratelimit": {"characteristics": ["cf.colo.id"], "period": 60}}]
                }
            },
            "extraRules.http_ratelimit[0].ratelimit.period",
            "plan 'free' has 10 seconds there for rule old. Use one of these; zonePlan pro allows it.",
        ),
        (
            {"extraRules": {CACHE: [caching(edgeTtl={"mode": "override_origin", "default": 60})]}},
            f"extraRules.{CACHE}[0].actionParameters.edgeTtl.default",
            "keeps what rule old caches at least 7200 seconds. Raise it; zonePlan business allows it.",
        ),
        (
            {"extraRules": {CACHE: [caching(edgeTtl={"mode": "respect_origin", "statusCodeTtls": [{"value": 60}]})]}},
            f"extraRules.{CACHE}[0].actionParameters.edgeTtl.statusCodeTtls",
            "does not cache by status, which rule old does. Leave it out; zonePlan enterprise allows it.",
        ),
        (
            {"extraRules": {CACHE: [caching(cacheKey={"customKey": {"host": {"resolved": True}}})]}},
            f"extraRules.{CACHE}[0].actionParameters.cacheKey.customKey",
            "has no cache key of one's own",
        ),
        (
            {"extraRules": {"http_ratelimit": [RULE]}},
            "extraRules.http_ratelimit[0].expression",
            "the limits of plan 'free' cannot read every field that rule old reads",
        ),
        (
            {"extraRules": {FIREWALL: [{**RULE, "expression": " ssl"}]}},
            f"extraRules.{FIREWALL}[0].expression",
            "blanks",
        ),
        ({"cache": {"edgeTtlSeconds": 3600}}, "cache.edgeTtlSeconds", "at least 7200 seconds"),
        ({"cache": {"staticPaths": ["static/"]}}, "cache.staticPaths[0]", "match pattern"),
        (
            {"cache": {"staticPaths": ["/account/files/"]}},
            "cache.staticPaths[0]",
            "/account is among neverPaths, which win",
        ),
        ({"cache": {"sessionCookies": ["a=b"]}}, "cache.sessionCookies[0]", "match pattern"),
        (
            {"rateLimits": [{**LIMIT, "periodSeconds": 60}]},
            "rateLimits[0].periodSeconds",
            "plan 'free' counts rule rate-limit-sign-in over 10 seconds. Use one of these; zonePlan pro allows it.",
        ),
        (
            {"rateLimits": [{**LIMIT, "mitigationSeconds": 3600}]},
            "rateLimits[0].mitigationSeconds",
            "lets rule rate-limit-sign-in refuse for 10 seconds. Use one of these; zonePlan pro allows it.",
        ),
        (
            {"rateLimits": [{**LIMIT, "hosts": ["app"]}]},
            "rateLimits[0].hosts",
            "cannot read http.host. Leave hosts out; zonePlan pro allows it.",
        ),
        ({"rateLimits": [{**LIMIT, "hosts": ["shop"]}]}, "rateLimits[0].hosts", "declared hosts that are proxied"),
        ({"rateLimits": [LIMIT, LIMIT]}, "rateLimits", "a name of its own"),
        ({"rateLimits": [{**LIMIT, "name": "Sign in"}]}, "rateLimits[0].name", "match pattern"),
        ({"rateLimits": [{**LIMIT, "paths": ["/webhooks/"]}]}, "rateLimits[0].paths[0]", "the program's own route"),
        ({"waf": {"blockedPaths": ["/health"]}}, "waf.blockedPaths[0]", "/health is the program's own route"),
        ({"waf": {"blockedPaths": ["/HEALTH"]}}, "waf.blockedPaths[0]", "/health is the program's own route"),
        ({"products": []}, "products", "it needs at least 1"),
        ({"products": [{"price": "p", "level": "a"}, {"price": "p", "level": "b"}]}, "products", "buys one level"),
        ({"policy": {"graceDays": 61}}, "policy.graceDays", "less than or equal to 60"),
        ({"policy": {"refundFull": "maybe"}}, "policy.refundFull", "'revoke' or 'keep'"),
        ({"policy": {"failedRenewal": "active"}}, "policy.failedRenewal", "'grace_period' or 'past_due'"),
        ({"policy": {"disputeLost": "ask"}}, "policy.disputeLost", "'revoke' or 'keep'"),
        ({"policy": {"cancelWindowDays": 61}}, "policy.cancelWindowDays", "less than or equal to 60"),
        ({"policy": {"trial": False}}, "policy.trial", "'grant' or 'deny'"),
        ({"policy": {"pause": "void"}}, "policy.pause", "'by_behavior', 'revoke' or 'keep'"),
        ({"products": [{"price": "p", "level": "a", "days": 0}]}, "products[0].days", "greater than or equal to 1"),
        (
            {"products": [{"price": "p", "level": "a", "days": 36501}]},
            "products[0].days",
            "less than or equal to 36500",
        ),
        ({"products": [{"price": "p", "level": "a", "days": "30"}]}, "products[0].days", "a valid integer"),
        ({"priceMetadataKey": "price id"}, "priceMetadataKey", "match pattern"),
        ({"userIdMetadataKey": "u" * 41}, "userIdMetadataKey", "match pattern"),
        ({"identity": {"unsignedReference": "trust"}}, "identity.unsignedReference", "'ignore' or 'add'"),
        ({"identity": {"claimDays": 91}}, "identity.claimDays", "less than or equal to 90"),
        ({"identity": {"claimUrl": "http://app.example/claim"}}, "identity.claimUrl", "has an https address"),
        ({"identity": {"claimUrl": "https://u:p@app.example/claim"}}, "identity.claimUrl", "without user or password"),
        ({"identity": {"claimUrl": "https:///claim"}}, "identity.claimUrl", "has an https address"),
        ({"identity": {"claimUrl": "https://[app.example/claim"}}, "identity.claimUrl", "has an https address"),
        ({"identity": {"claimUrl": "https://app.example/my claim"}}, "identity.claimUrl", "has an https address"),
        ({"identity": {"claimUrl": "https://app.example/claim?a=b"}}, "identity.claimUrl", "no query or fragment"),
        ({"webhook": {"badSignature": 404}}, "webhook.badSignature", "400, 401 or 403"),
        ({"eventBridge": {"source": "aws.partner/shopify.com/1"}}, "eventBridge.source", "match pattern"),
        ({"eventBridge": {"source": "stripe.com"}}, "eventBridge.source", "match pattern"),
        (
            {"eventBridge": {"source": "aws.partner/stripe.com/ed_test_61TEN0"}},
            "eventBridge.source",
            "livemode is true and this source is of test mode",
        ),
        ({"identityKey": "k" * 31}, "identityKey", "at least 32 characters"),
        ({"identityKey": None}, "identityKey", "pulumi config set --secret identityKey"),
        ({"identityKeyPrevious": "k" * 31}, "identityKeyPrevious", "at least 32 characters"),
        ({"identityKeyPrevious": SECRETS["identityKey"]}, "identityKeyPrevious", "the same as identityKey"),
        ({"rateLimits": [{**LIMIT, "paths": ["/a/", "/v1/claims"]}]}, "rateLimits[0].paths[1]", "the program's own"),
        ({"destinations": {"slack": {"channel": "C1AB"}}}, "destinations.kit", "it has no default"),
        (
            {"destinations": {"kit": {"tags": {"level:gold": 1}}, "slack": {"channel": "C1AB"}}},
            "destinations.kit.tags",
            "a member's labels are cancelled, disputed, level:masterclass, level:writer, member_active",
        ),
        (
            {"destinations": {"kit": {"tags": {"a": 1}}, "slack": {"channel": "#ops"}}},
            "destinations.slack.channel",
            "C",
        ),
        (
            {"destinations": {**SLACK, "kit": {**KIT, "mode": "dry"}}},
            "destinations.kit.mode",
            "'on', 'shadow' or 'off'",
        ),
        ({"destinations": {**SLACK, "kit": {**KIT, "mode": True}}}, "destinations.kit.mode", "'on', 'shadow' or 'off'"),
        (
            {"destinations": {**SLACK, "kit": {**KIT, "percent": 101}}},
            "destinations.kit.percent",
            "less than or equal to 100",
        ),
        ({"destinations": {**SLACK, "kit": {**KIT, "percent": -1}}}, "destinations.kit.percent", "or equal to 0"),
        ({"destinations": {**SLACK, "kit": {**KIT, "percent": 12.5}}}, "destinations.kit.percent", "a valid integer"),
        (
            {"destinations": {**SLACK, "kit": {**KIT, "callsPerMonth": 0}}},
            "destinations.kit.callsPerMonth",
            "greater than or equal to 1",
        ),
        ({"destinations": {**SLACK, "kit": {**KIT, "modus": "on"}}}, "destinations.kit.modus", "Did you mean mode?"),
        ({"reconcileHours": 0}, "reconcileHours", "greater than or equal to 1"),
        ({"reconcileHours": 25}, "reconcileHours", "less than or equal to 24"),
        ({"reservedConcurrency": {"undelivered": 5}}, "reservedConcurrency.undelivered", "up to 6 times at once"),
        ({"alertEmail": "ops"}, "alertEmail", "match pattern"),
        ({"reservedConcurrency": {"webhok": 5}}, "reservedConcurrency.webhok", "the functions are webhook"),
        ({"reservedConcurrency": {"bridge": 5}}, "reservedConcurrency.bridge", "the functions are webhook"),
        (
            {"reservedConcurrency": {"bridge": 1}, "eventBridge": {"source": SOURCE}},
            "reservedConcurrency.bridge",
            "up to 5 times at once",
        ),
        ({"reservedConcurrency": {"apply": 1}}, "reservedConcurrency.apply", "up to 5 times at once"),
        ({"stripeApiBase": "http://stripe.example"}, "stripeApiBase", "an https address without a path"),
        ({"stripeApiKey": ""}, "stripeApiKey", "not empty"),
        ({"stripeApiKey": "sk_test_x"}, "stripeApiKey", "livemode is true and this key is of the other mode"),
        ({"kitApiKey": None}, "kitApiKey", "pulumi config set --secret kitApiKey"),
        ({"policy": {"graceDay": 3}}, "policy.graceDay", "Did you mean graceDays?"),
        ({"livemod": True}, "livemod", "Did you mean livemode?"),
    ],
)
def test_a_wrong_value_is_named_with_its_key_and_limit(changes: dict[str, Any], key: str, said: str) -> None:
    found = problems(**changes)
    assert any(problem.startswith(f"launch-ready:{key}: ") and said in problem for problem in found), found


def test_a_missing_region_is_named() -> None:
    values = raw()
    del values["aws:region"]
    assert problems(values) == ["aws:region: got nothing; it has no default. pulumi config set aws:region …"]


@pytest.mark.parametrize("name", ["a.b", "x" * 33])
def test_a_stack_whose_name_aws_would_refuse_is_named(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(raw(), project="launch-ready", stack=name)
    assert [problem.key for problem in caught.value.problems] == ["stack"]


def test_the_longest_stack_name_leaves_room_for_every_role() -> None:
    assert len(load(raw(), project="launch-ready", stack="x" * 32).prefix + "-reconcile-schedule") == 64


def test_no_secret_is_ever_shown() -> None:
    secret = "sk_test_do_not_print_me"
    text = "\n".join(
        problems(
            stripeApiKey=secret,
            stripeApikey=secret,
            kitApiKey=f" {secret}",
            slackBotToken=f"{secret}\n",
            identityKey=secret,
            identityKeyPrevious=secret,
        )
    )
    assert text.count("[secret]") == 5
    assert "do_not_print" not in text
    assert "do_not_print" not in repr(loaded(stripeReadKey="rk_live_do_not_print_me"))


def test_a_key_of_the_other_mode_is_let_through_where_the_api_is_not_stripes_own() -> None:
    assert loaded(stripeApiKey="sk_test_x", stripeApiBase="http://127.0.0.1:12111").settings.livemode


def test_a_test_source_is_for_a_stack_of_test_mode() -> None:
    source = "aws.partner/stripe.com/ed_test_61TEN0"
    keys = {"stripeApiKey": "rk_test_deploy", "stripeReadKey": "rk_test_read"}
    assert loaded(livemode=False, eventBridge={"source": source}, **keys).settings.event_bridge.source == source


def test_the_identity_key_may_be_rolled() -> None:
    settings = loaded(identityKeyPrevious="p" * 32).settings
    assert settings.identity_key_previous.get_secret_value() == "p" * 32
    assert loaded(identityKeyPrevious="").settings.identity_key_previous.get_secret_value() == ""


def test_a_larger_plan_allows_more() -> None:
    limit = {**LIMIT, "periodSeconds": 60, "hosts": ["app"]}
    stack = loaded(zonePlan="pro", rateLimits=[limit], cache={"edgeTtlSeconds": 3600}, settings={"polish": "lossy"})
    assert stack.settings.rate_limits[0].period_seconds == 60


def test_records_beyond_the_plan_are_refused() -> None:
    hosts = [host(), *(host(name=f"h{number}") for number in range(200))]
    found = problems(hosts=hosts)
    assert any("plan 'free' holds 200 records" in problem for problem in found)


def test_the_labels_that_may_be_tagged_are_those_that_members_have() -> None:
    found = set()
    for state in State:
        member = Membership(state=state, access=False, levels=(), until=None, reason="", needs_support=False, grants=())
        found |= labels(member)
    by_their_cause = {"disputed", "trial_expired"}
    assert found | by_their_cause == set(STATE_LABELS)


def test_keys_of_providers_are_theirs() -> None:
    values = {**raw(), "cloudflare:apiToken": "x", "aws:profile": "y", "pulumi:tags": "{}"}
    assert load(values, project="launch-ready", stack="prod").name == "prod"
