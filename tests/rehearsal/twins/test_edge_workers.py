"""Workers: scripts that answer in place of the origin."""

import json
from typing import Any

import pytest

from rehearsal.twins.zone import Kind
from tests.rehearsal.twins.declared import ACCOUNT, ZONE, block, caching
from tests.rehearsal.twins.edge_world import API, APP, World, answering

DAY = {"mode": "override_origin", "default": 86_400.0}
PASS_ON = "export default { async fetch(request) { return fetch(request); } }"


def script(world: World, module: str, pattern: str = f"{APP}/*", name: str = "worker", **bindings: Any) -> None:
    """A script and the route to it."""
    bound = [{"name": key, "type": "json", "json": json.dumps(value)} for key, value in bindings.items()]
    inputs = {"accountId": ACCOUNT, "scriptName": name, "content": module, "mainModule": "worker.js"}
    world.declared.twin.create(Kind.SCRIPT, {**inputs, "bindings": bound})
    route(world, pattern, name)


def route(world: World, pattern: str, name: str | None) -> None:
    world.declared.twin.create(Kind.ROUTE, {"zoneId": world.declared.zone.id, "pattern": pattern, "script": name})


def handling(statements: str) -> str:
    return f"export default {{ async fetch(request, env, context) {{ {statements} }} }};"


DOCUMENTS = """
const found = (documents, url) => documents[url.hostname + url.pathname];
export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    const document = found(env.DOCUMENTS, url);
    if (!document) return new Response("Not found", { status: 404 });
    if (!["GET", "HEAD"].includes(request.method)) {
      return new Response(null, { status: 405, headers: { Allow: "GET, HEAD" } });
    }
    const headers = { "Content-Type": document.type, "X-Asked": request.headers.get("x-a") };
    return new Response(document.body, { headers });
  },
};
"""


def test_a_worker_answers_in_place_of_the_origin(world: World):
    documents = {f"{APP}/a.txt": {"type": "text/plain", "body": "grün"}}
    script(world, DOCUMENTS, DOCUMENTS=documents)
    found = world.get(f"https://{APP}/a.txt?x=1", headers={"x-a": "b"})
    assert (found.status_code, found.text, found.headers["content-type"]) == (200, "grün", "text/plain")
    assert (found.headers["x-asked"], found.headers["server"]) == ("b", "cloudflare")
    assert "cf-cache-status" not in found.headers
    head = world.client.head(f"https://{APP}/a.txt")
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", "5")
    assert world.get(f"https://{APP}/b").status_code == 404
    refused = world.client.delete(f"https://{APP}/a.txt")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")
    assert world.seen() == []


def test_a_worker_passes_requests_on_with_their_bodies(world: World, serve):
    seen: list[Any] = []
    world.origins[API] = serve(answering(201, [(b"x-own", b"1")], b"\x00\xff", seen))
    script(world, PASS_ON, f"{API}/*")
    response = world.client.put(f"https://{API}/a%2Fb?c=1", content=b"\xfe\x00", headers={"x-a": "b"})
    assert (response.status_code, response.content, response.headers["x-own"]) == (201, b"\x00\xff", "1")
    scope, body = seen[0]
    assert (scope["method"], scope["raw_path"], scope["query_string"], body) == ("PUT", b"/a%2Fb", b"c=1", b"\xfe\x00")
    assert (b"x-a", b"b") in scope["headers"]


def test_what_a_worker_fetches_is_cached_as_without_it(world: World):
    script(world, PASS_ON)
    url = f"https://{APP}/_next/static/a.js"
    assert [world.get(url).headers["cf-cache-status"] for _ in range(2)] == ["MISS", "HIT"]


def test_cache_rules_see_what_a_worker_fetches(world: World):
    expression = 'http.request.method eq "GET" and http.request.uri.path eq "/about"'
    world.declared.ruleset("http_request_cache_settings", caching(expression, edgeTtl=DAY))
    script(world, handling("return fetch(new Request(new URL('/about', request.url), { method: 'GET' }));"))
    statuses = [world.client.post(f"https://{APP}/pricing").headers["cf-cache-status"] for _ in range(2)]
    assert statuses == ["MISS", "HIT"]


def test_a_worker_changes_what_it_fetched(world: World):
    changed = """
      const answer = await fetch(new Request("https://" + new URL(request.url).host + "/about", request));
      const headers = new Headers(answer.headers);
      headers.set("X-Changed", String(answer.ok));
      headers.delete("etag");
      return new Response(answer.body, { status: 203, headers });
    """
    script(world, handling(changed))
    response = world.get(f"https://{APP}/nothing")
    assert (response.status_code, response.headers["x-changed"]) == (203, "true")
    assert "Welcome" in response.text
    assert "etag" not in response.headers
    assert world.seen() == ["/about"]


