"""Runs one Worker for one request: a fresh QuickJS context, with limits of memory and time.

QuickJS is no V8: a script that needs more of the platform than the prelude gives fails here with an exception.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import quickjs

from rehearsal.twins.edge.exchange import Answer, Exchange, failure
from rehearsal.twins.zone import Worker

Fetch = Callable[[Exchange], Awaitable[Answer]]
MEMORY_BYTES = 128 * 1024 * 1024  # https://developers.cloudflare.com/workers/platform/limits/
CPU_SECONDS = 1.0  # more than the free plan's 10 ms: QuickJS interprets, and the limit is of the whole process here
_FETCHES = 50  # subrequests of one request on the free plan
_MODULE_NAME = "<input>"  # what QuickJS calls a module that is evaluated; a module may import itself
_EXCEPTION, _EXCEEDED = failure(500, "1101"), failure(503, "1102")


class WorkerRuntime:
    """Runs Workers on threads of its own, a context each."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="worker")

    def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def run(self, worker: Worker, exchange: Exchange, fetch: Fetch) -> Answer:
        """What the Worker answers; `fetch` reaches what is behind it. Exceptions become Cloudflare's error pages."""
        loop = asyncio.get_running_loop()

        def reach(wanted: Exchange) -> Answer:
            return asyncio.run_coroutine_threadsafe(_awaited(fetch(wanted)), loop).result()

        return await loop.run_in_executor(self._threads, _Run(worker, exchange, reach).answer)


async def _awaited(answer: Awaitable[Answer]) -> Answer:
    return await answer


@cache
def _prelude() -> str:
    return (Path(__file__).parent / "prelude.js").read_text(encoding="utf-8")


class _Run:
    """One request in one context, in one thread."""

    def __init__(self, worker: Worker, exchange: Exchange, reach: Callable[[Exchange], Answer]) -> None:
        self._worker = worker
        self._exchange = exchange
        self._reach = reach
        self._held: dict[int, Answer] = {}

    def answer(self) -> Answer:
        try:
            context = self._context()
            return self._finish(context)
        except quickjs.JSException as error:
            return _EXCEEDED if _is_limit(str(error)) else _EXCEPTION

    def _context(self) -> quickjs.Context:
        context = quickjs.Context()
        context.set_memory_limit(MEMORY_BYTES)
        context.set_time_limit(CPU_SECONDS)
        context.eval(_prelude())
        own = f'\n;import * as own from "{_MODULE_NAME}"; globalThis.__worker = own.default;'
        context.module(self._worker.module + own)
        return context

    def _finish(self, context: quickjs.Context) -> Answer:
        request = {"url": _address(self._exchange), "method": self._exchange.request.method}
        shown = json.dumps({**request, "headers": list(self._exchange.headers)})
        context.get("__start")(shown, json.dumps(dict(self._worker.bindings)))
        while True:
            while context.execute_pending_job():
                pass
            asked = json.loads(context.eval("JSON.stringify(__asked.splice(0))"))
            if not asked:
                break
            for wanted in asked:
                self._subrequest(context, wanted)
        return self._outcome(context)

    def _subrequest(self, context: quickjs.Context, wanted: Mapping[str, Any]) -> None:
        """Only what is behind the Worker can be fetched: the request's own host."""
        parts = urlsplit(wanted["url"])
        id_ = int(wanted["id"])
        if parts.netloc != self._exchange.request.host:
            context.get("__refuse")(id_, f"the edge twin fetches from {self._exchange.request.host} alone")
            return
        if id_ >= _FETCHES:
            context.get("__refuse")(id_, "Too many subrequests.")
            return
        headers = tuple((name, value) for name, value in wanted["headers"])
        answer = self._reach(self._exchange.asking(wanted["method"], parts.path, parts.query, headers))
        self._held[id_] = answer
        shown = json.dumps({"status": answer.status, "headers": list(answer.headers)})
        context.get("__settle")(id_, shown)

    def _outcome(self, context: quickjs.Context) -> Answer:
        outcome = json.loads(context.eval("__outcome ?? 'null'") or "null")
        if outcome is None:  # the promise never settled, which Cloudflare finds out too
            return _EXCEPTION
        if "error" in outcome:
            if context.eval("__passes"):
                return self._reach(self._exchange)
            return _EXCEEDED if _is_limit(outcome["error"]) else _EXCEPTION
        return self._answered(outcome["response"])

    def _answered(self, response: Mapping[str, Any]) -> Answer:
        headers = tuple((name, value) for name, value in response["headers"])
        body = response["body"]
        if isinstance(body, Mapping):
            held = self._held[int(body["held"])]
            return Answer(response["status"], headers, held.body, from_edge=held.from_edge)
        encoded = (body or "").encode()
        answer = Answer(response["status"], headers, encoded)
        return answer if response["status"] in (204, 304) else answer.having(("content-length", str(len(encoded))))


def _is_limit(message: str) -> bool:
    return any(text in message for text in ("InternalError: interrupted", "InternalError: out of memory"))


def _address(exchange: Exchange) -> str:
    return f"{exchange.request.scheme}://{exchange.request.host}{exchange.sent}"
