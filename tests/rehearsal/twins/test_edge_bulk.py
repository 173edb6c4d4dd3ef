"""Bulk redirects: lists of the account, and which of their entries applies."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rehearsal.twins.edge.bulk_redirects import Index
from rehearsal.twins.rules import Request
from rehearsal.twins.zone import Kind, RedirectItem
from tests.rehearsal.twins.declared import ACCOUNT, ZONE, block
from tests.rehearsal.twins.edge_world import APP, World


def bulk(world: World, *items: dict[str, Any]) -> None:
    """Bulk redirects from and to whole URLs."""
    redirects = [{"redirect": item} for item in items]
    world.declared.twin.create(
        Kind.LIST, {"accountId": ACCOUNT, "kind": "redirect", "name": "moved", "items": redirects}
    )
    rule = {
        "ref": "moved",
        "expression": "http.request.full_uri in $moved",
        "action": "redirect",
        "actionParameters": {"fromList": {"name": "moved", "key": "http.request.full_uri"}},
    }
    phase = "http_request_redirect"
    inputs = {"accountId": ACCOUNT, "kind": "root", "name": phase, "phase": phase, "rules": [rule]}
    world.declared.twin.create(Kind.RULESET, inputs)


def test_bulk_redirects_match_exactly_unless_told_otherwise(world: World):
    bulk(world, {"sourceUrl": f"{APP}/a", "targetUrl": "https://new.example/b?x=1", "statusCode": 302.0})
    response = world.get(f"https://{APP}/a?q=1")
    assert (response.status_code, response.headers["location"]) == (302, "https://new.example/b?x=1")
    assert [world.get(f"https://{APP}{path}").status_code for path in ("/a/b", "/A", "/")] == [404, 404, 200]
    assert world.get(f"https://{ZONE}/a").status_code == 404


def test_bulk_redirects_take_subpaths_subdomains_and_queries_along(world: World):
    switches = {"subpathMatching": True, "preservePathSuffix": True, "includeSubdomains": True}
    bulk(
        world,
        {"sourceUrl": f"{ZONE}/blog", "targetUrl": "https://new.example/b", **switches, "preserveQueryString": True},
    )
    locations = [
        world.get(f"https://{APP}{path}").headers.get("location")
        for path in ("/blog", "/blog/x/y?q=1", "/blogger", "/blog/")
    ]
    assert locations == ["https://new.example/b", "https://new.example/b/x/y?q=1", None, "https://new.example/b"]


def test_the_most_specific_bulk_redirect_wins(world: World):
    below = {"subpathMatching": True, "preservePathSuffix": False}
    bulk(
        world,
        {"sourceUrl": f"{ZONE}/", "targetUrl": "https://new.example/any", "includeSubdomains": True, **below},
        {"sourceUrl": f"{APP}/", "targetUrl": "https://new.example/app", **below},
        {"sourceUrl": f"https://{APP}/", "targetUrl": "https://new.example/tls", **below},
        {"sourceUrl": f"{ZONE}/a", "targetUrl": "https://new.example/a", "includeSubdomains": True, **below},
    )
    asked = [f"https://{ZONE}/x", f"http://{APP}/x", f"https://{APP}/x", f"https://{APP}/a/x"]
    assert [world.get(url).headers["location"].rpartition("/")[2] for url in asked] == ["any", "app", "tls", "a"]


def test_bulk_redirects_come_after_the_firewall(world: World):
    bulk(world, {"sourceUrl": f"{APP}/a", "targetUrl": "https://new.example/"})
    world.declared.ruleset("http_request_firewall_custom", block('http.request.uri.path eq "/a"'))
    assert world.get(f"https://{APP}/a").status_code == 403


hosts = st.sampled_from(["a.example", "b.a.example", "c.b.a.example", "xa.example"])
paths = st.lists(st.sampled_from(["x", "y", ""]), max_size=3).map(lambda parts: "/" + "/".join(parts))
items = st.builds(
    RedirectItem,
    source_url=st.tuples(st.sampled_from(["", "http://", "https://"]), hosts, paths).map("".join),
    target_url=st.just("https://new.example/"),
    status_code=st.just(301),
    include_subdomains=st.booleans(),
    subpath_matching=st.booleans(),
    preserve_query_string=st.just(False),
    preserve_path_suffix=st.just(False),
)


def covers(item: RedirectItem, scheme: str, host: str, path: str) -> tuple[int, bool, int, bool] | None:
    """How specifically an entry covers a request, read off its URL; None where it does not."""
    own_scheme, _, rest = item.source_url.rpartition("://")
    own_host, _, own_path = rest.partition("/")
    own_path = f"/{own_path}"
    named = host == own_host or (item.include_subdomains and host.endswith(f".{own_host}"))
    placed = path == own_path or (item.subpath_matching and path.startswith(own_path.rstrip("/") + "/"))
    if own_scheme not in ("", scheme) or not named or not placed:
        return None
    return len(own_path), host == own_host, len(own_host), bool(own_scheme)


@given(st.lists(items, max_size=12, unique_by=lambda item: item.source_url), hosts, paths)
def test_an_index_finds_what_looking_at_every_entry_finds(listed: list[RedirectItem], host: str, path: str):
    request = Request(method="GET", scheme="https", host=host, path=path, raw_path=path)
    covering = {item.source_url: weight for item in listed if (weight := covers(item, "https", host, path))}
    found = Index(listed).find(request)
    assert (found.source_url if found else None) == max(covering, key=covering.__getitem__, default=None)
