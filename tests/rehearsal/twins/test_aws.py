import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from rehearsal.errors import TwinError
from rehearsal.twins.aws import AwsTwin
from rehearsal.twins.aws_faults import Fault, FaultKind, throttling


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_two_run_side_by_side_and_know_nothing_of_each_other(running_aws: AwsTwin) -> None:
    with AwsTwin("us-east-1") as other:
        other.client("sqs").create_queue(QueueName="only-in-the-other")
        assert running_aws.client("sqs").list_queues(QueueNamePrefix="only-in").get("QueueUrls", []) == []
        assert other.endpoint != running_aws.endpoint


def test_a_port_in_use_is_said_and_nothing_is_left() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(TwinError, match=rf"port {port} .* in use"):
            AwsTwin("eu-west-1", port=port).start()


def test_a_process_that_ends_at_once_is_said_with_its_last_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        AwsTwin, "_environment", lambda self: {"PYTHONPATH": "/nonexistent", "PATH": os.environ["PATH"]}
    )
    with pytest.raises(TwinError, match=r"(?s)did not start.*Error"):
        AwsTwin("eu-west-1").start()


def test_stopping_leaves_no_process_and_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    twin = AwsTwin("eu-west-1")
    twin.start()
    assert twin._process
    pid = twin._process.pid
    twin.stop()
    twin.stop()  # once more is no error
    assert not _alive(pid)
    assert list(tmp_path.iterdir()) == []


def test_it_dies_with_its_parent_even_when_that_is_killed(eventually: Callable[..., Any], tmp_path: Path) -> None:
    program = f"""
    import tempfile, time
    tempfile.tempdir = {str(tmp_path)!r}
    from rehearsal.twins.aws import AwsTwin
    twin = AwsTwin("eu-west-1")
    twin.start()
    print(twin._process.pid, flush=True)
    time.sleep(60)
    """
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, text=True)
    with parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        assert _alive(child)
        parent.send_signal(signal.SIGKILL)
    eventually(lambda: not _alive(child))
    assert list(tmp_path.iterdir()) == []


def test_the_log_of_a_function_without_runs_is_empty(here: Any) -> None:
    assert here.aws.logs("never-made") == []


def test_a_killed_worker_fails_its_run_and_the_next_one_gets_another(here: Any, eventually: Callable[..., Any]) -> None:
    source = "import os, time\ndef handler(event, context):\n    time.sleep(event)\n    return os.getpid()\n"
    here.function("killed", source, here.role("killed"))
    first = here.invoke("killed", 0)
    assert here.aws.worker_pids("killed") == [first]
    os.kill(first, signal.SIGKILL)
    eventually(lambda: here.aws.worker_pids("killed") == [])
    second = here.invoke("killed", 0)
    assert second != first


def test_the_workers_of_one_function_can_be_ended(here: Any, eventually: Callable[..., Any]) -> None:
    source = "import os\ndef handler(event, context):\n    return os.getpid()\n"
    pids = {}
    for name in ("ended", "not-ended"):
        here.function(name, source, here.role(name))
        pids[name] = here.invoke(name)
    here.aws.end_workers("ended")
    eventually(lambda: here.aws.worker_pids("ended") == [])
    assert here.aws.worker_pids("not-ended") == [pids["not-ended"]]
    here.aws.end_workers("ended")  # there is none


def test_a_worker_that_is_killed_while_it_starts_ends_no_other(here: Any, eventually: Callable[..., Any]) -> None:
    source = """
import os, time
time.sleep(0.3)
def handler(event, context):
    time.sleep(event)
    return os.getpid()
"""
    here.function("dies-alone", source, here.role("dies-alone"))
    first = here.invoke("dies-alone", 0)
    with ThreadPoolExecutor(2) as pool:
        busy = pool.submit(here.invoke, "dies-alone", 2)
        second = pool.submit(here.invoke, "dies-alone", 2)
        (starting,) = eventually(lambda: set(here.aws.worker_pids("dies-alone")) - {first})
        os.kill(starting, signal.SIGKILL)
        ends = [busy.result(), second.result()]
    assert first in ends
    assert any(isinstance(end, dict) and "exited" in end["errorMessage"] for end in ends)
    assert isinstance(here.invoke("dies-alone", 0), int)


def test_a_function_sees_its_bundle_and_what_lambdas_runtime_brings(here: Any) -> None:
    source = """
import importlib.util, os, sys
LOADED = "botocore" in sys.modules
def handler(event, context):
    names = ("boto3", "urllib3", "pulumi", "stripe", "rehearsal", "handlers")
    found = [name for name in names if importlib.util.find_spec(name)]
    return [found, LOADED, os.environ.get("HOME"), os.environ.get("DECLARED")]
"""
    here.function("alone", source, here.role("alone"), environment={"variables": {"DECLARED": "yes"}})
    assert here.invoke("alone") == [["boto3", "urllib3"], False, None, "yes"]


CALL = """
import datetime, hashlib, hmac, json, os, urllib.error, urllib.request

def sign(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()

def call(service, target, body):
    data, now = json.dumps(body).encode(), datetime.datetime.now(datetime.UTC)
    stamp, day, region = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d"), os.environ["AWS_REGION"]
    url = os.environ["AWS_ENDPOINT_URL"]
    headers = {
        "content-type": "application/x-amz-json-1.0",
        "host": url.split("//")[1],
        "x-amz-date": stamp,
        "x-amz-security-token": os.environ["AWS_SESSION_TOKEN"],
        "x-amz-target": target,
    }
    names, scope = ";".join(headers), f"{day}/{region}/{service}/aws4_request"
    lines = "".join(f"{k}:{v}\\n" for k, v in headers.items())
    canonical = f"POST\\n/\\n\\n{lines}\\n{names}\\n{hashlib.sha256(data).hexdigest()}"
    text = f"AWS4-HMAC-SHA256\\n{stamp}\\n{scope}\\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = ("AWS4" + os.environ["AWS_SECRET_ACCESS_KEY"]).encode()
    for part in (day, region, service, "aws4_request"):
        key = sign(key, part)
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    credential = f"{os.environ['AWS_ACCESS_KEY_ID']}/{scope}"
    headers["authorization"] = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"
    try:
        with urllib.request.urlopen(urllib.request.Request(url + "/", data, headers)) as answer:
            return {"status": answer.status, **json.load(answer)}
    except urllib.error.HTTPError as error:
        return {"status": error.code, **json.load(error)}

def handler(event, context):
    return call(*event)
"""


