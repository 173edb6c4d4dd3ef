"""AWS in a rehearsal: ministack in a process of its own, on a free loopback port, gone with this one.

Every call is authenticated and authorised (`AUTH=true`): the rehearsal's own clients are the account itself, the
functions, event-source pollers and schedules have their roles.
"""

import contextlib
import http.client
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
from botocore.config import Config

from rehearsal.errors import TwinError
from rehearsal.invokes import ACCOUNT
from rehearsal.twins.aws_faults import Fault

_READY_SECONDS = 30.0
_STOP_SECONDS = 3.0
_PROJECT_ROOT = Path(__file__).resolve().parents[2]


class AwsTwin:
    """One local AWS account; use it as a context manager, or `start` and `stop` it.

    `port` 0 takes a free one. Raises TwinError when the port is in use or ministack does not become ready.
    """

    def __init__(self, region: str, *, port: int = 0) -> None:
        self.region = region
        self.account = ACCOUNT
        self.access_key_id = ACCOUNT  # ministack serves the account whose number is the key
        self.secret_access_key = secrets.token_hex(20)
        self.port = port
        self._directory = Path()
        self._process: subprocess.Popen[bytes] | None = None
        self._session = boto3.session.Session()  # keeps the services' models, which take long to read
        self._clients: dict[tuple[str, ...], Any] = {}
        self._lock = threading.Lock()

    @property
    def endpoint(self) -> str:
        """Base URL of every service."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def directory(self) -> Path:
        """A directory that goes with the process, also when this one is killed; valid once started."""
        return self._directory

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        """Stop."""
        self.stop()

    def start(self) -> None:
        """Start the process and wait until it answers."""
        listener = _listen(self.port)
        self.port = listener.getsockname()[1]
        self._directory = Path(tempfile.mkdtemp(prefix="rehearsal-aws-"))
        with listener, (self._directory / "log").open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 # our own module with our own interpreter
                [sys.executable, "-m", "rehearsal.twins.aws_launcher", str(listener.fileno())],
                env=self._environment(),
                cwd=self._directory,
                stdin=subprocess.PIPE,  # its end tells the process that this one is gone
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=[listener.fileno()],
                start_new_session=True,  # a process group of its own, workers included
            )
        self._await_ready()

    def stop(self) -> None:
        """End the process with all its workers and remove its files; safe to repeat."""
        process, self._process = self._process, None
        if process is None:
            return
        try:
            process.terminate()
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            pass  # killed below
        finally:
            _kill_group(process.pid)
            process.wait()
            if process.stdin:
                process.stdin.close()
            for client in self._clients.values():
                client.close()
            self._clients.clear()
            shutil.rmtree(self._directory, ignore_errors=True)

    def client(self, service: str, *, region: str | None = None) -> Any:
        """A boto3 client of the account itself; kept and shared between threads."""
        return self._kept_client(service, self._credentials(), region or self.region)

    def client_of_role(self, service: str, role_arn: str, principal: str, *, region: str | None = None) -> Any:
        """A client with the permissions of a role that the AWS service `principal` assumes; kept and shared.

        None where the role does not exist or does not trust `principal`.
        """
        credentials = self.role_credentials(role_arn, principal)
        return self._kept_client(service, credentials, region or self.region) if credentials else None

    def _kept_client(self, service: str, credentials: Mapping[str, str], region: str) -> Any:
        key = (service, region, credentials["access_key_id"])
        with self._lock:  # a session is not thread-safe, its clients are
            if key not in self._clients:
                self._clients[key] = self._new_client(service, credentials, region)
            return self._clients[key]

    def _new_client(self, service: str, credentials: Mapping[str, str], region: str) -> Any:
        return self._session.client(
            service,
            endpoint_url=self.endpoint,
            region_name=region,
            aws_access_key_id=credentials["access_key_id"],
            aws_secret_access_key=credentials["secret_access_key"],
            aws_session_token=credentials.get("session_token"),
            config=Config(max_pool_connections=64, retries={"total_max_attempts": 1, "mode": "standard"}),
        )

    def role_credentials(self, role_arn: str, service: str) -> dict[str, str] | None:
        """Credentials of a role for the AWS service `service`; None where the role does not trust it."""
        return self.control("role-session", {"role": role_arn, "service": service})

    def user(self, name: str, *statements: Mapping[str, Any]) -> dict[str, str]:
        """Make an IAM user that may do what the policy statements say; returns `access_key_id` and so on.

        ministack checks no signature of the account's own key, so whoever stands for the founder's app calls an
        AWS_IAM route as a user.
        """
        iam = self.client("iam")
        iam.create_user(UserName=name)
        document = {"Version": "2012-10-17", "Statement": list(statements)}
        iam.put_user_policy(UserName=name, PolicyName=name, PolicyDocument=json.dumps(document))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return {"access_key_id": key["AccessKeyId"], "secret_access_key": key["SecretAccessKey"]}

    def role_allows(self, role_arn: str, action: str, resource: str) -> bool:
        """Whether the policies of a role allow an action on a resource."""
        return self.control("role-allows", {"role": role_arn, "action": action, "resource": resource})

    def inject(self, *faults: Fault) -> None:
        """Put these faults in force, instead of those before; none ends all."""
        self.control("faults", [fault.document() for fault in faults])

    def fault_hits(self) -> list[int]:
        """How many calls each fault in force has hit, in the order given to `inject`."""
        return self.control("hits")

    def denials(self) -> list[dict[str, str]]:
        """Every call that a role was refused so far: `principal`, `action`, `resource`."""
        return self.control("role-calls", {"allowed": False})

    def permissions_used(self) -> list[dict[str, str]]:
        """Every call that a role's policies allowed so far, in the same form as `denials`.

        A permission that is not among them could be removed without any rehearsal noticing.
        """
        return self.control("role-calls", {"allowed": True})

    def worker_pids(self, function: str) -> list[int]:
        """The processes that serve a function now."""
        return self.control("workers").get(function, [])

    def end_workers(self, function: str) -> None:
        """End the processes that serve a function now, as Lambda does at any time; the next call starts another."""
        for pid in self.worker_pids(function):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def logs(self, function: str) -> list[str]:
        """What a function has logged so far, oldest first; empty before its first run."""
        client = self.client("logs")
        try:
            pages = list(client.get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{function}"))
        except client.exceptions.ResourceNotFoundException:
            return []
        return [event["message"] for page in pages for event in page["events"]]

    def control(self, name: str, body: Any = None) -> Any:
        """Ask the launcher's control path; TwinError when it is gone."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("POST", f"/_rehearsal/{name}", json.dumps({} if body is None else body))
            return json.loads(connection.getresponse().read())
        except OSError as error:
            raise TwinError(f"the AWS twin does not answer: {error}{self._log_tail()}") from error
        finally:
            connection.close()

    def _credentials(self) -> dict[str, str]:
        return {"access_key_id": self.access_key_id, "secret_access_key": self.secret_access_key}

    def _environment(self) -> dict[str, str]:
        """All that the process sees: its workers inherit it, and a function on Lambda sees nothing of this machine."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "PYTHONPATH": str(_PROJECT_ROOT),
            "TMPDIR": str(self._directory),
            "AUTH": "true",
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "MINISTACK_ACCOUNT_ID": self.account,
            "MINISTACK_REGION": self.region,
            "GATEWAY_PORT": str(self.port),
            "BIND_HOST": "127.0.0.1",
            "DOCKER_HOST": "unix:///nonexistent",  # leave the machine's containers alone
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "LOG_LEVEL": "WARNING",
        }

    def _await_ready(self) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline:
            assert self._process
            if self._process.poll() is not None:
                break
            if self._is_ready():
                return
            time.sleep(0.02)
        tail = self._log_tail()
        self.stop()
        raise TwinError(f"the AWS twin (ministack) did not start within {_READY_SECONDS:.0f} s{tail}")

    def _is_ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1)
        try:
            connection.request("GET", "/_ministack/ready")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def _log_tail(self) -> str:
        try:
            lines = (self._directory / "log").read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return ""
        return "\n" + "\n".join(lines[-15:]) if lines else ""


def _listen(port: int) -> socket.socket:
    """A listening socket that the child takes over, so that nobody can take the port in between."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise TwinError(f"port {port} of 127.0.0.1 cannot be used for the AWS twin: {error.strerror}") from error
    return listener


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):  # all of them ended by themselves
        os.killpg(pid, signal.SIGKILL)
