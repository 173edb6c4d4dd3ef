"""What the stand-ins of vendors share: an HTTP server that records its calls and can be told to fail."""

import asyncio
import json
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs

from rehearsal.twins.server import LOOPBACK, Server


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request to a vendor and the status that it was answered; `status` None: it never was. `at` is Unix time."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str] = field(repr=False)  # lower-case names; they hold the key
    body: bytes = field(repr=False)
    at: float
    status: int | None = None

    def json(self) -> Any:
        """The body as JSON; ValueError when it is none."""
        return json.loads(self.body)


@dataclass(frozen=True, kw_only=True)
class Reply:
    """A vendor's answer."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """How a vendor fails; see Vendor.fail."""

    status: int | None
    times: int | None
    delay_seconds: float
    hang: bool
    after_effect: bool
    retry_after: int | None

    @property
    def replaces(self) -> bool:
        """Whether the answer is not the vendor's own."""
        return self.hang or self.status is not None


class Vendor(ABC):
    """A vendor's API on a free loopback port (or `port`), between `start` and `stop`.

    What it knows lives as long as the object. Every method may be called from any thread.
    """

    def __init__(self, name: str, path: str, *, port: int = 0) -> None:
        self._path = path
        self._server = Server(self._serve, name=name, port=port)
        self._lock = threading.RLock()
        self._calls: list[Call] = []
        self._fault: Fault | None = None

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    def start(self) -> str:
        """Listen, and return `base_url`. TwinError when the port is in use."""
        self._server.start()
        return self.base_url

    def stop(self) -> None:
        """Close the port and every connection, also those of calls that hang."""
        self._server.stop()

    @property
    def base_url(self) -> str:
        """What stands in place of the vendor's public base URL."""
        return f"http://{LOOPBACK}:{self._server.port}{self._path}"

    def calls(self) -> list[Call]:
        """Every call so far, also those that failed or were refused."""
        with self._lock:
            return list(self._calls)

    def fail(
        self,
        *,
        status: int | None = None,
        times: int | None = None,
        delay_seconds: float = 0.0,
        hang: bool = False,
        after_effect: bool = False,
        retry_after: int | None = None,
    ) -> None:
        """Fail the next `times` calls (None: all, until `recover`).

        `status` is answered with an empty body and, if given, Retry-After; `hang` never answers; `delay_seconds` comes
        first, and alone it only slows the vendor. The call has no effect, or with `after_effect` it has, and only its
        answer is lost.
        """
        if times is not None and times < 1:
            raise ValueError(f"times must be 1 or more, got {times}")
        if status is not None and hang:
            raise ValueError("a call either hangs or is answered a status")
        with self._lock:
            self._fault = Fault(
                status=status,
                times=times,
                delay_seconds=delay_seconds,
                hang=hang,
                after_effect=after_effect,
                retry_after=retry_after,
            )

    def recover(self) -> None:
        """Be well again."""
        with self._lock:
            self._fault = None

    @abstractmethod
    def answer(self, call: Call) -> Reply:
        """The vendor's own answer, and its effect; one call at a time."""

    async def _serve(
        self,
        scope: Mapping[str, Any],
        receive: Callable[[], Awaitable[Mapping[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        if scope["type"] != "http":
            return
        call = _call(scope, await _body(receive))
        with self._lock:
            number = len(self._calls)
            self._calls.append(call)
            fault = self._taken_fault()
        reply = await self._reply(call, fault)
        with self._lock:
            self._calls[number] = replace(call, status=None if reply is None else reply.status)
        if reply is None:
            while (await receive())["type"] != "http.disconnect":
                pass
            return
        headers = {"content-length": str(len(reply.body)), **reply.headers}
        encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": reply.status, "headers": encoded})
        await send({"type": "http.response.body", "body": reply.body})

    async def _reply(self, call: Call, fault: Fault | None) -> Reply | None:
        """What is answered; None when nothing is."""
        own: Reply | None = None
        if fault is None or not fault.replaces or fault.after_effect:
            with self._lock:
                own = self.answer(call)
        if fault is None:
            return own
        await asyncio.sleep(fault.delay_seconds)
        if not fault.replaces:
            return own
        if fault.hang or fault.status is None:
            return None
        headers = {} if fault.retry_after is None else {"retry-after": str(fault.retry_after)}
        return Reply(status=fault.status, headers=headers)

    def _taken_fault(self) -> Fault | None:
        fault = self._fault
        if fault is not None and fault.times is not None:
            self._fault = replace(fault, times=fault.times - 1) if fault.times > 1 else None
        return fault


def json_reply(status: int, value: Any, **headers: str) -> Reply:
    """A JSON answer."""
    return Reply(
        status=status,
        body=json.dumps(value).encode(),
        headers={"content-type": "application/json; charset=utf-8", **headers},
    )


async def _body(receive: Callable[[], Awaitable[Mapping[str, Any]]]) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _call(scope: Mapping[str, Any], body: bytes) -> Call:
    query = parse_qs(scope["query_string"].decode(), keep_blank_values=True)
    return Call(
        method=scope["method"],
        path=scope["path"],
        query={name: values[-1] for name, values in query.items()},
        headers={name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]},
        body=body,
        at=time.time(),
    )


class RollingLimit:
    """At most `most` calls in any `seconds`; `clock` gives seconds."""

    def __init__(self, most: int, seconds: float, clock: Callable[[], float]) -> None:
        self._most, self._seconds, self._clock = most, seconds, clock
        self._taken: list[float] = []

    def take(self) -> float | None:
        """Count one call; or, when it is one too many, the seconds until the next is allowed."""
        now = self._clock()
        self._taken = [at for at in self._taken if at > now - self._seconds]
        if len(self._taken) >= self._most:
            return self._taken[0] + self._seconds - now
        self._taken.append(now)
        return None
