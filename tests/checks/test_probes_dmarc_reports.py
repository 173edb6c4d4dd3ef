import gzip
import io
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from checks.errors import NeedsInput, ProbeError
from checks.probes import dmarc_reports
from checks.rules import dmarc_reports as rules

APEX = "tidewriters.example"
RECORD = """<record><row><source_ip>{ip}</source_ip><count>{count}</count><policy_evaluated>
<disposition>none</disposition><dkim>{dkim}</dkim><spf>{spf}</spf></policy_evaluated></row>
<identifiers><header_from>{author}</header_from></identifiers>
<auth_results><dkim><domain>{domain}</domain><selector>{selector}</selector><result>{signed}</result></dkim>
<spf><domain>{envelope}</domain><result>{passed}</result></spf></auth_results></record>"""
GOOGLE = {
    "ip": "192.0.2.1",
    "author": APEX,
    "domain": APEX,
    "selector": "s1",
    "envelope": APEX,
    "dkim": "pass",
    "spf": "pass",
    "signed": "pass",
    "passed": "pass",
}
RESEND = {
    **GOOGLE,
    "author": f"mail.{APEX}",
    "domain": f"mail.{APEX}",
    "selector": "resend",
    "envelope": f"send.mail.{APEX}",
}
FAILED = {"dkim": "fail", "spf": "fail", "signed": "fail", "passed": "fail"}
FORGER = {**GOOGLE, **FAILED, "domain": "", "selector": "", "envelope": "elsewhere.example"}
SHOP = {**GOOGLE, "dkim": "fail", "spf": "fail", "domain": "shop.example", "selector": "x", "envelope": "shop.example"}


def report(*rows: Mapping[str, object], day: int = 1, domain: str = APEX, namespace: str = "") -> bytes:
    begin = int((datetime.now(UTC) - timedelta(days=day)).timestamp())
    return (
        f'<?xml version="1.0"?><feedback{namespace}><report_metadata><date_range><begin>{begin}</begin></date_range>'
        f"</report_metadata><policy_published><domain>{domain}</domain></policy_published>"
        + "".join(RECORD.format(**{"count": 10, **row}) for row in rows)
        + "</feedback>"
    ).encode()


