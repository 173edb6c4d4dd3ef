"""`launch-ready policy` and `plan` as a person runs them, and whatever can be wrong with what they are given."""

import json
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import launch_ready
from checks.policy import PolicyError, Scanner, terraform_plan
from tests.checks.policy.conftest import HEAD, ROOT, Programs, line_of

GOOD = 'queue = aws.sns.Topic("topic", name="alarms")'
BAD = """
def queue(name):
    return aws.sqs.Queue(name, name=name, sqs_managed_sse_enabled=True)


for name in ("one", "two"):
    queue(name)
queue("three")
# checkov:skip=CKV_LR_8,CKV_LR_7:nothing is lost here
queue("four")
"""
PREVIEWS = Path(__file__).parent / "previews"

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, policy_python: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command in a project of its own."""
    monkeypatch.setattr(launch_ready, "PROJECT", tmp_path)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    (tmp_path / ".venv-policy").symlink_to(policy_python.parents[1])
    shutil.copy(ROOT / "requirements-policy.txt", tmp_path)
    return lambda *arguments: CliRunner().invoke(launch_ready.app, list(arguments))


def test_clean_is_0(run: Run, programs: Programs) -> None:
    programs.write(GOOD)
    result = run("policy")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("policy: 1 resources, ")
    assert "0 findings" in result.stdout


def test_findings_are_1_on_the_callers_lines_in_every_format(run: Run, programs: Programs, tmp_path: Path) -> None:
    text = programs.write(BAD)
    sarif, junit, markdown = (str(tmp_path / name) for name in ("out.sarif", "out.xml", "out.md"))
    result = run("policy", "--sarif", sarif, "--junit", junit, "--markdown", markdown, "--annotate")
    assert result.exit_code == 1, result.stderr
    loop, third, fourth = line_of(text, "    queue(name)"), line_of(text, '"three"'), line_of(text, '"four"')
    for line in (loop, third):
        assert f"__main__.py:{line}: high CKV_LR_7 A queue has a dead-letter queue" in result.stdout
        assert f"::error file=__main__.py,line={line},endLine={line},title=CKV_LR_7::" in result.stdout
    skipped = f"__main__.py:{fourth}: skipped CKV_LR_7 [aws_sqs_queue.four]: nothing is lost here"
    assert skipped in result.stdout
    [found] = json.loads(Path(sarif).read_text(encoding="utf-8"))["runs"]
    results = [one for one in found["results"] if one["ruleId"] == "CKV_LR_7"]
    lines = [one["locations"][0]["physicalLocation"]["region"]["startLine"] for one in results]
    assert sorted(lines) == [loop, loop, third, fourth]
    [suppressed] = [one for one in results if "suppressions" in one]
    assert suppressed["suppressions"] == [{"kind": "inSource", "justification": "nothing is lost here"}]
    assert {one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in results} == {"__main__.py"}
    cases = ET.parse(junit).getroot().iter("testcase")  # our own file
    assert {case.get("file") for case in cases} == {"/__main__.py"}
    assert f"`__main__.py:{third}`" in Path(markdown).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ('raise ValueError("no hosts")', "the program failed at __main__.py:8: ValueError: no hosts"),
        ('aws.sqs.Queue("q")\naws.sqs.Queue("q")', "Duplicate resource URN"),
        ("def f(:", "SyntaxError"),
        ("", "declares no resource"),
        ('pulumi.CustomResource("a:b:Pet", "p", {})', "no Terraform type is known for a:b:Pet"),
    ],
)
def test_a_program_that_cannot_be_scanned_is_2(program: str, said: str, run: Run, programs: Programs) -> None:
    programs.write(program)
    result = run("policy")
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Nothing was scanned." in result.stderr


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("broken.py", "import no_such_module\n", "broken.py does not load: ModuleNotFoundError"),
        ("broken.py", "def f(:\n", "broken.py does not load: SyntaxError"),
        ("empty.py", "", "empty.py registers no check"),
        ("wrong.yaml", "metadata: {id: CKV2_X_1}\n", "wrong.yaml is no policy"),
        ("wrong.yaml", "- [\n", "wrong.yaml does not load"),
        ("notes.txt", "no policy", "has no policy in it"),
        (None, "", "has no policy in it"),
    ],
)
def test_a_policy_that_does_not_load_makes_it_no_scan(
    name: str | None, text: str, said: str, programs: Programs, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    if name:
        folder.mkdir()
        (folder / name).write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError, match=said):
        programs.scan(GOOD, policies=[folder])


RAISES = """
from checkov.common.models.enums import CheckCategories
from checkov.terraform.checks.resource.base_resource_check import BaseResourceCheck


class Raises(BaseResourceCheck):
    def scan_resource_conf(self, conf):
        raise RuntimeError("out of order")


