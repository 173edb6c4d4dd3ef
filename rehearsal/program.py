"""Runs the project's Pulumi program in this process, with a monitor of ours in the engine's place.

The SDK keeps its state in context variables, so each run happens in a context of its own and leaves nothing behind;
a program may be run again as long as it declares inside functions (modules stay imported).
"""

import asyncio
import contextvars
import runpy
import sys
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from pulumi import RunError, runtime
from pulumi.runtime.settings import SETTINGS
from pulumi.runtime.settings import _get_rpc_manager as get_rpc_manager  # pinned: no public name

from rehearsal.errors import ProgramError
from rehearsal.monitor import Engine, Monitor, serve
from rehearsal.stackfile import StackConfig

_SIDE_BY_SIDE = 16  # registrations at a time; each may wait for a twin
_PAUSE_SECONDS = 0.002
_PATIENCE = 50  # pauses in which nothing was answered
# run_path and the SDK's import of the program are process-wide (`sys.modules["__main__"]`, `sys.path`).
_one_at_a_time = threading.Lock()


def run(
    project_dir: Path, config: StackConfig, monitor: Monitor, engine: Engine, *, dry_run: bool, over_grpc: bool = False
) -> None:
    """Run the program to its end; raises the monitor's refusal, or ProgramError with the line that failed.

    `over_grpc` puts a real gRPC connection between program and monitor, as with the engine.
    """
    with _one_at_a_time:
        if over_grpc:
            server, address = serve(monitor, engine)
            try:
                _run_in_new_context(project_dir, config, address, address, monitor, dry_run)
            finally:
                server.stop(grace=None).wait()
        else:
            _run_in_new_context(project_dir, config, monitor, engine, monitor, dry_run)
    if engine.errors:
        raise ProgramError("the program logged an error: " + "; ".join(engine.errors))


def _run_in_new_context(
    project_dir: Path, config: StackConfig, monitor_at: Any, engine_at: Any, monitor: Monitor, dry_run: bool
) -> None:
    try:
        contextvars.Context().run(_run, project_dir, config, monitor_at, engine_at, dry_run)
    except Exception as error:  # whatever a program raises is told with its line
        if monitor.failure:
            raise monitor.failure from None
        raise ProgramError(_explain(error, project_dir)) from error


def _run(project_dir: Path, config: StackConfig, monitor: Any, engine: Any, dry_run: bool) -> None:
    runtime.set_all_config(dict(config.values), sorted(config.secret_keys))
    runtime.configure(
        runtime.Settings(
            project=config.project,
            stack=config.stack,
            monitor=monitor,
            engine=engine,
            dry_run=dry_run,
            organization="organization",
            root_directory=str(project_dir),
        )
    )
    asyncio.run(_in_stack(lambda: _execute(project_dir)))


async def _in_stack(program: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(_SIDE_BY_SIDE, "register"))
    loop.set_exception_handler(_ignore)  # each output of a resource that failed repeats its error; the first is told

    async def declare() -> None:
        program()
        await _settle()

    await runtime.run_in_stack(declare)


async def _settle() -> None:
    """Let what the program declared be answered before the SDK waits for it.

    Its own wait looks at every output of the stack each time that one of them is there, which for a large zone is most
    of a plan pass. This only waits: what is not answered in a while, or failed, is left to the SDK.
    """
    left, unchanged = -1, 0
    while unchanged < _PATIENCE and get_rpc_manager().unhandled_exception is None:
        await asyncio.sleep(_PAUSE_SECONDS)
        count = len(SETTINGS.outputs)
        unchanged = unchanged + 1 if count == left else 0
        if count == 0:
            return
        left = count


def _ignore(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """The handler of exceptions that nobody retrieved."""


def _execute(project_dir: Path) -> None:
    """The program by its absolute path: with a relative one the SDK loses the source lines."""
    root = str(project_dir)
    sys.path.insert(0, root)  # first, as the engine's language host has it
    try:
        runpy.run_path(str(project_dir / "__main__.py"), run_name="__main__")
    finally:
        sys.path.remove(root)


def _explain(error: Exception, project_dir: Path) -> str:
    if isinstance(error, RunError):  # raised by a program for its reader: the message is all
        return str(error)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _inside(frame.filename, project_dir)]
    where = f" at {Path(frames[-1].filename).relative_to(project_dir)}:{frames[-1].lineno}" if frames else ""
    return f"the program failed{where}: {type(error).__name__}: {error}"


def _inside(filename: str, project_dir: Path) -> bool:
    path = Path(filename)
    return path.is_relative_to(project_dir) and "site-packages" not in path.parts