def zipped(*members: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, octets in enumerate(members):
            archive.writestr(f"{number}.xml", octets)
    return packed.getvalue()


def read(look, folder: Path, files: dict[str, bytes]):
    for name, octets in files.items():
        (folder / name).write_bytes(octets)
    return dmarc_reports.reports(look(dmarc_reports=str(folder)))


def judged(look, subject, folder: Path, *rows: Mapping[str, object], days: int = 20):
    """The verdict over reports of so many days, each with these rows."""
    facts = read(look, folder, {f"{day}.xml": report(*rows, day=day) for day in range(1, days + 1)})
    return rules.next_rung(subject, facts)


def test_reports_are_read_however_they_are_packed(look, tmp_path):
    facts = read(
        look,
        tmp_path,
        {
            "a.xml": report(GOOGLE),
            "b.xml.gz": gzip.compress(report(GOOGLE, namespace=' xmlns="urn:ietf:params:xml:ns:dmarc-2.0"')),
            "c.zip": zipped(report(GOOGLE, RESEND)),
            "d.xml": report(GOOGLE, domain="elsewhere.example"),
            "notes.txt": b"not a report",
        },
    )

    assert (facts.reports, len(facts.rows), facts.refused) == (3, 4, ())
    assert (facts.rows[0].count, facts.rows[0].author, facts.rows[0].aligned) == (10, APEX, True)


ENTITY = b'<?xml version="1.0"?><!DOCTYPE f [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><feedback>&b;</feedback>'
HOSTILE = {
    "entities.xml": (ENTITY, "declares a document type or entities"),
    "utf16.xml": (ENTITY.decode().encode("utf-16"), "declares a document type or entities, or is no UTF-8"),
    "cut.xml": (report(GOOGLE)[:-5], "is no XML"),
    "page.xml": (b"<html></html>", "is <html>, not <feedback>"),
    "cut.xml.gz": (gzip.compress(report(GOOGLE))[:-20], "cannot be unpacked"),
    "cut.zip": (zipped(report(GOOGLE))[:-30], "cannot be unpacked"),
    "two.zip": (zipped(report(GOOGLE), report(GOOGLE)), "holds 2 reports"),
    "many.xml": (report({**GOOGLE, "count": "9" * 30}), "counts '9999"),
    "minus.xml": (report({**GOOGLE, "count": "-5"}), "counts '-5'"),
    "when.xml": (report(GOOGLE).replace(b"<begin>", b"<begin>x"), "not at a time"),
    "bomb.xml.gz": (gzip.compress(b"<feedback>" + b" " * 200_000 + b"</feedback>"), "more than 100000 bytes"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_report_is_left_out_and_named(look, tmp_path, monkeypatch, name):
    monkeypatch.setattr(dmarc_reports, "OCTETS_MOST", 100_000)
    octets, said = HOSTILE[name]

    facts = read(look, tmp_path, {name: octets, "good.xml": report(GOOGLE)})

    [refused] = facts.refused
    assert refused.startswith(f"{name}: ")
    assert said in refused
    assert facts.reports == 1


def test_too_much_is_refused(look, tmp_path, monkeypatch):
    monkeypatch.setattr(dmarc_reports, "ROWS_MOST", 1)
    with pytest.raises(ProbeError, match="more than 1 rows"):
        read(look, tmp_path, {"a.xml": report(GOOGLE, GOOGLE)})
    monkeypatch.setattr(dmarc_reports, "FILES_MOST", 0)
    with pytest.raises(ProbeError, match="at most 0"):
        read(look, tmp_path, {})


def test_without_reports_they_are_asked_for(look, tmp_path):
    with pytest.raises(NeedsInput, match="aggregate reports"):
        dmarc_reports.reports(look())
    with pytest.raises(ProbeError, match="cannot read the reports"):
        dmarc_reports.reports(look(dmarc_reports=str(tmp_path / "none")))


def test_the_next_rung_is_safe_when_every_sender_aligns(look, declared, tmp_path):
    verdict = judged(look, declared, tmp_path, GOOGLE, RESEND, FORGER)

    assert verdict.status == "pass"
    assert verdict.actual.startswith("safe to go on to reject: google 100.0% of 200, resend 100.0% of 200")


@pytest.mark.parametrize(
    ("rows", "days", "status", "said"),
    [
        ((GOOGLE,), 20, "warn", f"resend at mail.{APEX}: 0 messages on 0 days"),
        ((GOOGLE, RESEND), 5, "warn", "50 messages on 5 days, at least 100 on 14 needed"),
        ((GOOGLE, RESEND, {**RESEND, **FAILED, "count": 1}), 20, "fail", f"resend at mail.{APEX}: 90.9% aligned"),
        ((GOOGLE, RESEND, SHOP), 20, "warn", "would be refused: shop.example (200)"),
        ((GOOGLE, RESEND, {**SHOP, "count": 0}), 20, "pass", "safe to go on"),
    ],
)
def test_it_is_not_safe_before_everybody_was_seen_and_aligns(look, declared, tmp_path, rows, days, status, said):
    verdict = judged(look, declared, tmp_path, *rows, days=days)

    assert verdict.status == status
    assert said in verdict.actual


def test_on_the_lowest_rung_nothing_is_lost_yet(look, declared, tmp_path):
    watching = tuple(one.model_copy(update={"policy": "none"}) for one in declared.mail.dmarc)
    subject = declared.model_copy(update={"mail": declared.mail.model_copy(update={"dmarc": watching})})

    verdict = judged(look, subject, tmp_path, GOOGLE, {**RESEND, **FAILED})

    assert verdict.status == "warn"
    assert "stay where it is: resend" in verdict.actual


def test_old_reports_say_nothing_of_today(look, declared, tmp_path):
    facts = read(look, tmp_path, {f"{day}.xml": report(GOOGLE, RESEND, day=day) for day in range(40, 60)})

    assert "0 messages on 0 days" in rules.next_rung(declared, facts).actual
