"""The presets against what the vendors document, transcribed from their pages and not from the presets."""

import json
from typing import Any, NamedTuple, get_args

import pytest

from infra.names.platforms import PLATFORMS, PlatformName, of_target
from infra.names.sections import Host


class Documented(NamedTuple):
    """What a vendor's pages say: the types at the apex and below, everybody's address, the proxy, the authorities."""

    apex: str
    sub: str
    everybodys: tuple[tuple[str, str], ...]
    proxy: str
    issuers: set[str]
    target: str


VENDORS = {
    # vercel.com/docs/domains/working-with-domains/add-a-domain: an apex by A, a sub-domain by the CNAME that the
    # project shows; vercel.com/docs/domains/troubleshooting: proxies may hinder the certificate, Let's Encrypt's
    "vercel": Documented(
        "A", "A CNAME", (("A", "76.76.21.21"),), "later", {"letsencrypt.org"}, "3f2a9c0d1b7e4a68.vercel-dns-017.com"
    ),
    # docs.render.com/custom-domains: ANAME/ALIAS or A at the apex, CNAME below, no AAAA at all: Render is IPv4 only
    "render": Documented(
        "A CNAME",
        "CNAME",
        (("A", "216.24.57.1"),),
        "later",
        {"letsencrypt.org", "pki.goog"},
        "tide-writers.onrender.com",
    ),
    # fly.io/docs/networking/custom-domain: A and AAAA of the app, or CNAME; understanding-cloudflare: the proxy needs
    # the _fly-ownership record
    "fly": Documented("A AAAA CNAME", "A AAAA CNAME", (), "later", {"letsencrypt.org"}, "tide-writers.fly.dev"),
    # firebase.google.com/docs/hosting/custom-domain: A records; a sub-domain may be a CNAME to the site's name
    "firebase": Documented(
        "A", "A CNAME", (("A", "199.36.158.100"),), "never", {"letsencrypt.org", "pki.goog"}, "tide-writers.web.app"
    ),
    # docs.netlify.com, external DNS: flattened CNAME to the load balancer, or A, at the apex; CNAME below
    "netlify": Documented(
        "A CNAME",
        "CNAME",
        (("CNAME", "apex-loadbalancer.netlify.com"),),
        "never",
        {"letsencrypt.org"},
        "tide-writers.netlify.app",
    ),
    # ACM certificates are proved by DNS (docs.aws.amazon.com/acm/latest/userguide/dns-validation.html, setup-caa.html)
    "aws": Documented("A AAAA CNAME", "A AAAA CNAME", (), "yes", {"amazon.com"}, "d111111abcdef8.cloudfront.net"),
    "plain": Documented("A AAAA CNAME", "A AAAA CNAME", (), "yes", set(), "origin.tide.example"),
}


def host(platform: str, **fields: Any) -> Host:
    values = {"name": "app", "platform": platform, "role": "web", **fields}
    return Host.model_validate_json(json.dumps(values))


def test_every_platform_is_in_the_table() -> None:
    assert set(VENDORS) == set(PLATFORMS) == set(get_args(PlatformName))


@pytest.mark.parametrize("name", get_args(PlatformName))
def test_a_preset_says_what_its_vendor_documents(name: PlatformName) -> None:
    preset, documented = PLATFORMS[name], VENDORS[name]
    assert preset.apex == set(documented.apex.split())
    assert preset.sub == set(documented.sub.split())
    assert preset.apex_records == documented.everybodys
    assert preset.proxy == documented.proxy
    assert set(preset.issuers) == documented.issuers


@pytest.mark.parametrize("name", get_args(PlatformName))
def test_a_preset_gives_its_reason_and_its_pages(name: PlatformName) -> None:
    preset = PLATFORMS[name]
    assert preset.proxy_reason
    assert all(
        page.startswith("https://") for page in (preset.records_source, preset.proxy_source, preset.issuers_source)
    )


@pytest.mark.parametrize("name", get_args(PlatformName))
def test_a_name_is_known_for_its_platforms(name: PlatformName) -> None:
    assert of_target(VENDORS[name].target) == (None if name == "plain" else name)
    assert of_target(f"{VENDORS[name].target}.attacker.example") is None


@pytest.mark.parametrize("name", get_args(PlatformName))
def test_a_host_that_says_nothing_is_proxied_only_where_nothing_stands_against_it(name: PlatformName) -> None:
    assert host(name, target=VENDORS[name].target).proxied == (VENDORS[name].proxy == "yes")


@pytest.mark.parametrize("name", ["vercel", "render", "firebase", "netlify"])
def test_an_apex_leads_to_everybodys_address(name: PlatformName) -> None:
    assert host(name, name="@").records == VENDORS[name].everybodys
