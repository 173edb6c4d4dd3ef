"""The process that is AWS in a rehearsal: ministack, made strict, behind faults and a control path.

`AwsTwin` starts it as `python -m rehearsal.twins.aws_launcher SOCKET_FD` and keeps its standard input open: when that
ends, by whatever end of the parent, this process and every worker of it (one process group) are gone.
"""

import asyncio
import json
import os
import re
import shutil
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack import app as ministack

from rehearsal.twins import aws_roles, aws_stale, aws_strict
from rehearsal.twins.aws_faults import FaultKind, FaultTable, conflict_answer, error_answer

CONTROL = "/_rehearsal/"
_SCOPE = re.compile(r"Credential=([^/]+)/\d{8}/[^/]+/([^/]+)/aws4_request")
_EXECUTE_API = re.compile(r"^(?:/_aws/execute-api/(?P<path>[^/]+)|(?P<host>[a-z0-9]+)\.execute-api\.)")

_IN_FRONT = frozenset({FaultKind.ERROR, FaultKind.DELAY})
_STALE = frozenset({FaultKind.STALE})

Answer = tuple[int, dict[str, str], bytes]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Gateway:
    """The ASGI application: control path, faults, then ministack."""

    def __init__(self, faults: FaultTable, calls: aws_roles.RoleCalls, account: str) -> None:
        self._faults = faults
        self._calls = calls
        self._account = account

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """One connection event, as ASGI has it."""
        if scope["type"] != "http":
            await ministack.app(scope, receive, send)
        elif scope["path"].startswith(CONTROL):
            await _send(send, self._control(scope["path"].removeprefix(CONTROL), await _body(receive)))
        elif _is_disabled_endpoint(scope):
            await _send(send, (404, {"content-type": "application/json"}, b'{"message":"Not Found"}'))
        else:
            await self._serve(scope, receive, send)

    async def _serve(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        headers = _headers(scope)
        service, action = called(headers)
        kinds = _IN_FRONT | ({FaultKind.CONFLICT} if action == "TransactWriteItems" else frozenset())
        for fault in self._faults.take(service, action, kinds) if is_pipeline(headers) else []:
            if fault.kind is FaultKind.DELAY:
                await asyncio.sleep(fault.delay_seconds)
                continue
            body = await _body(receive)
            return await _send(send, error_answer(fault) if fault.kind is FaultKind.ERROR else conflict_answer(body))
        return await ministack.app(scope, receive, send)

    def _control(self, name: str, body: bytes) -> Answer:
        request = json.loads(body or b"{}")
        match name:
            case "faults":
                self._faults.replace(request)
                result: Any = {"faults": len(request)}
            case "hits":
                result = self._faults.hits()
            case "role-calls":
                result = [asdict(call) for call in self._calls.all(allowed=request["allowed"])]
            case "workers":
                result = aws_strict.worker_pids()
            case "role-session":
                result = aws_roles.role_session(request["role"], request["service"], self._account)
            case "role-allows":
                call = aws_roles.RoleCall(request["role"], request["action"], request["resource"])
                result = aws_roles.role_allows(call.principal, call.action, call.resource, self._account)
                self._calls.add(call, allowed=result)
            case _:
                return 404, {}, b""
        return 200, {"content-type": "application/json"}, json.dumps(result).encode()


def called(headers: dict[str, str]) -> tuple[str, str]:
    """The service and action of a call on AWS's JSON protocols; REST services have no action in their headers."""
    scope = _SCOPE.search(headers.get("authorization", ""))
    return scope.group(2) if scope else "", headers.get("x-amz-target", "").rpartition(".")[2]


def is_pipeline(headers: dict[str, str]) -> bool:
    """Whether a role made the call: the rehearsal itself calls as the account, whose key is its number."""
    scope = _SCOPE.search(headers.get("authorization", ""))
    return bool(scope) and scope.group(1).startswith("ASIA")


def _is_disabled_endpoint(scope: dict[str, Any]) -> bool:
    """A call of an HTTP API's default endpoint which the API has disabled: AWS answers 404."""
    from ministack.services import apigateway

    found = _EXECUTE_API.match(scope["path"]) or _EXECUTE_API.match(_headers(scope).get("host", ""))
    if not found:
        return False
    wanted = found.group("path") or found.group("host")
    apis = apigateway._apis._data.items()  # noqa: SLF001 # ministack has no public way to its state
    return any(key[-1] == wanted and api.get("disableExecuteApiEndpoint") for key, api in apis)


def _headers(scope: dict[str, Any]) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


async def _body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


async def _send(send: Send, answer: Answer) -> None:
    status, headers, body = answer
    fields = [(name.encode(), value.encode()) for name, value in headers.items()]
    fields.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body})


def _die_with_parent() -> None:
    """Standard input is a pipe that the parent never writes to; its end means that the parent is gone."""
    os.read(sys.stdin.fileno(), 1)
    shutil.rmtree(os.environ["TMPDIR"], ignore_errors=True)
    os.killpg(0, signal.SIGKILL)


def main() -> None:
    """Serve on the listening socket that was handed over, until SIGTERM."""
    threading.Thread(target=_die_with_parent, daemon=True).start()
    # /health belongs to the API that is deployed here; ministack would answer it for every host.
    ministack._HEALTH_PATHS = ("/_ministack/health",)  # noqa: SLF001 # ty: ignore[invalid-assignment]
    faults, calls = FaultTable(), aws_roles.RoleCalls()
    aws_strict.apply(calls, aws_strict.isolated_interpreter(Path(os.environ["TMPDIR"])))
    aws_stale.apply(
        hit=lambda headers, action: is_pipeline(headers) and bool(faults.take("dynamodb", action, _STALE)),
        in_force=lambda: faults.has(FaultKind.STALE),
    )
    config = Config()
    config.bind = [f"fd://{sys.argv[1]}"]
    config.loglevel = "WARNING"
    config.keep_alive_timeout = 75
    config.graceful_timeout = 0.5
    gateway = Gateway(faults, calls, os.environ["MINISTACK_ACCOUNT_ID"])
    asyncio.run(serve(gateway, config))  # ty: ignore[invalid-argument-type] # hypercorn's own ASGI types


if __name__ == "__main__":
    main()
