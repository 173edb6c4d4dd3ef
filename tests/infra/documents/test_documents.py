"""The files that the edge serves, and what is declared for them."""

import hashlib
import json
from typing import Any

import pytest

from infra.documents import contract, declared
from rehearsal.graph import Graph
from rehearsal.plan import plan
from tests.infra.test_config import ROOT, loaded, problems

FINGERPRINT = ":".join(f"{at:02X}" for at in range(32))
APPLE = {"teamId": "A1B2C3D4E5", "bundleId": "example.tide.app", "paths": ["/open/*", "/claim"]}
ANDROID = {"package": "example.tide.app", "fingerprints": [FINGERPRINT]}
APPS = {"hosts": ["app"], "apple": [APPLE], "android": [ANDROID]}
SECURITY = {"contact": "mailto:security@tidewriters.example", "expires": "2027-06-01"}
SCRIPT = "cloudflare:index/workersScript:WorkersScript"
ROUTE = "cloudflare:index/workersRoute:WorkersRoute"
APP = "app.tidewriters.example"
NONE: dict[str, Any] = {"apps": {}, "securityTxt": {}}


def bodies(**changes: Any) -> dict[str, str]:
    """URL to body of the documents of these sections; those of mail are told apart by their host."""
    return {each.url: each.body for each in declared.of(loaded(**{**NONE, **changes})) if each.kind != "mta-sts"}


def test_nothing_is_served_where_nothing_is_declared() -> None:
    assert bodies() == {}


def test_apples_file_names_the_app_and_its_paths() -> None:
    found = bodies(apps={**APPS, "android": []})
    [(url, body)] = found.items()
    assert url == f"https://{APP}/.well-known/apple-app-site-association"
    assert json.loads(body) == {
        "applinks": {
            "details": [{"appIDs": ["A1B2C3D4E5.example.tide.app"], "components": [{"/": "/open/*"}, {"/": "/claim"}]}]
        }
    }


def test_googles_file_names_the_package_and_its_certificates() -> None:
    [(url, body)] = bodies(apps={**APPS, "apple": []}).items()
    assert url == f"https://{APP}/.well-known/assetlinks.json"
    assert json.loads(body) == [
        {
            "relation": ["delegate_permission/common.handle_all_urls"],
            "target": {
                "namespace": "android_app",
                "package_name": "example.tide.app",
                "sha256_cert_fingerprints": [FINGERPRINT],
            },
        }
    ]


def test_both_are_json_at_every_host_that_is_named() -> None:
    stack = loaded(apps={**APPS, "hosts": ["app", "@"]}, securityTxt={})
    ours = [each for each in declared.of(stack) if each.kind in ("aasa", "assetlinks")]
    assert {each.host for each in ours} == {APP, "tidewriters.example"}
    assert len(ours) == 4
    assert {each.content_type for each in ours} == {"application/json"}


def test_security_txt_is_at_every_host_that_people_visit_and_names_each_place() -> None:
    pages = {"policy": "https://tidewriters.example/security", "languages": ["en", "de-AT"]}
    found = bodies(securityTxt={**SECURITY, **pages})
    assert list(found) == [f"https://{host}/.well-known/security.txt" for host in ("tidewriters.example", APP)]
    assert len(set(found.values())) == 1
    assert found[f"https://{APP}/.well-known/security.txt"].split("\r\n") == [
        "Contact: mailto:security@tidewriters.example",
        "Expires: 2027-06-01T00:00:00Z",
        "Policy: https://tidewriters.example/security",
        "Preferred-Languages: en, de-AT",
        "Canonical: https://tidewriters.example/.well-known/security.txt",
        f"Canonical: https://{APP}/.well-known/security.txt",
        "",
    ]


def test_the_contract_tells_the_sum_of_each_body() -> None:
    stack = loaded(apps={}, securityTxt=SECURITY)
    told = [entry for entry in contract.documents(stack) if entry["kind"] == "security-txt"]
    [body] = set(bodies(securityTxt=SECURITY).values())
    assert [entry["url"] for entry in told] == list(bodies(securityTxt=SECURITY))
    assert {entry["sha256"] for entry in told} == {hashlib.sha256(body.encode()).hexdigest()}
    assert {entry["content_type"] for entry in told} == {"text/plain; charset=utf-8"}


