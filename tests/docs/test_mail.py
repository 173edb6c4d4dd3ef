import re
from pathlib import Path

from checks.rules import dmarc_reports
from infra.mail.vendors import VENDORS

TEXT = (Path(__file__).resolve().parents[2] / "docs/mail.md").read_text(encoding="utf-8")


def test_every_vendor_is_described_with_what_it_sends_and_who_says_so():
    rows = dict(re.findall(r"^\| `(\w+)` \|(.*)\|$", TEXT, re.MULTILINE))
    assert rows.keys() == VENDORS.keys()
    for name, vendor in VENDORS.items():
        kinds, *_, source = (cell.strip() for cell in rows[name].split("|"))
        assert kinds == "anything" or set(kinds.split(", ")) == vendor.kinds, name
        assert any(page in source for page in vendor.source), name
        if vendor.include:
            assert f"include:{vendor.include}" in rows[name], name


def test_the_numbers_are_those_of_the_check():
    words = " ".join(TEXT.split())
    assert (
        f"at least {dmarc_reports.MESSAGES_LEAST} messages on {dmarc_reports.DAYS_LEAST} of the last "
        f"{dmarc_reports.WINDOW_DAYS} days, {dmarc_reports.ALIGNED_LEAST * 100:.0f} % of them aligned"
    ) in words
