import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.redirects.addresses import MAX_PATH, MAX_TARGET, Place
from rehearsal.twins.edge.normalise import normalised
from tests.infra.redirects.zone import DOMAIN, faults, parsed

APP, SHOP = f"app.{DOMAIN}", f"shop.{DOMAIN}"


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("/old", Place(DOMAIN, "/old")),
        ("/", Place(DOMAIN, "/")),
        ("/old/", Place(DOMAIN, "/old/")),
        ("/old/*", Place(DOMAIN, "/old/", below=True)),
        (f"{DOMAIN}/old", Place(DOMAIN, "/old")),
        (f"{APP}/old", Place(APP, "/old")),
        (f"{APP}/*", Place(APP, "/", below=True)),
        ("/Old.html;v=1", Place(DOMAIN, "/Old.html;v=1")),
        ("/caf%C3%A9", Place(DOMAIN, "/caf%C3%A9")),
        ("/.well-known/change-password", Place(DOMAIN, "/.well-known/change-password")),
    ],
)
def test_from_names_a_place(source: str, place: Place) -> None:
    [redirect] = parsed(f"{source},https://elsewhere.example/").redirects
    assert redirect.source == place


@pytest.mark.parametrize(
    ("target", "url"),
    [
        ("/new", f"https://{DOMAIN}/new"),
        (f"https://{APP}/new", f"https://{APP}/new"),
        (f"https://{APP}", f"https://{APP}/"),
        (f"https://status.{DOMAIN}/", f"https://status.{DOMAIN}/"),
        (f"https://any.eu.{DOMAIN}/", f"https://any.eu.{DOMAIN}/"),
        ("/new?tab=1&x=/y", f"https://{DOMAIN}/new?tab=1&x=/y"),
        ("https://elsewhere.example:8443/a//b?c", "https://elsewhere.example:8443/a//b?c"),
        ("https://elsewhere.example?c", "https://elsewhere.example/?c"),
    ],
)
def test_to_leads_to_an_address(target: str, url: str) -> None:
    [redirect] = parsed(f"/old,{target}").redirects
    assert redirect.target.url == url


def test_to_keeps_what_is_below_only_where_it_says_so() -> None:
    kept, dropped = parsed(f"{APP}/a/*,/b/*", f"{APP}/c/*,/d").redirects
    assert kept.leads(Place(APP, "/a/x/y")).url == f"https://{APP}/b/x/y"
    assert dropped.leads(Place(APP, "/c/x/y")).url == f"https://{APP}/d"


@pytest.mark.parametrize(
    ("source", "limit"),
    [
        ("", "from has a path"),
        ("old", "from has a path"),
        (f"https://{DOMAIN}/old", "without a scheme"),
        (f"www.{DOMAIN}/old", "a path alone means both"),
        (f"api.{DOMAIN}/webhooks/stripe", "is the API, which is never redirected"),
        (f"status.{DOMAIN}/old", "is no proxied host"),
        ("elsewhere.example/old", "is no proxied host"),
        (f"{DOMAIN.upper()}/old", "is no proxied host"),
        ("/old?page=1", "without their query"),
        ("/old#top", "never send a fragment"),
        ("/a//b", "rules see the path as /a/b"),
        ("/a/./b", "rules see the path as /a/b"),
        ("/a/../b", "rules see the path as /b"),
        ("/..", "rules see the path as /."),
        ("/%7Euser", "rules see the path as /~user"),
        ("/a%2fb", "rules see the path as /a%2Fb"),
        ("/café", "Write it encoded: /caf%C3%A9"),
        ("/a b", "Write it encoded: /a%20b"),
        ("/100%", "Write it encoded: /100%25"),
        ("/a\\b", "Write it encoded: /a%5Cb"),
        ('"/a""b"', "Write it encoded: /a%22b"),
        ("/a*", "an asterisk only at its end"),
        ("/a/*/b", "an asterisk only at its end"),
        ("/a/**", "an asterisk only at its end"),
        ("/cdn-cgi/trace", "is not the application's to redirect"),
        ("/.well-known/acme-challenge/x", "is not the application's to redirect"),
        (f"{SHOP}/.well-known/assetlinks.json", "must not be redirected"),
        (f"{SHOP}/*", "must not be redirected"),
        ("/" + "x" * MAX_PATH, f"has at most {MAX_PATH} characters, this one {MAX_PATH + 1}"),
        ("/x" * 16 + "/*", "at most 16 slashes"),
    ],
)
def test_a_place_that_no_rule_can_have_is_refused(source: str, limit: str) -> None:
    [found] = faults(f"{source},/new")
    assert found.startswith("2: ")
    assert limit in found


@given(st.text(alphabet="ab/.%2eEfF7~+;\\", max_size=12))
def test_what_is_taken_as_a_path_is_what_the_edge_makes_of_it(text: str) -> None:
    for redirect in parsed(f"/{text},https://elsewhere.example/").redirects:
        written = f"/{text}".removesuffix("*")
        assert normalised(written) == written == redirect.source.path


@pytest.mark.parametrize(
    ("source", "target", "limit"),
    [
        ("/old", "", "to is a path, or an address that begins with https://"),
        ("/old", "new", "to is a path, or an address that begins with https://"),
        ("/old", "//elsewhere.example/", "to is a path, or an address that begins with https://"),
        ("/old", "http://elsewhere.example/", "to is a path, or an address that begins with https://"),
        ("/old", "javascript:alert(1)", "to is a path, or an address that begins with https://"),
        ("/old", "https://user@elsewhere.example/", "and no user"),
        ("/old", "https://user:secret@elsewhere.example/", "and no user"),
        ("/old", "https://elsewhere.example:/", "perhaps a port"),
        ("/old", "https://elsewhere.example:99999/", "perhaps a port"),
        ("/old", "https:///new", "a name is not empty"),
        ("/old", "https://Elsewhere.example/", "a name is written in lower case"),
        ("/old", "https://bücher.example/", "a name is written in its IDNA form, here xn--bcher-kva.example"),
        ("/old", f"https://www.{DOMAIN}/new", "that would be two redirects"),
        ("/old", "https://oldtide.example/new", "Lead to https://tide.example instead"),
        ("/old", "https://shop.oldtide.example/new", "is retired and leads on"),
        ("/old", f"https://typo.{DOMAIN}/new", "no such host is declared"),
        ("/old", "/new#part", "to has no fragment"),
        ("/old", "/new page", "Write it encoded: /new%20page"),
        ("/old", "/new?a b", "a character that a URL cannot hold"),
        ("/old", "/a//b", "browsers ask for /a/b"),
        ("/old", "/new/*", "to ends in /* only where from does"),
        ("/old/*", "/new*", "an asterisk only at its end"),
        ("/old/*", "/new/*?x=1", "without a query and without a $"),
        ("/old/*", "/$1/*", "without a query and without a $"),
        ("/old", "/" + "x" * MAX_TARGET, f"at most {MAX_TARGET} characters, this one {MAX_TARGET + 1}"),
    ],
)
def test_a_target_that_no_rule_can_have_is_refused(source: str, target: str, limit: str) -> None:
    [found] = faults(f"{source},{target}")
    assert found.startswith("2: ")
    assert limit in found