@pytest.mark.parametrize(
    ("changes", "key", "limit"),
    [
        ({"apps": {**APPS, "hosts": []}}, "apps", "hosts, and the apps that open their links, go together"),
        ({"apps": {"hosts": ["app"]}}, "apps", "hosts, and the apps that open their links, go together"),
        ({"apps": {**APPS, "hosts": ["shop"]}}, "apps.hosts[0]", "the hosts are @, app, ops"),
        ({"apps": {**APPS, "hosts": ["app", "app"]}}, "apps.hosts", "each host is named once"),
        ({"apps": {**APPS, "apple": [{**APPLE, "teamId": "A1"}]}}, "apps.apple[0].teamId", "match pattern"),
        ({"apps": {**APPS, "apple": [{**APPLE, "paths": ["open"]}]}}, "apps.apple[0].paths[0]", "match pattern"),
        ({"apps": {**APPS, "apple": [{**APPLE, "paths": []}]}}, "apps.apple[0].paths", "it needs at least 1"),
        (
            {"apps": {**APPS, "android": [{**ANDROID, "fingerprints": [FINGERPRINT.lower()]}]}},
            "apps.android[0].fingerprints[0]",
            "match pattern",
        ),
        ({"apps": {**APPS, "android": [{**ANDROID, "package": "tide"}]}}, "apps.android[0].package", "match pattern"),
        (
            {"apps": {**APPS, "apple": [{**APPLE, "bundleId": f"b{at}.{'x' * 140}"} for at in range(800)]}},
            "apps.apple",
            "apple-app-site-association has at most 131072 bytes",
        ),
        ({"securityTxt": {"contact": SECURITY["contact"]}}, "securityTxt", "a contact and a day on which it expires"),
        ({"securityTxt": {**SECURITY, "contact": "security@x.example"}}, "securityTxt.contact", "(RFC 9116)"),
        ({"securityTxt": {**SECURITY, "contact": "mailto:a@b.example\r\nX: y"}}, "securityTxt.contact", "(RFC 9116)"),
        ({"securityTxt": {**SECURITY, "policy": "http://x.example/"}}, "securityTxt.policy", "begins with https://"),
        ({"securityTxt": {**SECURITY, "expires": "soon"}}, "securityTxt.expires", "it must be a valid date"),
        ({"securityTxt": {**SECURITY, "languages": ["English"]}}, "securityTxt.languages[0]", "match pattern"),
        ({"maintenance": {"hosts": ["api"]}}, "maintenance.hosts[0]", "takes Stripe's webhooks"),
        ({"maintenance": {"hosts": ["shop"]}}, "maintenance.hosts[0]", "the hosts are @, app, ops"),
        ({"maintenance": {"hosts": ["app", "app"]}}, "maintenance.hosts", "each host is named once"),
        ({"maintenance": {"retryAfterSeconds": 0}}, "maintenance.retryAfterSeconds", "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_served_is_told(changes: dict[str, Any], key: str, limit: str) -> None:
    [found] = problems(**changes)
    assert found.startswith(f"launch-ready:{key}: got ")
    assert limit in found


def test_a_host_that_is_not_proxied_never_meets_the_edge() -> None:
    hosts = [
        {"name": "@", "platform": "plain", "addresses": ["203.0.113.24"], "role": "web"},
        {"name": "app", "platform": "plain", "addresses": ["203.0.113.25"], "role": "web", "proxied": False},
    ]
    quiet: dict[str, Any] = {"hosts": hosts, "access": {}, "redirects": {}, "securityTxt": {}}
    for key, section in (("apps", APPS), ("maintenance", {"hosts": ["app"]})):
        changes: dict[str, Any] = {**quiet, "apps": {}, key: section}
        [found] = problems(**changes)
        assert found.startswith(f"launch-ready:{key}.hosts[0]: got app; app is not proxied")


@pytest.fixture(scope="module")
def served() -> Graph:
    return plan(ROOT, "prod", {"apps": APPS, "securityTxt": SECURITY, "maintenance": {"hosts": ["ops"]}})


def test_only_exact_addresses_and_closed_hosts_are_routed(served: Graph) -> None:
    patterns = {route.inputs["pattern"] for route in served.of_type(ROUTE)}
    documents = {each.removeprefix("https://") for each in bodies(apps=APPS, securityTxt=SECURITY)}
    closed = {"ops.tidewriters.example/*"}
    assert patterns >= documents | closed
    assert {pattern for pattern in patterns if "*" in pattern} == closed
    assert not [pattern for pattern in patterns if pattern.startswith("api.")]


def test_every_route_leads_to_the_one_script(served: Graph) -> None:
    [worker] = served.of_type(SCRIPT)
    assert worker.inputs["mainModule"] == "worker.js"
    assert {route.inputs["script"] for route in served.of_type(ROUTE)} == {worker.inputs["scriptName"]}
