"""Makes ministack, inside its own process, as strict as AWS where it is not; `apply` is called before it serves.

Each change names what AWS does. What cannot be changed here is a line in `rehearsal.twins.gaps`.
"""

import asyncio
import importlib.util
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ministack.core import iam_evaluator, lambda_runtime, responses
from ministack.services import apigateway, lambda_svc, scheduler, sqs, sts

from rehearsal.twins import aws_events, aws_roles

API_GATEWAY_SERVICE = "apigateway.amazonaws.com"
_LONG_POLL_LOOKS_SECONDS = 0.02
# IAM has no actions for SQS's batches: each is authorised as the single one (Service Authorization Reference).
_BATCHES = {
    f"sqs:{action}Batch": f"sqs:{action}" for action in ("SendMessage", "DeleteMessage", "ChangeMessageVisibility")
}


def apply(calls: aws_roles.RoleCalls, interpreter: Path) -> None:
    """Patch this process; functions will run with `interpreter` (see `isolated_interpreter`)."""
    _record_calls(calls)
    _leave_polling_to_us()
    _answer_long_polls_sooner()
    _run_functions_with(interpreter)
    _let_workers_die_alone()
    _ask_before_logging(calls)
    _ask_before_invoking(calls)
    aws_events.apply(calls)


# What the Python runtime of Lambda has besides the standard library: boto3 and what that stands on.
_RUNTIME_MODULES = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3")
_STARTER = """
import runpy, sys
sys.path.append({modules!r})
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def isolated_interpreter(directory: Path) -> Path:
    """A Python that sees the standard library and the runtime's own modules, as a bundle on Lambda does.

    ministack would run functions inside its own environment, where every package of ours can be imported.
    """
    modules = directory / "lambda-runtime"
    modules.mkdir()
    for name in _RUNTIME_MODULES:
        spec = importlib.util.find_spec(name)
        assert spec, f"{name} comes with ministack or boto3"
        found = Path(str(spec.origin))
        source = found.parent if found.name == "__init__.py" else found
        (modules / source.name).symlink_to(source)
    starter = directory / "lambda_runtime_starter.py"
    starter.write_text(_STARTER.format(modules=str(modules)), encoding="utf-8")
    path = directory / "python-isolated"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "{starter}" "$@"\n', encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def worker_pids() -> dict[str, list[int]]:
    """The process ids of the running workers by function name."""
    found: dict[str, list[int]] = {}
    with lambda_runtime._lock:  # noqa: SLF001
        pools = [list(workers) for workers in lambda_runtime._workers.values()]  # noqa: SLF001
    for worker in (worker for pool in pools for worker in pool):
        process = worker._proc  # noqa: SLF001
        if process is not None and process.poll() is None:
            found.setdefault(worker.func_name, []).append(process.pid)
    return found


def _record_calls(calls: aws_roles.RoleCalls) -> None:
    """Every refusal of a role counts, also one that a function swallows."""
    enforce = iam_evaluator.enforce

    def recording(
        access_key_id: str, iam_action: str, service: str, region: str, resource_arn: str = "*", **rest: Any
    ) -> Any:
        iam_action = _BATCHES.get(iam_action, iam_action)
        refused = enforce(access_key_id, iam_action, service, region, resource_arn=resource_arn, **rest)
        session = sts._sessions.get(access_key_id)  # noqa: SLF001 # only roles have sessions here
        if session and not isinstance(refused, iam_evaluator.AuthError):
            calls.add(aws_roles.RoleCall(session["Arn"], iam_action, resource_arn), allowed=refused is None)
        return refused

    iam_evaluator.enforce = recording  # ty: ignore[invalid-assignment]


def _leave_polling_to_us() -> None:
    """ministack polls a FIFO queue one batch at a time and ticks schedules every ten seconds: see event_source."""
    lambda_svc._ensure_poller = _nothing  # noqa: SLF001 # ty: ignore[invalid-assignment]
    scheduler.start_scheduler = _nothing  # ty: ignore[invalid-assignment]


def _answer_long_polls_sooner() -> None:
    """SQS answers a long poll when a message arrives; ministack looks every tenth of a second."""

    async def look_again(seconds: float) -> None:
        await asyncio.sleep(min(seconds, _LONG_POLL_LOOKS_SECONDS))

    sqs.asyncio = SimpleNamespace(**{**vars(asyncio), "sleep": look_again})  # ty: ignore[invalid-assignment]


def _nothing() -> None:
    """Stand-in for a background thread that is not wanted."""


def _run_functions_with(interpreter: Path) -> None:
    detect = lambda_runtime._detect_runtime_binary  # noqa: SLF001

    def isolated(runtime: str) -> tuple[str, str]:
        binary, script = detect(runtime)
        if not runtime.startswith("python"):
            return binary, script
        # Its worker imports botocore to count nested invocations, which no cold start on Lambda pays for.
        return str(interpreter), script.replace("    _ms_install_invoke_depth()\n", "")

    lambda_runtime._detect_runtime_binary = isolated  # noqa: SLF001 # ty: ignore[invalid-assignment]
    # On a busy machine a log line may be late, and one that is not waited for shows with the next invocation only.
    lambda_runtime.Worker._drain_stderr_bounded.__defaults__ = (0.100, 0.005, 0.250)  # noqa: SLF001


def _let_workers_die_alone() -> None:
    """A worker that dies while it starts ends its own run; ministack would end every worker of the function."""
    invoke: Callable[..., dict[str, Any]] = lambda_runtime.Worker.invoke

    def alone(worker: lambda_runtime.Worker, *event: Any, **named: Any) -> dict[str, Any]:
        try:
            return invoke(worker, *event, **named)
        except (RuntimeError, OSError) as error:
            worker._proc = None  # noqa: SLF001 # the next run starts another
            return {"status": "error", "error": str(error), "cold_start": True, "log": ""}

    lambda_runtime.Worker.invoke = alone


def _ask_before_logging(calls: aws_roles.RoleCalls) -> None:
    """Lambda writes a function's log with the function's role; without the permission the log stays empty."""
    emit: Callable[..., None] = lambda_svc._emit_lambda_logs  # noqa: SLF001

    def asking(function: dict[str, Any], *rest: Any, **named: Any) -> None:
        config = function.get("config") or function
        account, region = config["FunctionArn"].split(":")[4], config["FunctionArn"].split(":")[3]
        group = f"arn:aws:logs:{region}:{account}:log-group:/aws/lambda/{config['FunctionName']}"
        needed = ("logs:CreateLogStream", "logs:PutLogEvents")
        refused = [
            action
            for action in needed
            if not aws_roles.role_allows(config["Role"], action, f"{group}:log-stream:x", account)
        ]
        for action in needed:
            calls.add(aws_roles.RoleCall(config["Role"], action, group), allowed=action not in refused)
        if not refused:
            emit(function, *rest, **named)

    lambda_svc._emit_lambda_logs = asking  # noqa: SLF001 # ty: ignore[invalid-assignment]


def _ask_before_invoking(calls: aws_roles.RoleCalls) -> None:
    """API Gateway needs a statement in the function's own policy; without one it answers 500."""
    invoke = apigateway._invoke_lambda_proxy  # noqa: SLF001

    async def asking(integration: dict[str, Any], api_id: str, stage: str, *rest: Any, **named: Any) -> Any:
        function = _function_arn(integration.get("integrationUri", ""))
        source = f"arn:aws:execute-api:{responses.get_region()}:{responses.get_account_id()}:{api_id}/{stage}/"
        route_key = rest[5] if len(rest) > 5 else named.get("route_key", "$default")
        source += route_key.replace(" /", "/", 1)
        lets = aws_roles.policy_lets(function, API_GATEWAY_SERVICE, source)
        calls.add(aws_roles.RoleCall(API_GATEWAY_SERVICE, "lambda:InvokeFunction", function), allowed=lets)
        if not lets:
            return 500, {"Content-Type": "application/json"}, b'{"message":"Internal Server Error"}'
        return await invoke(integration, api_id, stage, *rest, **named)

    apigateway._invoke_lambda_proxy = asking  # noqa: SLF001 # ty: ignore[invalid-assignment]


def _function_arn(integration_uri: str) -> str:
    _, _, inner = integration_uri.partition("/functions/")
    return inner.removesuffix("/invocations") or integration_uri
