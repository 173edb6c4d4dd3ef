"""The command as a person runs it: in a process of its own, with real signals, files and exit codes."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
import stripe
from jsonschema import Draft202012Validator

from checks.contract import parse

HERE = Path(__file__).resolve().parents[1]
COMMAND = [sys.executable, str(HERE / "launch_ready.py")]
GREEN = {"pass", "only live", "not applicable"}


def run(*arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=110, check=False, **more)


def started(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def descendants(pid: int) -> set[int]:
    """The processes that `pid` started, and those that they started."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    children: dict[int, list[int]] = {}
    for line in listed.splitlines():
        child, parent = map(int, line.split())
        children.setdefault(parent, []).append(child)
    found, waiting = set(), [pid]
    while waiting:
        for child in children.get(waiting.pop(), []):
            found.add(child)
            waiting.append(child)
    return found


def alive(pids: set[int]) -> set[int]:
    """Those of `pids` that still run, after a moment for the kernel to bury the others."""
    deadline = time.monotonic() + 5
    left = set(pids)
    while left and time.monotonic() < deadline:
        left = {pid for pid in left if Path(f"/proc/{pid}/status").exists() and not zombie(pid)}
        time.sleep(0.05)
    return left


def zombie(pid: int) -> bool:
    try:
        return "State:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True


@dataclass
class Kept:
    """A whole rehearsal whose twins still run."""

    process: subprocess.Popen[str]
    document: dict[str, Any]
    result: dict[str, Any]
    report: Path


@contextmanager
def keeping(folder: Path, *arguments: str) -> Generator[Kept]:
    """A rehearsal that has come to its end and waits for Ctrl-C, which it gets at the latest here."""
    files = ("--json", str(folder / "result.json"), "--report", str(folder / "report"))
    process = started("rehearse", "--keep", *files, *arguments)
    assert process.stdout is not None
    text, decoder = "", json.JSONDecoder()
    while True:
        line = process.stdout.readline()
        assert line, process.communicate()
        text += line
        try:
            document, _ = decoder.raw_decode(text)
            break
        except json.JSONDecodeError:
            continue
    try:
        yield Kept(process, document, json.loads((folder / "result.json").read_text()), folder / "report")
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=20)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """One for all tests that only look at it: none of them may end it."""
    with keeping(tmp_path_factory.mktemp("kept")) as rehearsal:
        yield rehearsal


@pytest.mark.timeout(180)
def test_a_rehearsal_passes_every_journey_and_check(kept):
    assert kept.result["verdict"] == "REHEARSED", kept.result["sentence"]
    assert all(journey["passed"] for journey in kept.result["journeys"])
    assert {check["status"] for check in kept.result["checks"]} <= GREEN
    assert kept.result["lag_ms"]["count"] > 0


