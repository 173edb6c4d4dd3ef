from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.model import Journey, Severity, Status
from checks.report import Report
from tests.checks.samples import finding, report

JOURNEY = Journey(name="joins", passed=True, expected="active", actual="active", seconds=1.0)
FAILED_JOURNEY = replace(JOURNEY, passed=False, actual="lead")


def live(*statuses: Status, severity: Severity = Severity.HIGH, **changes) -> Report:
    findings = tuple(finding(f"mail.c{i}", status, severity) for i, status in enumerate(statuses))
    return report(findings=findings, rehearsal=False, **changes)


def rehearsed(*statuses: Status, journeys: tuple[Journey, ...] = (JOURNEY,)) -> Report:
    return replace(live(*statuses), rehearsal=True, journeys=journeys)


@pytest.mark.parametrize(
    ("statuses", "verdict", "code"),
    [
        ([Status.PASS], "READY", 0),
        ([Status.PASS, Status.WARN], "READY", 0),
        ([Status.PASS, Status.WAIVED], "READY", 0),
        ([Status.PASS, Status.FAIL], "NOT READY", 1),
        ([Status.PASS, Status.ERROR], "NOT READY", 3),
        ([Status.PASS, Status.NOT_RUN], "NOT READY", 3),
        ([Status.FAIL, Status.ERROR], "NOT READY", 1),
        ([], "NOT READY", 3),
    ],
)
def test_a_live_verdict(statuses, verdict, code):
    subject = live(*statuses)

    assert (subject.verdict, subject.exit_code()) == (verdict, code)
    assert subject.sentence().startswith(f"{verdict}: ")


@pytest.mark.parametrize(
    ("severity", "fail_on", "code"),
    [
        (Severity.MEDIUM, Severity.HIGH, 0),
        (Severity.MEDIUM, Severity.MEDIUM, 1),
        (Severity.CRITICAL, Severity.HIGH, 1),
        (Severity.HIGH, Severity.CRITICAL, 0),
    ],
)
def test_only_failures_that_are_severe_enough_keep_a_live_launch_back(severity, fail_on, code):
    assert live(Status.FAIL, severity=severity, fail_on=fail_on).exit_code() == code


@pytest.mark.parametrize(
    ("statuses", "journeys", "verdict", "code"),
    [
        ([Status.PASS, Status.ONLY_LIVE], (JOURNEY,), "REHEARSED", 0),
        ([Status.PASS, Status.WARN], (JOURNEY,), "NOT REHEARSED", 1),
        ([Status.PASS, Status.FAIL], (JOURNEY,), "NOT REHEARSED", 1),
        ([Status.PASS, Status.ERROR], (JOURNEY,), "NOT REHEARSED", 3),
        ([Status.PASS, Status.NOT_RUN], (JOURNEY,), "NOT REHEARSED", 3),
        ([Status.PASS], (JOURNEY, FAILED_JOURNEY), "NOT REHEARSED", 1),
        ([Status.PASS], (), "NOT REHEARSED", 3),
        ([Status.ONLY_LIVE], (JOURNEY,), "NOT REHEARSED", 3),
    ],
)
def test_a_rehearsals_verdict(statuses, journeys, verdict, code):
    subject = rehearsed(*statuses, journeys=journeys)

    assert (subject.verdict, subject.exit_code()) == (verdict, code)


def test_a_rehearsal_accepts_no_failure_however_small():
    subject = replace(live(Status.PASS, Status.FAIL, severity=Severity.INFO), rehearsal=True, journeys=(JOURNEY,))

    assert subject.exit_code() == 1


def test_the_sentence_of_a_rehearsal_counts_what_is_only_live():
    assert rehearsed(Status.PASS, Status.ONLY_LIVE).sentence() == (
        "REHEARSED: 1 of 2 checks pass, 1 can only be verified live, 1 of 1 journeys pass."
    )


def test_what_is_not_declared_is_neither_green_nor_in_the_way():
    assert live(Status.NOT_APPLICABLE).exit_code() == 3
    assert live(Status.PASS, Status.NOT_APPLICABLE).sentence() == "READY: 1 of 2 checks pass, 1 does not apply."


def test_what_must_be_fixed_comes_worst_first():
    findings = (
        finding("mail.b", Status.FAIL, Severity.HIGH),
        finding("mail.a", Status.FAIL, Severity.HIGH),
        finding("sec.env", Status.FAIL, Severity.CRITICAL),
        finding("dns.ttl", Status.FAIL, Severity.LOW),
    )

    assert [one.id for one in report(findings=findings).must_fix()] == ["sec.env", "mail.a", "mail.b"]


@given(st.lists(st.sampled_from(Status), max_size=12), st.booleans())
def test_no_run_is_green_unless_everything_was_verified(statuses, rehearsal):
    subject = rehearsed(*statuses) if rehearsal else live(*statuses)

    if subject.exit_code() == 0:
        assert Status.PASS in statuses or {Status.WARN, Status.WAIVED, Status.FAIL} & set(statuses)
        assert not {Status.ERROR, Status.NOT_RUN, Status.FAIL} & set(statuses)
    assert subject.good == (subject.verdict in {"READY", "REHEARSED"})


@given(st.lists(st.sampled_from(Status), max_size=12))
def test_the_counts_add_up(statuses):
    counts = live(*statuses).counts()

    assert sum(counts.values()) == len(statuses)
    assert set(counts) == set(Status)