Raises("raises", "CKV_MINE_1", [CheckCategories.IAM], ["aws_sns_topic"])
"""


def test_policies_that_are_not_there_are_2(run: Run, programs: Programs, tmp_path: Path) -> None:
    programs.write(GOOD)
    result = run("policy", "--policies", str(tmp_path / "mine"))
    assert result.exit_code == 2, result.stdout
    assert "mine has no policy in it" in result.stderr


def test_a_policy_that_raises_makes_it_no_scan(programs: Programs, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "raises.py").write_text(RAISES, encoding="utf-8")
    with pytest.raises(PolicyError, match="out of order"):
        programs.scan(GOOD, policies=[tmp_path / "mine"])


def test_policies_of_ones_own_run_beside_ours(run: Run, programs: Programs, tmp_path: Path) -> None:
    programs.write(GOOD)
    (tmp_path / "mine").mkdir()
    policy = RAISES.replace('raise RuntimeError("out of order")', "return CheckResult.FAILED")
    (tmp_path / "mine" / "mine.py").write_text(
        policy.replace("import CheckCategories", "import CheckCategories, CheckResult"), encoding="utf-8"
    )
    result = run("policy", "--policies", str(tmp_path / "mine"))
    assert result.exit_code == 1, result.stderr
    assert f"__main__.py:{line_of(HEAD + GOOD, 'topic')}: CKV_MINE_1" in result.stdout


def test_a_preview_of_the_real_engine_is_planned(run: Run) -> None:
    result = run("plan", "--from-preview", str(PREVIEWS / "preview.json"), "--format", "terraform-plan")
    assert result.exit_code == 0, result.stderr
    plan = json.loads(result.stdout)
    addresses = {one["address"] for one in plan["planned_values"]["root_module"]["resources"]}
    assert {"aws_sqs_queue.events", "cloudflare_zone_setting.ssl", "terraform_data.endpoint"} <= addresses
    [queue] = [one for one in plan["resource_changes"] if one["address"] == "aws_sqs_queue.events"]
    assert queue["change"]["after_unknown"] == {"redrive_policy": True}
    table = run("plan", "--from-preview", str(PREVIEWS / "preview.json"), "--format", "markdown").stdout
    assert "| `aws:sqs/queue:Queue` | `events` | `infra/program.py:17` |" in table


def test_a_preview_of_the_real_engine_is_scanned_on_the_lines_that_it_tells(run: Run) -> None:
    result = run("policy", "--from-preview", str(PREVIEWS / "preview.json"))
    assert result.exit_code == 1, result.stderr
    assert "infra/program.py:21: medium CKV_LR_16" in result.stdout
    assert "infra/program.py:16: high CKV_LR_8" in result.stdout


def test_a_preview_of_another_project_is_not_read_beside_this_ones_files(run: Run, tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: another\nruntime: python\n", encoding="utf-8")
    (tmp_path / "infra").mkdir()
    text = "# checkov:skip=CKV_LR_16:not for the sample\n" * 40
    (tmp_path / "infra" / "program.py").write_text(text, encoding="utf-8")
    result = run("policy", "--from-preview", str(PREVIEWS / "preview.json"))
    assert "infra/program.py:21: medium CKV_LR_16" in result.stdout


def test_a_preview_that_leaves_out_what_stays_is_2(run: Run) -> None:
    result = run("policy", "--from-preview", str(PREVIEWS / "preview-change.json"))
    assert result.exit_code == 2
    assert "leaves out 10 resources that stay as they are" in result.stderr
    assert "--show-sames" in result.stderr


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"steps": []}', "\x00"])
def test_what_is_no_preview_is_2(text: str, run: Run, tmp_path: Path) -> None:
    (tmp_path / "preview.json").write_text(text, encoding="utf-8")
    result = run("policy", "--from-preview", str(tmp_path / "preview.json"))
    assert result.exit_code == 2
    assert "preview" in result.stderr


def test_a_plan_of_1000_resources_is_scanned_whole(programs: Programs) -> None:
    found = programs.scan('for number in range(1000):\n    aws.sns.Topic(f"t{number}", name=f"t{number}")')
    assert (found.resources, found.findings, found.exit_code) == (1000, (), 0)


CALLS = 'import socket\nsocket.create_connection(("127.0.0.1", 9), timeout=1)\n'
WATCHED = """#!/bin/sh
exec {python} -I -c '
import runpy, sys
def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        open("{log}", "a").write(event + repr(arguments))
sys.addaudithook(watch)
sys.path.insert(0, sys.argv[2])
runpy.run_path(sys.argv[2], run_name="__main__")
' "$@"
"""


def test_no_connection_is_tried(programs: Programs, policy_python: Path, tmp_path: Path) -> None:
    """checkov looks for a new version, and for its platform, unless it is kept from it; the tests' own process may
    connect to nothing but the loopback."""
    log, watched = tmp_path / "connections", tmp_path / "watched"
    watched.write_text(WATCHED.format(python=policy_python, log=log), encoding="utf-8")
    watched.chmod(0o755)
    with Scanner(watched) as scanner:
        plan = terraform_plan(programs.graph(BAD))
        assert scanner.scan(plan, tmp_path).findings
        assert not log.exists(), log.read_text(encoding="utf-8")
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / "calls.py").write_text(CALLS, encoding="utf-8")
        with pytest.raises(PolicyError, match="does not load"):
            scanner.scan(plan, tmp_path, [tmp_path / "mine"])
    assert "socket.connect" in log.read_text(encoding="utf-8")  # so it would have been seen
