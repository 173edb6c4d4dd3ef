import json
from datetime import date

import pytest

from checks import waivers
from checks.errors import UsageError
from checks.model import Finding, Severity, Status

TODAY = date(2026, 11, 21)


def finding(status: Status, check_id: str = "mail.dmarc") -> Finding:
    return Finding(
        id=check_id,
        title="enforced",
        severity=Severity.HIGH,
        status=status,
        expected="p=reject",
        actual="p=none",
        standard="RFC 9989",
        fix="enforce",
        command="dig",
    )


def waiver(expires: date) -> waivers.Waiver:
    return waivers.Waiver(id="mail.dmarc", owner="J. Doe", reason="reports are being read", expires=expires)


@pytest.mark.parametrize("status", [Status.FAIL, Status.WARN])
def test_an_accepted_failure_is_waived_up_to_its_last_day(status):
    (waived,) = waivers.apply([finding(status)], [waiver(TODAY)], TODAY)

    assert waived.status is Status.WAIVED
    assert waived.waiver == "J. Doe, until 2026-11-21: reports are being read"


@pytest.mark.parametrize("status", [Status.FAIL, Status.WARN])
def test_an_expired_waiver_fails(status):
    (failed,) = waivers.apply([finding(status)], [waiver(date(2026, 11, 20))], TODAY)

    assert failed.status is Status.FAIL
    assert "the waiver of J. Doe expired on 2026-11-20" in failed.actual


@pytest.mark.parametrize("status", [Status.PASS, Status.ERROR, Status.NOT_RUN, Status.ONLY_LIVE])
def test_nothing_else_can_be_waived(status):
    findings = [finding(status)]

    assert waivers.apply(findings, [waiver(TODAY)], TODAY) == tuple(findings)


def test_a_waiver_that_nothing_needed_is_told():
    findings = waivers.apply([finding(Status.PASS)], [waiver(TODAY)], TODAY)

    assert waivers.unused(findings, [waiver(TODAY)]) == (
        "mail.dmarc (J. Doe, until 2026-11-21: reports are being read)",
    )


TOML = '[[waiver]]\nid = "mail.dmarc"\nowner = "J. Doe"\nreason = "reading"\nexpires = 2027-01-31\n'
ROW = {"id": "mail.dmarc", "owner": "J. Doe", "reason": "reading", "expires": "2027-01-31"}


@pytest.mark.parametrize(("name", "text"), [("w.toml", TOML), ("w.json", json.dumps({"waiver": [ROW]}))])
def test_waivers_are_read_from_toml_and_json(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)

    (read,) = waivers.load(path, ["mail.dmarc"])

    assert (read.id, read.owner, read.expires) == ("mail.dmarc", "J. Doe", date(2027, 1, 31))


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{**ROW, "owner": ""}], "waiver 1: owner is missing"),
        ([ROW, {**ROW, "id": "mail.typo"}], "waiver 2: there is no check 'mail.typo'"),
        ([{**ROW, "expires": "soon"}], "must be a date such as 2027-01-31, got 'soon'"),
        ([{**ROW, "note": "x"}], "unknown key 'note'"),
        (["mail.dmarc"], "must be a table"),
        ("mail.dmarc", "must hold a list called 'waiver'"),
    ],
)
def test_a_wrong_waiver_is_refused(tmp_path, rows, said):
    path = tmp_path / "w.json"
    path.write_text(json.dumps({"waiver": rows}))

    with pytest.raises(UsageError, match=said):
        waivers.load(path, ["mail.dmarc"])


def test_a_waiver_file_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "bad.toml").write_text("[[waiver]")

    with pytest.raises(UsageError, match=r"bad\.toml cannot be parsed"):
        waivers.load(tmp_path / "bad.toml", [])
    with pytest.raises(UsageError, match=r"cannot read the waivers .*none\.toml"):
        waivers.load(tmp_path / "none.toml", [])
