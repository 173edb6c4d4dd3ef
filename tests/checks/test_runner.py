import threading
from collections.abc import Callable
from typing import Any

import pytest

from checks import attempt
from checks.errors import NeedsInput, NotDeclared, ProbeError
from checks.model import Check, Entry, Severity, Status, Verdict, judge
from checks.runner import run_checks
from checks.scope import Scope

PASSED = judge("good", seen="good")
FAILED = judge("good", seen="", problems=["bad"])


def make(probe: Callable[[Scope], Any] = lambda _: PASSED, check_id: str = "mail.spf", **options: Any) -> Check:
    entry = Entry(id=check_id, severity=Severity.HIGH, criterion="holds", source="RFC 1")
    settings: dict[str, Any] = {"fix": "mend it", "command": lambda _: "true", "timeout": 5.0, **options}
    return Check(entry=entry, probe=probe, rule=lambda _, verdict: verdict, **settings)


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempt, "PAUSE_SECONDS", 0.0)


@pytest.fixture
def run(look: Callable[..., Scope]) -> Callable[..., Any]:
    def call(*checks: Check, live: bool = False, **options: Any) -> Any:
        return run_checks(checks, lambda seconds: look(seconds, rehearsal=not live), **options)

    return call


class Sequence:
    """A probe that gives one outcome after another; an exception is raised."""

    def __init__(self, *outcomes: Verdict | Exception) -> None:
        self.outcomes = list(outcomes)
        self.calls = 0

    def __call__(self, _: Scope) -> Verdict:
        outcome = self.outcomes[min(self.calls, len(self.outcomes) - 1)]
        self.calls += 1
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def test_findings_come_in_the_order_of_the_checks_and_each_is_heard(run):
    checks = [make(check_id=f"mail.c{number}", timeout=1.0 + number) for number in range(40)]
    heard: list[str] = []

    findings = run(*checks, on_result=lambda finding: heard.append(finding.id))

    assert [finding.id for finding in findings] == [check.id for check in checks]
    assert sorted(heard) == sorted(check.id for check in checks)
    assert {finding.status for finding in findings} == {Status.PASS}


@pytest.mark.parametrize(
    ("outcomes", "status", "tries"),
    [
        ([PASSED], Status.PASS, 1),
        ([FAILED, FAILED], Status.FAIL, 2),
        ([FAILED, PASSED], Status.WARN, 2),
        ([ProbeError("dead"), PASSED], Status.PASS, 2),
        ([ProbeError("dead"), ProbeError("dead")], Status.ERROR, 2),
        ([ZeroDivisionError("oops"), ZeroDivisionError("oops")], Status.ERROR, 2),
        ([NeedsInput("a key")], Status.NOT_RUN, 1),
    ],
)
def test_errors_are_retried_and_failures_confirmed(run, outcomes, status, tries):
    probe = Sequence(*outcomes)

    (finding,) = run(make(probe))

    assert (finding.status, probe.calls, finding.attempts) == (status, tries, tries)


def test_a_failure_that_then_passes_is_called_flaky(run):
    (finding,) = run(make(Sequence(FAILED, PASSED)))

    assert finding.actual == "flaky: failed, then passed without a change: bad"


@pytest.mark.parametrize("outcome", [FAILED, ProbeError("dead")])
def test_a_check_that_changes_something_is_tried_once(run, outcome):
    probe = Sequence(outcome)

    (finding,) = run(make(probe, mutates=True))

    assert probe.calls == 1
    assert finding.status in {Status.FAIL, Status.ERROR}


def test_what_hangs_is_abandoned_and_its_worker_replaced(run, monkeypatch):
    monkeypatch.setattr("checks.runner.GRACE_SECONDS", 0.0)
    release = threading.Event()

    findings = run(
        make(lambda _: release.wait(30) and PASSED, timeout=0.2), make(check_id="mail.mx", timeout=0.1), workers=1
    )
    release.set()

    assert [finding.status for finding in findings] == [Status.ERROR, Status.PASS]
    assert "abandoned" in findings[0].actual


def test_checks_of_one_series_never_overlap(run):
    inside = threading.Semaphore(1)
    overlaps: list[str] = []

    def probe(_: Scope) -> Verdict:
        if not inside.acquire(blocking=False):
            overlaps.append("two at once")
            return PASSED
        threading.Event().wait(0.01)
        inside.release()
        return PASSED

    run(*(make(probe, check_id=f"edge.c{number}", serial="burst") for number in range(8)))

    assert overlaps == []


def test_what_waits_behind_an_abandoned_check_of_its_series_is_reported(run, monkeypatch):
    monkeypatch.setattr("checks.runner.GRACE_SECONDS", 0.0)
    monkeypatch.setattr("checks.runner.SERIAL_WAIT_SECONDS", 0.3)
    release = threading.Event()
    stuck = make(lambda _: release.wait(30) and PASSED, timeout=0.2, serial="burst")

    findings = run(stuck, make(check_id="edge.rate", timeout=0.1, serial="burst"))
    release.set()

    assert [finding.status for finding in findings] == [Status.ERROR, Status.ERROR]


def test_only_live_checks_are_listed_in_a_rehearsal_and_run_live(run):
    probe = Sequence(PASSED)
    check = make(probe, only_live="no such thing on a laptop")

    (rehearsed,) = run(check)
    assert (rehearsed.status, rehearsed.actual, probe.calls) == (Status.ONLY_LIVE, "no such thing on a laptop", 0)
    (live,) = run(check, live=True)
    assert (live.status, probe.calls) == (Status.PASS, 1)


def test_secrets_are_redacted_when_a_finding_is_recorded(run):
    secret = "sk_live_51Habcdefghij"
    leaky = judge(f"not {secret}", seen="", problems=[f"got {secret}"], evidence=(f"key={secret}",))

    (finding,) = run(make(Sequence(leaky), command=lambda _: f"curl -u {secret}:"))

    assert secret not in repr(finding)
    assert finding.actual.startswith("got sk_live_…")


def test_control_characters_do_not_reach_a_terminal(run):
    (finding,) = run(make(Sequence(judge("x", seen="", problems=["server: \x1b[2J\x07\x9bboo\n\tok"]))))

    assert finding.actual == "server: �[2J��boo\n\tok"


def test_a_broken_check_shows_where_it_broke(run):
    (finding,) = run(make(lambda _: 1 / 0))

    assert "the check itself broke: ZeroDivisionError" in finding.actual
    assert any("test_runner.py" in line for line in finding.evidence)


def test_what_is_not_declared_does_not_apply(run):
    (finding,) = run(make(Sequence(NotDeclared("none is declared"))))

    assert (finding.status, finding.actual, finding.attempts) == (Status.NOT_APPLICABLE, "none is declared", 1)


def test_a_check_that_is_last_starts_when_all_others_are_over(run):
    ended: list[str] = []

    def probe(name: str) -> Callable[[Scope], Any]:
        return lambda _: ended.append(name) or PASSED

    findings = run(
        make(probe("burst"), "edge.rate", last=True, timeout=60.0),
        *(make(probe("early"), f"mail.c{number}") for number in range(20)),
    )

    assert ended[-1] == "burst"
    assert findings[0].id == "edge.rate"


def test_a_finding_may_matter_less_than_the_worst_that_its_check_can_find(run):
    mild = judge("good", seen="", problems=["unsigned"], severity=Severity.MEDIUM)

    assert run(make(lambda _: mild))[0].severity is Severity.MEDIUM
