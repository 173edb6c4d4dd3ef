"""Runs the project's command again and again without importing the providers' SDKs each time.

Python, the SDKs and other libraries are imported once, by a process that forks for each run. What is the project's own
is imported after that, from the run's own directory, which is as for `python launch_ready.py` in a process of its own.
"""

import gc
import json
import os
import runpy
import signal
import subprocess
import sys
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

# The slow ones of what a rehearsal imports: three of the four seconds that it takes otherwise.
LIBRARIES = (
    "boto3",
    "cryptography.x509",
    "dns.resolver",
    "httpx",
    "hypercorn.asyncio",
    "jinja2",
    "jsonschema",
    "pulumi",
    *(f"pulumi_aws.{service}" for service in ("acm", "apigatewayv2", "cloudwatch", "dynamodb", "iam", "lambda_")),
    *(f"pulumi_aws.{service}" for service in ("route53", "s3", "scheduler", "secretsmanager", "sns", "sqs")),
    "pulumi_cloudflare",
    "pydantic",
    "re2",
    "requests",
    "rich.console",
    "stripe",
    "typer",
)
OUTPUT = ".output"  # a file in the run's directory


@dataclass(frozen=True)
class Warm:
    """The process that has the libraries; one run at a time."""

    process: subprocess.Popen[str]

    def run(self, project: Path, script: str, *arguments: str, seconds: int) -> tuple[int, str]:
        """Exit code and output of `python script …` in `project`; a run that is not over in time ends with -SIGALRM."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        order = {"project": str(project), "arguments": [script, *arguments], "seconds": seconds}
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        exit_code = int(self.process.stdout.readline())
        return exit_code, (project / OUTPUT).read_text(encoding="utf-8")


@contextmanager
def warm() -> Generator[Warm]:
    """A process with the libraries, which ends with the block."""
    # -P and the directory: nothing of the project may be found, and imported, before a run.
    command = [sys.executable, "-P", str(Path(__file__).resolve())]
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PULUMI_"))}
    with subprocess.Popen(
        command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/"
    ) as process:
        try:
            yield Warm(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()


def _serve() -> None:
    with warnings.catch_warnings():
        # The SDKs announce, while they are imported, which resources were renamed; the program uses none of them.
        warnings.simplefilter("ignore", DeprecationWarning)
        for library in LIBRARIES:
            import_module(library)
    gc.freeze()  # what is shared by all runs is no run's garbage
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if not pid:
            _become(order)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _become(order: dict[str, Any]) -> None:
    """Be the command from here on."""
    project, arguments = Path(order["project"]), order["arguments"]
    signal.alarm(order["seconds"])
    os.chdir(project)
    output = os.open(OUTPUT, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.argv = arguments
    sys.path.insert(0, str(project))
    runpy.run_path(str(project / arguments[0]), run_name="__main__")
    sys.exit()


if __name__ == "__main__":
    _serve()
