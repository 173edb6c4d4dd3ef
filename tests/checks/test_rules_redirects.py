import itertools

import pytest

from checks.probes.web import PROBE_PATH, ApiFacts
from checks.rules import redirects
from tests.checks.exchanges import exchange, passes

APEX = "tidewriters.example"
PLAIN, SECURE = f"http://{APEX}{PROBE_PATH}", f"https://{APEX}{PROBE_PATH}"
WWW = f"www.{APEX}"


@pytest.mark.parametrize(
    ("visits", "said"),
    [
        ([exchange(PLAIN, 301, location=SECURE)], None),
        ([exchange(PLAIN, 308, location=SECURE)], None),
        ([exchange(f"http://{WWW}{PROBE_PATH}", 301, location=SECURE)], None),
        ([exchange(PLAIN, 302, location=SECURE)], "302"),
        ([exchange(PLAIN, 200)], "200"),
        ([exchange(PLAIN, 301, location=f"https://{APEX}/")], "301"),
        ([exchange(PLAIN, 301, location=PLAIN)], "301"),
        ([exchange(PLAIN, 301, location=f"https://app.{APEX}{PROBE_PATH}")], "301"),
        ([exchange(PLAIN, 0)], "->"),
        ([exchange(PLAIN, 301, location=SECURE, cf_cache_status="DYNAMIC")], "is the origin's answer, not the edge's"),
        ([], "no host to visit is declared"),
    ],
)
def test_https(declared, visits, said):
    assert passes(redirects.https(declared, tuple(visits)), said)


@pytest.mark.parametrize(
    ("visit", "said"),
    [
        (exchange(f"https://{WWW}{PROBE_PATH}", 301, location=SECURE), None),
        (exchange(f"https://{WWW}{PROBE_PATH}", 302, location=SECURE), "302"),
        (exchange(f"https://{WWW}{PROBE_PATH}", 301, location=f"https://{APEX}/"), "301"),
        (exchange(f"https://{WWW}{PROBE_PATH}", 301, location=PLAIN), "301"),
        (exchange(f"https://{WWW}{PROBE_PATH}", 200), "200"),
    ],
)
def test_canonical(declared, visit, said):
    assert passes(redirects.canonical(declared, visit), said)


def hops(*urls: str):
    """A chain through `urls`, the last of which answers 200."""
    return (
        *(exchange(url, 301, location=following) for url, following in itertools.pairwise(urls)),
        exchange(urls[-1]),
    )


@pytest.mark.parametrize(
    ("chain", "said"),
    [
        (hops(SECURE), None),
        (hops(PLAIN, SECURE), None),
        (hops(f"http://{WWW}/", f"https://{WWW}/", f"https://{APEX}/"), None),
        (hops(PLAIN, f"https://{WWW}/", SECURE), "2 redirects, at most 1"),
        (hops(f"https://{WWW}/", f"https://{APEX}/a", f"https://{APEX}/b"), "2 redirects, at most 1"),
        (hops(SECURE, f"http://app.{APEX}/"), "leads back to http://"),
        ((exchange(SECURE, 301, location=SECURE),), "loops"),
        ((*hops(PLAIN, SECURE)[:1], exchange(SECURE, 301, location=PLAIN)), "loops"),
    ],
)
def test_chain(declared, chain, said):
    assert passes(redirects.chain(declared, (chain,)), said)


def test_a_chain_needs_a_host(declared):
    assert passes(redirects.chain(declared, ()), "no host to visit is declared")


@pytest.mark.parametrize(
    ("status", "said"), [(0, None), (403, None), (404, None), (301, "301"), (200, "200"), (502, "502")]
)
def test_api(declared, status, said):
    visit = exchange(f"http://api.{APEX}/webhooks/stripe", status, location=SECURE)

    assert passes(redirects.api(declared, ApiFacts(plain=(visit,))), said)