def _table(here: Any, name: str) -> str:
    attributes = [{"name": "pk", "type": "S"}]
    inputs = {"name": name, "billingMode": "PAY_PER_REQUEST", "hashKey": "pk", "attributes": attributes}
    return here.declare("aws:dynamodb/table:Table", name, inputs).outputs["arn"]


def _caller(here: Any, name: str, *statements: dict[str, Any]) -> Callable[..., dict[str, Any]]:
    here.function(name, CALL, here.role(name, *statements))
    return lambda service, target, body: here.invoke(name, [service, target, body])


def _get(table: str, *, consistent: bool = False) -> tuple[str, str, dict[str, Any]]:
    body = {"TableName": table, "Key": {"pk": {"S": "a"}}, "ConsistentRead": consistent}
    return "dynamodb", "DynamoDB_20120810.GetItem", body


def test_a_role_may_do_what_it_says_and_no_more(here: Any) -> None:
    table = _table(here, "guarded")
    call = _caller(here, "careful-reader", {"Action": "dynamodb:GetItem", "Resource": table})
    assert call(*_get("guarded"))["status"] == 200
    used = [d for d in here.aws.permissions_used() if d["resource"] == table]
    assert [(d["action"], d["principal"].split("/")[1]) for d in used] == [("dynamodb:GetItem", "careful-reader")]
    put = {"TableName": "guarded", "Item": {"pk": {"S": "a"}}}
    assert "AccessDenied" in call("dynamodb", "DynamoDB_20120810.PutItem", put)["__type"]
    assert {"action": "dynamodb:PutItem", "resource": table} in [
        {key: denial[key] for key in ("action", "resource")} for denial in here.aws.denials()
    ]


def test_a_role_without_permission_to_log_has_no_log_and_it_is_denied(here: Any) -> None:
    here.function("silent", "def handler(event, context):\n    print('words')\n", here.role("silent"))
    here.invoke("silent")
    assert here.aws.logs("silent") == []
    assert "logs:PutLogEvents" in [d["action"] for d in here.aws.denials() if d["resource"].endswith("/silent")]


def test_an_injected_error_hits_functions_and_not_the_rehearsal(here: Any) -> None:
    table = _table(here, "failing")
    call = _caller(here, "unlucky", {"Action": "dynamodb:GetItem", "Resource": table})
    here.aws.inject(Fault(service="dynamodb", action="GetItem", times=2))
    assert here.aws.client("dynamodb").get_item(TableName="failing", Key={"pk": {"S": "a"}})
    assert [call(*_get("failing"))["status"] for _ in range(3)] == [503, 503, 200]
    assert here.aws.fault_hits() == [2]


def test_throttling_looks_like_the_services_own(here: Any) -> None:
    call = _caller(here, "throttled", {"Action": "dynamodb:GetItem", "Resource": _table(here, "slow")})
    here.aws.inject(throttling("dynamodb"))
    answer = call(*_get("slow"))
    assert (answer["status"], answer["__type"]) == (400, "ProvisionedThroughputExceededException")


def test_a_delayed_call_still_succeeds(here: Any) -> None:
    call = _caller(here, "late", {"Action": "dynamodb:GetItem", "Resource": _table(here, "delayed")})
    call(*_get("delayed"))
    here.aws.inject(Fault(service="dynamodb", kind=FaultKind.DELAY, delay_seconds=0.3))
    began = time.monotonic()
    assert call(*_get("delayed"))["status"] == 200
    assert time.monotonic() - began >= 0.3


def test_a_conflict_cancels_the_transaction_and_writes_nothing(here: Any) -> None:
    call = _caller(here, "conflicted", {"Action": "dynamodb:PutItem", "Resource": _table(here, "contested")})
    here.aws.inject(Fault(service="dynamodb", kind=FaultKind.CONFLICT, times=1))
    items = [{"Put": {"TableName": "contested", "Item": {"pk": {"S": key}}}} for key in "ab"]
    answer = call("dynamodb", "DynamoDB_20120810.TransactWriteItems", {"TransactItems": items})
    assert answer["status"] == 400
    assert [reason["Code"] for reason in answer["CancellationReasons"]] == ["TransactionConflict", "None"]
    assert here.aws.client("dynamodb").scan(TableName="contested")["Count"] == 0


def test_a_stale_read_misses_the_latest_write_unless_it_is_consistent(here: Any) -> None:
    call = _caller(here, "stale", {"Action": "dynamodb:GetItem", "Resource": _table(here, "moving")})
    here.aws.inject(Fault(service="dynamodb", kind=FaultKind.STALE))
    own = here.aws.client("dynamodb")
    for version in ("1", "2"):
        own.put_item(TableName="moving", Item={"pk": {"S": "a"}, "version": {"N": version}})
    assert call(*_get("moving"))["Item"]["version"] == {"N": "1"}
    assert call(*_get("moving", consistent=True))["Item"]["version"] == {"N": "2"}
    here.aws.inject()
    assert call(*_get("moving"))["Item"]["version"] == {"N": "2"}
