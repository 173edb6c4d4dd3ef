import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from jsonschema import Draft202012Validator
from rich.console import Console

from checks import reports
from checks.errors import UsageError
from checks.model import Status
from checks.reports import areas, console, document, junit, page
from tests.checks.samples import NASTY, finding, live_report, rehearsal_report, report

GOLDEN = Path(__file__).parent / "golden"
SCHEMA = json.loads((Path(document.__file__).parents[1] / "report.schema.json").read_text(encoding="utf-8"))
REPORTS = {"live": live_report, "rehearsal": rehearsal_report}


def on_terminal(subject) -> str:
    terminal = Console(width=100, force_terminal=False, color_system=None)
    with terminal.capture() as captured:
        console.show(subject, terminal)
    return captured.get()


RENDERERS = {
    "txt": on_terminal,
    "json": document.render,
    "html": lambda subject: page.render(subject, document.digest(document.render(subject))),
    "xml": junit.render,
}


@pytest.mark.parametrize("kind", RENDERERS)
@pytest.mark.parametrize("name", REPORTS)
def test_each_rendering_is_the_golden_one(name, kind):
    """UPDATE_GOLDEN=1 rewrites the files; read the difference before committing it."""
    rendered = RENDERERS[kind](REPORTS[name]())
    path = GOLDEN / f"{name}.{kind}"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(rendered, encoding="utf-8")

    assert rendered == path.read_text(encoding="utf-8")


class Reader(HTMLParser):
    """What a page says, and its elements."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("name", REPORTS)
def test_every_renderer_counts_the_same(name):
    subject = REPORTS[name]()
    counts = {status.value: count for status, count in subject.counts().items()}
    badges = re.findall(r'<span class="badge [a-z-]+">([a-z ]+)</span>', RENDERERS["html"](subject))
    root = ET.fromstring(junit.render(subject).encode())

    assert json.loads(document.render(subject))["counts"] == counts
    assert {status: badges.count(status) for status in counts} == counts
    assert len(root.findall(".//testcase")) == len(subject.findings)
    assert len(root.findall(".//failure")) == len(subject.must_fix())
    assert len(root.findall(".//error")) == len(subject.unverified())
    listed = areas.areas(subject)
    assert sum(area.must_fix for area in listed) == len(subject.must_fix())
    assert sum(area.unverified for area in listed) == len(subject.unverified())
    assert sum(area.passed for area in listed) == counts["pass"]
    for area in listed:
        told = (area.passed, area.must_fix, area.unverified, area.only_live, area.not_applicable, area.other)
        assert sum(told) == len(area.findings)


@pytest.mark.parametrize("name", REPORTS)
def test_the_document_keeps_to_its_schema(name):
    Draft202012Validator.check_schema(SCHEMA)

    assert list(Draft202012Validator(SCHEMA).iter_errors(json.loads(document.render(REPORTS[name]())))) == []


@pytest.mark.parametrize("name", REPORTS)
def test_every_renderer_gives_the_verdict_in_the_same_words(name):
    subject = REPORTS[name]()

    assert subject.sentence() in " ".join(on_terminal(subject).split())
    assert subject.sentence() in Reader(RENDERERS["html"](subject)).text
    assert json.loads(document.render(subject))["sentence"] == subject.sentence()


def test_nothing_in_a_finding_becomes_markup():
    read = Reader(RENDERERS["html"](live_report()))

    assert [tag for tag, _ in read.tags if tag == "script"] == []
    assert NASTY in read.text
    assert "[red]not markup[/red]" in read.text
    assert "alert('[bold]1[/bold]')" in on_terminal(live_report())


def test_the_page_loads_nothing_and_runs_nothing():
    read = Reader(RENDERERS["html"](live_report()))
    policy = [attrs["content"] for _, attrs in read.tags if attrs.get("http-equiv") == "Content-Security-Policy"]

    assert policy == ["default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"]
    assert [attrs for _, attrs in read.tags if "src" in attrs or any(name.startswith("on") for name in attrs)] == []
    assert all((attrs.get("href") or "#").startswith("#") for _, attrs in read.tags)


def test_areas_with_something_open_are_open():
    read = Reader(RENDERERS["html"](live_report()))
    details = {attrs["id"]: "open" in attrs for tag, attrs in read.tags if tag == "details"}

    assert details["area-mail"]
    assert details["area-tls"]
    assert not Reader(RENDERERS["html"](report())).tags.count(("details", {"id": "area-mail", "open": None}))


def test_links_lead_to_findings():
    read = Reader(RENDERERS["html"](live_report()))
    ids = {attrs["id"] for _, attrs in read.tags if "id" in attrs}
    links = {(attrs["href"] or "").lstrip("#") for tag, attrs in read.tags if tag == "a"}

    assert links
    assert links <= ids


def test_the_report_is_written_and_signed(tmp_path):
    written = reports.write(live_report(), tmp_path / "new" / "report")

    text = written.json.read_text(encoding="utf-8")
    assert written.sha256 == document.digest(text)
    assert written.sha256 in written.html.read_text(encoding="utf-8")
    assert ET.parse(written.junit).getroot().tag == "testsuites"


def test_the_page_tells_what_changed_since_the_report_that_it_replaces(tmp_path):
    first = reports.write(report(), tmp_path)
    assert "Since the previous run" not in first.html.read_text(encoding="utf-8")

    changed = report(findings=(finding("mail.spf", Status.FAIL), finding("mail.mx", Status.PASS)))
    text = Reader(reports.write(changed, tmp_path).html.read_text(encoding="utf-8")).text
    assert "mail.spf: pass, now fail" in text
    assert "mail.mx: not there, now pass" in text

    again = Reader(reports.write(changed, tmp_path).html.read_text(encoding="utf-8")).text
    assert "No check ended differently." in again


def test_an_unreadable_earlier_report_is_passed_over(tmp_path):
    (tmp_path / "report.json").write_text("{")

    assert "Since the previous run" not in reports.write(report(), tmp_path).html.read_text(encoding="utf-8")


def test_a_directory_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(UsageError, match=r"cannot write the report: .*file; give a directory"):
        reports.write(report(), tmp_path / "file")