def test_the_result_keeps_its_schema(kept):
    schema = json.loads((HERE / "rehearsal/result.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    assert not list(Draft202012Validator(schema).iter_errors(kept.result))


def test_what_only_a_live_launch_can_show_is_counted_in_the_verdict(kept):
    count = sum(check["status"] == "only live" for check in kept.result["checks"])
    assert count > 0
    assert f"{count} can only be verified live" in kept.result["sentence"]


def test_the_contract_of_the_deployed_stack_is_valid(kept):
    assert parse(kept.document["contract"]).domain == "tidewriters.example"


def test_the_report_is_written_for_people_and_machines(kept):
    assert {"report.html", "report.json", "junit.xml"} <= {path.name for path in kept.report.iterdir()}
    assert "REHEARSED" in (kept.report / "report.html").read_text()


def test_the_twins_gaps_are_told(kept):
    assert {gap["twin"] for gap in kept.result["gaps"]} >= {"aws", "stripe", "edge", "kit", "slack"}


def test_curl_reaches_the_health_route_through_the_edge(kept):
    answer = subprocess.run(["sh", "-c", kept.document["try"]], capture_output=True, text=True, check=True)
    assert json.loads(answer.stdout) == {"status": "ok"}


def test_the_official_stripe_sdk_and_boto3_play_on(kept):
    access, aws = kept.document["stripe"], kept.document["aws"]
    client = stripe.StripeClient(access["api_key"], base_addresses={"api": access["api_base"]})
    assert len(client.v1.webhook_endpoints.list().data) == 1
    table = boto3.client(
        "dynamodb",
        endpoint_url=aws["endpoint"],
        region_name=aws["region"],
        aws_access_key_id=aws["access_key_id"],
        aws_secret_access_key=aws["secret_access_key"],
    )
    assert table.scan(TableName=kept.document["table"], Select="COUNT")["Count"] > 0


def test_the_checks_alone_can_be_run_again(kept, tmp_path):
    (tmp_path / "contract.json").write_text(json.dumps(kept.document["contract"]))
    (tmp_path / "vantage.json").write_text(json.dumps(kept.document["vantage"]))
    ended = run(
        "check",
        "--contract",
        str(tmp_path / "contract.json"),
        "--vantage",
        str(tmp_path / "vantage.json"),
        "--report",
        str(tmp_path / "report"),
    )
    findings = json.loads((tmp_path / "report/report.json").read_text())["findings"]
    assert {finding["status"] for finding in findings} <= GREEN, ended.stdout
    assert ended.returncode == 3  # nothing failed, but a rehearsal without journeys is none


def test_ctrl_c_ends_kept_twins_with_the_verdict_and_leaves_nothing(tmp_path):
    with keeping(tmp_path, "--journey", "joins") as kept:
        pids = descendants(kept.process.pid)
        assert pids
        kept.process.send_signal(signal.SIGINT)
        out, _ = kept.process.communicate(timeout=20)
    assert kept.process.returncode == 0
    assert out.rstrip().splitlines()[-1].startswith("REHEARSED:")
    assert not alive(pids)
    assert not Path(kept.document["edge"]["ca_file"]).exists()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_an_ended_or_killed_rehearsal_leaves_nothing_running(number, code, tmp_path):
    process = started("rehearse", "--report", str(tmp_path))
    assert process.stderr is not None
    while "… deploy" not in process.stderr.readline():
        assert process.poll() is None
    pids = descendants(process.pid)
    assert pids
    process.send_signal(number)
    process.communicate(timeout=30)
    assert process.returncode == code
    assert not alive(pids)


def test_a_history_is_replayed_shuffled_and_repeated_with_every_event_in_the_ledger(tmp_path):
    paths = sorted((HERE / "tests/events").iterdir())
    # A session that was paid never expires: all the others can have happened to one customer.
    recorded = [json.loads(path.read_text()) for path in paths if path.name != "checkout.session.expired.json"]
    page = {"object": "list", "data": [{**event, "id": f"evt_{n}"} for n, event in enumerate(recorded)]}
    ended = run(
        "replay", "--events", "-", "--shuffle", "4", "--repeat", "2", "--any-price", "reader",
        "--now", "2026-10-25", "--json", str(tmp_path / "members.json"),
        input=f"A newer version of the CLI is available\n{json.dumps(page, indent=2)}\n",
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    written = json.loads((tmp_path / "members.json").read_text())
    counts = written["counts"]
    assert (counts["distinct"], counts["not_events"], counts["lost"]) == (len(recorded), 1, 0)
    assert counts["applied"] + counts["ignored"] == len(recorded)
    (claimed,) = [member for member in written["members"] if member["user_id"]]
    assert claimed["customers"]
    facts = {grant["id"]: grant["facts"] for grant in claimed["grants"]}
    assert facts["sub_1Member0001"]["subscription"]["status"] == "canceled"
    assert claimed["transitions"][-1]["to"] == claimed["state"]
    assert claimed["user_id"] in ended.stdout
    assert ended.stdout.splitlines()[-1].startswith("REPLAYED: ")


def test_the_plan_is_a_valid_graph(tmp_path):
    ended = run("plan", "--format", "graph")
    assert ended.returncode == 0, ended.stderr
    schema = json.loads((HERE / "rehearsal/graph.schema.json").read_text())
    assert not list(Draft202012Validator(schema).iter_errors(json.loads(ended.stdout)))


@pytest.fixture
def copy(tmp_path):
    """A project of its own, whose stack file a test may spoil."""
    for name in ("launch_ready.py", "__main__.py", "Pulumi.yaml", "Pulumi.prod.yaml"):
        (tmp_path / name).write_bytes((HERE / name).read_bytes())
    for name in ("infra", "handlers", "checks", "rehearsal"):
        (tmp_path / name).symlink_to(HERE / name)
    return tmp_path


def spoiled(copy: Path, old: str, new: str) -> subprocess.CompletedProcess[str]:
    path = copy / "Pulumi.prod.yaml"
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))
    arguments = [sys.executable, "launch_ready.py", "rehearse", "--report", "report"]
    return subprocess.run(arguments, cwd=copy, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("old", "new", "code", "said"),
    [
        ("domain: tidewriters.example", "domain: https://tidewriters.example/", 5, "domain"),
        ("launch-ready:alertEmail: ops@tidewriters.example\n", "", 4, "launch-ready:alertEmail: is missing"),
        ("launch-ready:alertEmail:", "launch-ready:alertMail:", 4, "did you mean launch-ready:alertEmail?"),
        ("livemode: true", "livemode: perhaps", 4, "must be of type 'boolean'"),
        ("config:\n", "config: [\n", 4, "not valid YAML"),
    ],
)
def test_a_wrong_configuration_is_told_before_anything_starts(copy, old, new, code, said):
    ended = spoiled(copy, old, new)
    assert ended.returncode == code, ended.stderr
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "twins" not in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("rehearse", "--stack", "nowhere"), 4, "Pulumi.nowhere.yaml does not exist; stacks here: Pulumi.prod.yaml"),
        (("rehearse", "--journey", "nobody"), 4, "no journey 'nobody'; known: "),
        (("rehearse", "--report", "/dev/null/report"), 8, "give a directory that you may write to"),
        (("rehearse", "--json", "/proc/result.json"), 8, "give a directory that you may write to"),
        (("check", "--contract", "/nonexistent.json"), 2, "cannot read the contract"),
        (("rehearse", "--sideways"), 2, "No such option"),
        (("replay",), 2, "Missing option '--events'"),
        (("replay", "--events", "/dev/null"), 2, "/dev/null holds no event; give Stripe's events as JSON lines"),
        (("replay", "--events", "-", "--repeat", "0"), 2, "Invalid value for '--repeat'"),
    ],
)
def test_a_wrong_call_is_told_in_one_message_with_its_exit_code(arguments, code, said):
    ended = run(*arguments)
    assert ended.returncode == code
    assert said in " ".join(ended.stderr.split())
    assert "Traceback" not in ended.stderr
