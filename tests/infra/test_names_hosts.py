from typing import Any

import pytest

from tests.infra.test_config import NO_HOSTS_NAMED, host, loaded, problems

FLY_PROOF = {"type": "TXT", "name": "_fly-ownership.app", "value": "app-a1b2c3"}


def app(**fields: Any) -> dict[str, Any]:
    return {"name": "app", "platform": "plain", "target": "origin.hosting.example", "role": "web", **fields}


def netlify(**fields: Any) -> dict[str, Any]:
    return app(platform="netlify", target="tide.netlify.app", **fields)


def fly(**fields: Any) -> dict[str, Any]:
    return app(platform="fly", target="tide.fly.dev", **fields)


@pytest.mark.parametrize(
    ("hosts", "key", "said"),
    [
        ([app()], "hosts", "the apex is where the other of the two redirects to"),
        ([host(), app(name="www")], "hosts[1].name", "declared by the program"),
        ([host(), app(name="api")], "hosts[1].name", "declared by the program"),
        ([host(), app(name="app.")], "hosts[1].name", "inner hyphens"),
        ([host(), app(name="")], "hosts[1].name", "a host is"),
        ([host(), app(name="App")], "hosts[1].name", "lower case"),
        ([host(), app(name="*")], "hosts[1].name", "inner hyphens"),
        ([host(), app(name="_app")], "hosts[1].name", "inner hyphens"),
        ([host(), app(name="größe")], "hosts[1].name", "IDNA form"),
        ([host(), app(name="schön")], "hosts[1].name", "here xn--schn-7qa"),
        ([host(), app(name="a." * 120 + "a", proxied=False)], "hosts[1].name", "253 characters"),
        ([host(), app(name="eu.app")], "hosts[1].name", "the apex and one label"),
        ([host(), app(), app()], "hosts[2].name", "each host is declared once"),
        ([host(), app(name="tidewriters.example")], "hosts[1].name", "names are relative to the zone"),
        ([host(platform="heroku")], "hosts[0].platform", "'vercel', 'render'"),
        ([host(addresses=[])], "hosts[0]", "a place of its own, which is missing"),
        ([host(), app(platform="vercel", target=None)], "hosts[1]", "Add its target"),
        ([host(target="a.example")], "hosts[0]", "a target or to addresses"),
        ([host(addresses=["app.hosting.example"])], "hosts[0].addresses", "an A record holds an IPv4 address"),
        ([host(addresses=["2001:DB8:0::1"])], "hosts[0].addresses", "here 2001:db8::1"),
        ([host(addresses=["203.0.113.024"])], "hosts[0].addresses", "IPv4 address"),
        ([host(addresses=["10.0.0.1"])], "hosts[0].addresses", "the Internet can reach"),
        ([host(addresses=["127.0.0.1"])], "hosts[0].addresses", "the Internet can reach"),
        ([host(addresses=["203.0.113.1"] * 2)], "hosts[0].addresses", "there once"),
        ([host(), app(target="app")], "hosts[1].target", "relative name"),
        ([host(), app(target="a.example.")], "hosts[1].target", "trailing dot"),
        ([host(), app(target="https://a.example")], "hosts[1].target", "neither scheme nor path"),
        ([host(ttl=300)], "hosts[0].ttl", "a proxied record has ttl 1"),
        ([host(proxied=False, ttl=5)], "hosts[0].ttl", "60 to 86400 seconds"),
        ([host(proxied="yes")], "hosts[0].proxied", "a valid boolean"),
        ([host(), netlify(proxied=True)], "hosts[1].proxied", "Netlify cannot stand behind a proxy"),
        (
            [host(), app(platform="firebase", target="tide.web.app", proxied=True)],
            "hosts[1].proxied",
            "Firebase Hosting cannot stand behind a proxy",
        ),
        ([host(), fly(proxied=True)], "hosts[1]", "a TXT record at _fly-ownership.app"),
        ([host(), app(target="tide.netlify.app")], "hosts[1]", "is a name of Netlify"),
        ([host(), app(platform="vercel", target="tide.netlify.app")], "hosts[1]", "Set platform to netlify"),
        ([host(), app(platform="vercel", target="a.example")], "hosts[1]", "no name that Vercel gives its customers"),
        ([host(platform="render", addresses=["2001:db8::1"])], "hosts[0]", "Render documents A or CNAME for an apex"),
        (
            [host(), app(platform="render", target=None, addresses=["216.24.57.1"])],
            "hosts[1]",
            "Render documents CNAME for a sub-domain",
        ),
        ([host(), app(validation=[{"type": "MX", "name": "a", "value": "b"}])], "hosts[1].validation[0].type", "'TXT'"),
        (
            [host(), app(validation=[{"type": "CNAME", "name": "_acme-challenge.app", "value": "app"}])],
            "hosts[1].validation[0].value",
            "relative name",
        ),
        (
            [host(), app(validation=[{"type": "TXT", "name": "app", "value": "x"}])],
            "hosts[1].validation[0]",
            "hosts[1] declares CNAME at this name",
        ),
        (
            [host(), fly(validation=[FLY_PROOF, FLY_PROOF])],
            "hosts[1].validation[1]",
            "hosts[1].validation[0] declares the same",
        ),
    ],
)
def test_a_wrong_host_is_named_with_its_key_and_limit(hosts: list[dict[str, Any]], key: str, said: str) -> None:
    found = problems(hosts=hosts, **NO_HOSTS_NAMED)
    assert any(line.startswith(f"launch-ready:{key}: ") and said in line for line in found), found


def test_every_wrong_host_has_one_problem_alone() -> None:
    assert len(problems(hosts=[host(), netlify(proxied=True)], **NO_HOSTS_NAMED)) == 1


def test_fly_stands_behind_the_proxy_once_its_record_proves_the_name_or_with_an_address_of_its_own() -> None:
    with_proof = fly(proxied=True, validation=[FLY_PROOF])
    with_address = fly(proxied=True) | {"target": None, "addresses": ["2001:db8::7"]}
    for declared in (with_proof, with_address):
        assert loaded(**NO_HOSTS_NAMED, hosts=[host(), declared]).settings.hosts[1].proxied


def test_a_host_has_a_record_for_each_address() -> None:
    [apex] = loaded(
        **NO_HOSTS_NAMED, hosts=[host(addresses=["203.0.113.24", "203.0.113.25", "2001:db8::1"])]
    ).settings.hosts
    assert apex.records == (("A", "203.0.113.24"), ("A", "203.0.113.25"), ("AAAA", "2001:db8::1"))


def test_a_ttl_is_cloudflares_to_decide_where_none_is_given() -> None:
    hosts = loaded(**NO_HOSTS_NAMED, hosts=[host(), netlify()]).settings.hosts
    assert [entry.record_ttl for entry in hosts] == [1, 1]


def test_www_may_be_the_name_that_people_see() -> None:
    stack = loaded(**NO_HOSTS_NAMED, canonical="www", hosts=[app(name="www")])
    assert (stack.canonical_host, stack.alias_host) == ("www.tidewriters.example", "tidewriters.example")
    assert any(
        "declared by the program" in line
        for line in problems(**NO_HOSTS_NAMED, canonical="www", hosts=[app(name="www"), host()])
    )
    assert any("www is where the other" in line for line in problems(**NO_HOSTS_NAMED, canonical="www", hosts=[app()]))