def test_several_fetches_of_one_request_each_get_their_answer(world: World):
    both = """
      const ask = (path) => fetch(`https://${new URL(request.url).host}${path}`);
      const [a, b] = await Promise.all([ask("/pricing"), ask("/nothing")]);
      return Response.json({ statuses: [a.status, b.status] });
    """
    script(world, handling(both))
    assert world.get(f"https://{APP}/").json() == {"statuses": [200, 404]}


@pytest.mark.parametrize(
    ("statements", "status", "code"),
    [
        ("throw new Error('secret');", 500, "1101"),
        ("return 5;", 500, "1101"),
        ("return new Response('x', { status: 99 });", 500, "1101"),
        ("return new Response('x', { status: 204 });", 500, "1101"),
        ("return new Promise(() => {});", 500, "1101"),
        ("return fetch('https://elsewhere.example/');", 500, "1101"),
        ("return new Response(await request.text());", 500, "1101"),
        ("return new Response(nothing.at.all);", 500, "1101"),
        ("while (true) {}", 503, "1102"),
        ("const all = []; while (true) all.push('x'.repeat(1e6) + all.length);", 503, "1102"),
    ],
)
def test_a_worker_that_fails_has_cloudflares_error_page(world: World, statements: str, status: int, code: str):
    script(world, handling(statements))
    response = world.get(f"https://{APP}/")
    assert (response.status_code, response.text) == (status, f"error code: {code}")


@pytest.mark.parametrize(
    "module", ["export default {", "export default {}", "export const a = 1;", "throw new Error()"]
)
def test_a_module_that_handles_nothing_fails_each_request(world: World, module: str):
    script(world, module)
    assert (world.get(f"https://{APP}/").status_code, world.seen()) == (500, [])


def test_a_worker_that_asked_for_it_passes_through_when_it_fails(world: World):
    script(world, handling("context.passThroughOnException(); throw new Error();"))
    assert world.get(f"https://{APP}/pricing").status_code == 200


def test_one_request_leaves_nothing_to_the_next(world: World):
    counting = "globalThis.count = (globalThis.count ?? 0) + 1; return new Response(count);"
    script(world, handling(counting))
    assert [world.get(f"https://{APP}/").text for _ in range(2)] == ["1", "1"]


def test_the_most_specific_route_wins_and_may_lead_to_no_script(world: World):
    script(world, handling("return new Response('zone');"), f"*{ZONE}/*", "zone")
    script(world, handling("return new Response('app');"), f"{APP}/a*", "app")
    route(world, f"{APP}/a/open", None)
    answers = [world.get(f"https://{APP}{path}").text for path in ("/", "/a", "/a/b", "/a/open?x=1")]
    assert answers == ["zone", "app", "app", "app"]
    assert world.get(f"https://{APP}/a/open").status_code == 404
    assert world.seen() == ["/a/open"]


def test_the_firewall_stands_before_a_worker(world: World):
    script(world, handling("return new Response('never');"))
    world.declared.ruleset("http_request_firewall_custom", block("ssl"))
    assert world.get(f"https://{APP}/").status_code == 403


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("new URL('https://A.example:8443/b/c?d=e%20f&d=g#h').pathname", "/b/c"),
        ("new URL('https://A.example:8443/b').host", "a.example:8443"),
        ("new URL('https://a.example').href", "https://a.example/"),
        ("new URL('/x?y', 'https://a.example/z').href", "https://a.example/x?y"),
        ("new URL('https://a.example/?d=e%20f&d=g').searchParams.get('d')", "e f"),
        ("new URL('https://a.example/?d=1&d=2').searchParams.getAll('d').length", "2"),
        ("new URL('https://a.example/?d=1').searchParams.has('e')", "false"),
        ("new Headers({ A: '1' }).get('a')", "1"),
        ("[...new Headers([['A', '1'], ['B', '2']])].join()", "a,1,b,2"),
        ("new Headers().get('a')", "null"),
        ("Response.redirect('https://a.example/b', 301).headers.get('location')", "https://a.example/b"),
        ("request.method + request.clone().url", f"GEThttps://{APP}/"),
        ("await new Response('a').text().catch((error) => error.constructor.name)", "TypeError"),
    ],
)
def test_what_the_platform_gives_a_script_behaves_as_in_browsers(world: World, expression: str, value: str):
    script(world, handling(f"return new Response(String({expression}));"))
    assert world.get(f"https://{APP}/").text == value


def test_a_request_makes_no_more_than_fifty_fetches(world: World):
    many = """
      const ask = () => fetch(request).then((answer) => answer.status, (error) => String(error));
      return Response.json(await Promise.all(Array.from({ length: 51 }, ask)));
    """
    script(world, handling(many))
    answers = world.get(f"https://{APP}/nothing").json()
    assert (answers.count(404), answers[-1]) == (50, "TypeError: Too many subrequests.")
