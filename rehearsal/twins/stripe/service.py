"""Answers one API request: key, version, route, parameters, idempotency, operation, expansion."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rehearsal.twins.stripe.account import AUTOMATIC, Account, Request
from rehearsal.twins.stripe.errors import ApiError, invalid
from rehearsal.twins.stripe.expand import expanded
from rehearsal.twins.stripe.form import Raw, decode
from rehearsal.twins.stripe.idempotency import Answer, Idempotency
from rehearsal.twins.stripe.keys import Keys
from rehearsal.twins.stripe.params import array, text
from rehearsal.twins.stripe.router import Call, find
from rehearsal.twins.stripe.routes import ROUTES
from rehearsal.twins.stripe.settings import API_VERSION
from rehearsal.twins.stripe.store import new_id


@dataclass(frozen=True)
class HttpRequest:
    """What came over HTTP; header names are lower case."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class HttpResponse:
    """What goes back."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class _Read:
    """A request whose parameters passed."""

    call: Call
    raw: dict[str, Raw]
    expand: list[str]


class Service:
    """The API. Requests run one after the other, under the store's lock."""

    def __init__(self, account: Account, keys: Keys) -> None:
        self._account = account
        self._keys = keys
        self._idempotency = Idempotency()
        self._lock: threading.RLock = account.store.lock

    def answer(self, request: HttpRequest) -> HttpResponse:
        """The response to any request; refusals are Stripe's errors."""
        request_id = new_id("req", 14)
        with self._lock:
            try:
                answer = self._answer(request, request_id)
            except ApiError as error:
                answer = Answer(error.status, error.body(), request_id)
            return self._response(answer, request, request_id)

    def _answer(self, request: HttpRequest, request_id: str) -> Answer:
        self._keys.check(request.headers.get("authorization", ""), request.method, self._account.id)
        self._check_version(request)
        read = self._read(request)
        key = request.headers.get("idempotency-key") if request.method == "POST" else None
        if key is None:
            return self._run(read, Request(request_id, None))
        kept = self._idempotency.look_up(key, request.path, read.raw)
        if kept is not None:
            return kept
        answer = self._run(read, Request(request_id, key))
        self._idempotency.keep(key, request.path, read.raw, answer)
        return answer

    def _check_version(self, request: HttpRequest) -> None:
        version = request.headers.get("stripe-version", API_VERSION)
        if version != API_VERSION:
            raise invalid(f"Invalid Stripe API version: {version}. This twin speaks {API_VERSION} only.")

    def _read(self, request: HttpRequest) -> _Read:
        route, ids = find(ROUTES, request.method, request.path)
        raw = decode(request.body.decode(errors="replace") if request.method == "POST" else request.query)
        wanted = {name: value for name, value in raw.items() if name != "expand"}
        expand = array(text(), limit=20)(raw["expand"], "expand") if "expand" in raw else []
        return _Read(Call(route.operation, ids, route.spec.parse(wanted)), raw, expand)

    def _run(self, read: _Read, request: Request) -> Answer:
        """Carry out a request; its refusal is an answer like any other, and kept under its idempotency key."""
        self._account.request = request
        try:
            document = expanded(self._account.store, read.call.run(self._account), read.expand)
        except ApiError as error:
            return Answer(error.status, error.body(), request.id)
        finally:
            self._account.request = AUTOMATIC
        return Answer(200, document, request.id)

    def _response(self, answer: Answer, request: HttpRequest, request_id: str) -> HttpResponse:
        headers = {
            "content-type": "application/json",
            "request-id": request_id,
            "stripe-version": API_VERSION,
        }
        key = request.headers.get("idempotency-key")
        if key is not None and request.method == "POST":
            headers |= {"idempotency-key": key, "original-request": answer.request_id}
        if answer.replayed:
            headers["idempotent-replayed"] = "true"
        return HttpResponse(answer.status, headers, render(answer.document))


def render(document: dict[str, Any]) -> bytes:
    """JSON as Stripe writes it: indented by two."""
    return json.dumps(document, indent=2, ensure_ascii=False).encode()
