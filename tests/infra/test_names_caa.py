from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from infra.names.caa import API_ISSUERS, EDGE_ISSUERS, issuers, platform_issuers
from infra.names.platforms import PLATFORMS
from infra.names.sections import Host
from tests.infra.conftest import deploy
from tests.infra.test_config import NO_HOSTS_NAMED, host, loaded, problems

# developers.cloudflare.com/ssl/edge-certificates/caa-records: what Cloudflare serves for Universal SSL
CLOUDFLARE = {"letsencrypt.org", "pki.goog", "ssl.com", "sectigo.com"}
RECORD = "cloudflare:index/dnsRecord:DnsRecord"

hosts = st.lists(st.sampled_from(sorted(PLATFORMS)), max_size=8).map(
    lambda names: [
        Host(name=f"h{n}", platform=name, role="web", addresses=("203.0.113.1",), proxied=False)
        for n, name in enumerate(names)
        if "A" in PLATFORMS[name].sub
    ]
)


def app(platform: str, target: str) -> dict[str, Any]:
    return {"name": platform, "platform": platform, "target": target, "role": "web"}


def test_the_edges_and_the_apis_authorities_are_always_used() -> None:
    assert set(EDGE_ISSUERS) == CLOUDFLARE
    assert set(issuers(loaded(hosts=[host()], **NO_HOSTS_NAMED))) == {*CLOUDFLARE, "amazon.com"}


@given(hosts, hosts)
def test_authorities_are_those_of_the_platforms_and_no_others(some: list[Host], more: list[Host]) -> None:
    found = platform_issuers(some)
    assert found == {issuer for entry in some for issuer in PLATFORMS[entry.platform].issuers}
    assert platform_issuers([*some, *more]) == found | platform_issuers(more)


def test_others_are_added_and_said_once() -> None:
    stack = loaded(hosts=[host()], **NO_HOSTS_NAMED, caa={"also": ["globalsign.com", "pki.goog"]})
    assert issuers(stack) == tuple(sorted({*EDGE_ISSUERS, *API_ISSUERS, "globalsign.com"}))


def test_the_records_say_who_may_issue_and_only_the_edge_may_for_a_wildcard() -> None:
    caa = {"iodef": "mailto:security@tidewriters.example", "also": ["globalsign.com"]}
    deployed = deploy(caa=caa, hosts=[host()], **NO_HOSTS_NAMED)
    found = {
        (values["name"], values["data"]["flags"], values["data"]["tag"], values["data"]["value"])
        for values in deployed.of_type(RECORD).values()
        if values["type"] == "CAA"
    }
    apex = "tidewriters.example"
    assert found == {
        *((apex, 0, "issue", issuer) for issuer in {*CLOUDFLARE, "amazon.com", "globalsign.com"}),
        *((apex, 0, "issuewild", issuer) for issuer in CLOUDFLARE),
        (apex, 0, "iodef", "mailto:security@tidewriters.example"),
    }
    assert deployed.contract["caa"] == {
        "issuers": sorted({*CLOUDFLARE, "amazon.com", "globalsign.com"}),
        "wildcard_issuers": sorted(CLOUDFLARE),
        "iodef": "mailto:security@tidewriters.example",
    }


def test_none_are_declared_where_they_are_switched_off() -> None:
    deployed = deploy(caa={"enabled": False})
    assert not [name for name in deployed.of_type(RECORD) if name.startswith("caa-")]
    assert deployed.contract["caa"] is None


def test_what_is_wrong_with_the_authorities_is_said() -> None:
    for caa, key, said in (
        ({"iodef": "security@tide.example"}, "caa.iodef", "must match pattern"),
        ({"also": ["https://pki.goog"]}, "caa.also[0]", "neither scheme nor path"),
        ({"also": ["a.example", "a.example"]}, "caa.also", "there once"),
        ({"enabled": False, "also": ["a.example"]}, "caa", "say nothing without it"),
    ):
        [found] = problems(caa=caa)
        assert found.startswith(f"launch-ready:{key}: "), found
        assert said in found
