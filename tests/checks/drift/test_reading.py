"""Reading a zone over Cloudflare's API: everything of it, whole, or a clear word of what could not be read."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from checks.drift import load, read, reading
from checks.errors import ProbeError, UsageError
from checks.vantage import CloudflareAccess

DOMAIN, ZONE, ACCOUNT = "tidewriters.example", "ab" * 16, "cd" * 16
TOKEN = "cf-secret-token"
PATH = f"/zones/{ZONE}"
Answer = Callable[[dict[str, str]], Any]


class Api:
    """Answers GET with `routes`: path to what is given for a query, or a (status, body) pair; 404 for all others."""

    def __init__(self) -> None:
        zone = {"id": ZONE, "name": DOMAIN, "account": {"id": ACCOUNT}}
        self.routes: dict[str, Any] = {"/zones": [zone], PATH: zone, f"{PATH}/settings": [], f"{PATH}/rulesets": []}
        self.asked: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        self.access = CloudflareAccess(api_base=f"http://127.0.0.1:{self._server.server_address[1]}", api_token=TOKEN)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(api) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - the class below has the name self
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                api.asked.append(parts.path)
                route = api.routes.get(parts.path, (404, {"errors": [{"message": "not found"}]}))
                if callable(route):
                    route = route({key: values[0] for key, values in parse_qs(parts.query).items()})
                status, body = route if isinstance(route, tuple) else (200, {"result": route})
                payload = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("retry-after", "0")
                self.send_header("content-length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that the class has
                """Say nothing."""

        return Handler


@pytest.fixture
def api() -> Iterator[Api]:
    server = Api()
    yield server
    server.stop()


def refusal(status: int, message: str = "no") -> tuple[int, Any]:
    return status, {"success": False, "errors": [{"code": 9109, "message": message}], "result": None}


def test_every_page_of_the_records_is_read(api: Api) -> None:
    records = [{"id": str(number)} for number in range(3000)]

    def page(query: dict[str, str]) -> Any:
        size, number = int(query["per_page"]), int(query["page"])
        shown = records[(number - 1) * size : number * size]
        return 200, {"result": shown, "result_info": {"total_pages": -(-len(records) // size)}}

    api.routes[f"{PATH}/dns_records"] = page
    assert read(api.access, DOMAIN)["records"] == records


def test_rulesets_are_read_whole_and_cloudflares_own_are_left_out(api: Api) -> None:
    listed = [{"id": "r1", "kind": "zone"}, {"id": "m1", "kind": "managed"}]

    def cursor(query: dict[str, str]) -> Any:
        shown = listed[1:] if query.get("cursor") else listed[:1]
        after = {} if query.get("cursor") else {"cursors": {"after": "next"}}
        return 200, {"result": shown, "result_info": after}

    api.routes |= {f"{PATH}/rulesets": cursor, f"{PATH}/rulesets/r1": {"id": "r1", "rules": [1]}}
    assert read(api.access, DOMAIN)["rulesets"] == [{"id": "r1", "rules": [1]}]


def test_where_nothing_can_be_listed_settings_and_phases_are_asked_for_one_by_one(api: Api) -> None:
    del api.routes[f"{PATH}/settings"], api.routes[f"{PATH}/rulesets"]
    api.routes[f"{PATH}/settings/ssl"] = {"id": "ssl", "value": "full"}
    api.routes[f"{PATH}/rulesets/phases/http_ratelimit/entrypoint"] = {"id": "r", "phase": "http_ratelimit"}
    snapshot = read(api.access, DOMAIN)
    assert snapshot["settings"] == [{"id": "ssl", "value": "full"}]
    assert snapshot["rulesets"] == [{"id": "r", "phase": "http_ratelimit"}]


def test_what_the_token_may_not_read_is_named_and_the_rest_is_read(api: Api) -> None:
    api.routes[f"{PATH}/bot_management"] = refusal(403, "missing permission")
    snapshot = read(api.access, DOMAIN)
    assert snapshot["bot_management"] is None
    assert "403 missing permission" in snapshot["unread"]["bot_management"]


@pytest.mark.parametrize(
    ("path", "answer", "said"),
    [
        ("/zones", [], "the token sees no zone 'tidewriters.example'"),
        ("/zones", refusal(401, "Invalid API Token"), "401 Invalid API Token"),
        (f"{PATH}/dns_records", refusal(403), "dns_records: 403 no"),
        (f"{PATH}/dns_records", (200, {"hello": 1}), "this is no answer of Cloudflare's API"),
    ],
)
def test_a_zone_that_cannot_be_read_is_told_without_the_token(api: Api, path: str, answer: Any, said: str) -> None:
    api.routes[path] = answer
    with pytest.raises(ProbeError) as raised:
        read(api.access, DOMAIN)
    assert said in str(raised.value)
    assert TOKEN not in str(raised.value)


def test_an_answer_that_asks_to_wait_is_waited_for(api: Api) -> None:
    answers = [refusal(429), (200, {"result": [{"id": "1"}]})]
    api.routes[f"{PATH}/dns_records"] = lambda query: answers.pop(0)
    assert read(api.access, DOMAIN)["records"] == [{"id": "1"}]


def test_a_server_that_is_not_there_is_told(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_RETRIES", 0)
    api.stop()
    with pytest.raises(ProbeError, match="Cloudflare's API cannot be reached"):
        read(api.access, DOMAIN)


@pytest.mark.parametrize("content", ["[]", "{", '{"version": 9, "records": []}', '{"version": 1}'])
def test_a_file_that_is_no_snapshot_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "zone.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match=r"zone\.json"):
        load(path)
