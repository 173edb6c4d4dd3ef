import itertools

import pytest

from checks.contract import PathRedirect, Redirect, Retired
from checks.probes.redirects import PROBE_PATH, STRANGER, AliasFacts, PathFacts, RetiredFacts
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


def alias(answer, to=None, **change):
    usual = Redirect(from_host=WWW, to_host=APEX, status=301, preserve_path=True, preserve_query=True)
    redirect = usual.model_copy(update=change)
    target = f"https://{redirect.to_host}{PROBE_PATH}"
    back = exchange(target, 301, location=to) if to else exchange(target)
    return AliasFacts(redirect=redirect, alias=answer, target=back)


HERE = f"https://{WWW}{PROBE_PATH}"


@pytest.mark.parametrize(
    ("fact", "said"),
    [
        (alias(exchange(HERE, 301, location=SECURE)), None),
        (alias(exchange(SECURE, 301, location=HERE), from_host=APEX, to_host=WWW), None),
        (alias(exchange(HERE, 308, location=SECURE), status=308), None),
        (alias(exchange(HERE, 308, location=SECURE)), "-> 308"),
        (alias(exchange(HERE, 302, location=SECURE), status=302), "302"),
        (alias(exchange(HERE, 301, location=f"https://{APEX}/")), "301"),
        (alias(exchange(HERE, 301, location=PLAIN)), "301"),
        (alias(exchange(HERE, 200)), "200"),
        (alias(exchange(HERE, 301, location=SECURE), to=HERE), "back to its alias"),
        (alias(exchange(HERE, 301, location=SECURE), to_host=f"app.{APEX}"), "wanted 301 to https://app."),
    ],
)
def test_canonical(declared, fact, said):
    assert passes(redirects.canonical(declared, (fact,)), said)


def test_one_of_apex_and_www_is_an_alias_of_the_other(declared):
    assert passes(redirects.canonical(declared, ()), f"neither of {APEX} and {WWW} leads to the other")


def old_path(status=301, location="https://app.tidewriters.example/new?launch-ready-probe=kept", kept=True):
    declared = PathRedirect(
        url=f"https://{APEX}/old", to="https://app.tidewriters.example/new", status=301, by="single"
    )
    asked = declared.url + ("?launch-ready-probe=kept" if kept else "")
    return PathFacts(declared=declared, answer=exchange(asked, status, location=location), kept=kept)


@pytest.mark.parametrize(
    ("fact", "said"),
    [
        (old_path(), None),
        (old_path(location="https://app.tidewriters.example/new", kept=False), None),
        (old_path(302), "-> 302"),
        (old_path(404, ""), "-> 404"),
        (old_path(location="https://app.tidewriters.example/new"), "declared 301 to"),
        (old_path(location="https://app.tidewriters.example/newer?launch-ready-probe=kept"), "declared 301 to"),
    ],
)
def test_paths(declared, fact, said):
    assert passes(redirects.paths(declared, (fact,)), said)


OLD = "oldtide.example"


def gone(secure, plain=None, keep_path=True):
    to = "https://tidewriters.example" if keep_path else "https://tidewriters.example/moved"
    asked = f"https://{OLD}{PROBE_PATH}"
    return RetiredFacts(
        declared=Retired(domain=OLD, to=to, status=301, keep_path=keep_path),
        plain=exchange(f"http://{OLD}{PROBE_PATH}", 301, location=plain or SECURE),
        secure=exchange(asked, 301, location=secure),
    )


@pytest.mark.parametrize(
    ("fact", "said"),
    [
        (gone(SECURE), None),
        (gone(SECURE, plain=f"https://{OLD}{PROBE_PATH}"), None),
        (gone("https://tidewriters.example/"), "declared 301 to"),
        (gone(SECURE, plain=PLAIN), "http://oldtide.example"),
        (gone(f"https://{APEX}/moved", plain=f"https://{OLD}{PROBE_PATH}", keep_path=False), None),
        (
            gone(f"https://{APEX}/moved?keep=1&also=two", plain=f"https://{OLD}{PROBE_PATH}", keep_path=False),
            "declared 301",
        ),
    ],
)
def test_retired(declared, fact, said):
    assert passes(redirects.retired(declared, (fact,)), said)


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("", None),
        ("/login", None),
        ("https://accounts.google.com/", None),
        (f"//{STRANGER}/", "launch-ready-probe.example"),
        (f"https://{STRANGER}/", "launch-ready-probe.example"),
    ],
)
def test_open(declared, location, said):
    assert passes(redirects.stays(declared, (exchange(f"https://{APEX}/auth/?next=…", 302, location=location),)), said)


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
        (hops(PLAIN, SECURE, "https://tidewriters.cloudflareaccess.com/login"), None),
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

    assert passes(redirects.api(declared, (visit,)), said)
