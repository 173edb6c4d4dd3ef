"""A Stripe account on loopback with nothing but webhook endpoints: list, create, update and delete."""

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

PATH = "/v1/webhook_endpoints"


@dataclass
class StripeAccount:
    """What the account holds, by id, and every call as (method, path). `page` bounds a list's answer."""

    base: str = ""
    endpoints: dict[str, dict[str, Any]] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    page: int = 100
    lose_next_answer: bool = False
    _made: int = 0

    def add(self, url: str, owner_and_version: str | None = None) -> str:
        """An endpoint that somebody made before."""
        metadata = {"metadata[launch_ready]": owner_and_version} if owner_and_version else {}
        version = (owner_and_version or ":2020-01-01").partition(":")[2]
        return self.create({"url": url, "enabled_events[0]": "charge.refunded", "api_version": version, **metadata})[
            "id"
        ]

    def create(self, form: dict[str, str]) -> dict[str, Any]:
        self._made += 1
        endpoint = f"we_{self._made}"
        self.secrets[endpoint] = f"whsec_{self._made}"
        self.endpoints[endpoint] = {
            "id": endpoint,
            "object": "webhook_endpoint",
            "api_version": form.get("api_version"),
            "application": None,
            "created": 1767225600,
            "description": form.get("description"),
            "enabled_events": _events(form),
            "livemode": True,
            "metadata": {"launch_ready": value} if (value := form.get("metadata[launch_ready]")) else {},
            "status": "enabled",
            "url": form["url"],
        }
        return {**self.endpoints[endpoint], "secret": self.secrets[endpoint]}

    def update(self, endpoint: str, form: dict[str, str]) -> dict[str, Any]:
        assert "api_version" not in form, "Stripe refuses to change an endpoint's api_version"
        held = self.endpoints[endpoint]
        held.update(url=form.get("url", held["url"]), enabled_events=_events(form) or held["enabled_events"])
        if "disabled" in form:
            held["status"] = "disabled" if form["disabled"] == "true" else "enabled"
        return held

    def list(self, query: dict[str, str]) -> dict[str, Any]:
        newest_first = list(reversed(self.endpoints.values()))
        after = query.get("starting_after")
        start = 1 + [endpoint["id"] for endpoint in newest_first].index(after) if after else 0
        page = newest_first[start : start + self.page]
        more = len(newest_first) > start + self.page
        return {"object": "list", "url": PATH, "has_more": more, "data": page}


def _events(form: dict[str, str]) -> list[str]:
    return [value for key, value in form.items() if key.startswith("enabled_events[")]


@contextmanager
def stripe_account() -> Generator[StripeAccount]:
    account = StripeAccount()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            account.calls.append((self.command, parts.path))
            form = dict(parse_qsl(body or parts.query))
            status, content = _route(account, self.command, parts.path, form)
            if account.lose_next_answer and self.command == "POST":
                account.lose_next_answer = False
                status, content = 400, {"error": {"type": "invalid_request_error", "message": "cut off"}}
            payload = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - the server's names

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    account.base = f"http://127.0.0.1:{server.server_port}"
    try:
        yield account
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _route(account: StripeAccount, method: str, path: str, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
    endpoint = path.removeprefix(PATH).lstrip("/")
    if not path.startswith(PATH):
        return 404, {"error": {"type": "invalid_request_error", "message": f"Unrecognized request URL {path}"}}
    if method == "GET" and not endpoint:
        return 200, account.list(form)
    if method == "POST" and not endpoint:
        return 200, account.create(form)
    if endpoint not in account.endpoints:
        message = f"No such webhook endpoint: '{endpoint}'"
        return 404, {"error": {"type": "invalid_request_error", "code": "resource_missing", "message": message}}
    if method == "POST":
        return 200, account.update(endpoint, form)
    del account.endpoints[endpoint]
    return 200, {"id": endpoint, "object": "webhook_endpoint", "deleted": True}
