"""The report as JUnit XML, for continuous integration that reads nothing else."""

import re
from xml.etree import ElementTree as ET

from checks.model import Finding, Status
from checks.report import Report
from checks.reports.areas import areas

# XML 1.0 section 2.2: what a document may not hold, not even escaped.
FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(report: Report) -> str:
    """One suite an area, one case a check. FAIL and WARN are failures as far as they keep the launch back."""
    root = ET.Element("testsuites", name=f"launch-ready {report.domain}")
    blocking = {finding.id for finding in report.must_fix()}
    for area in areas(report):
        suite = ET.SubElement(root, "testsuite", name=area.name, tests=str(len(area.findings)))
        for finding in area.findings:
            _case(suite, finding, blocks=finding.id in blocking)
        for kind in ("failure", "error", "skipped"):
            suite.set(f"{kind}s" if kind != "skipped" else kind, str(len(suite.findall(f"testcase/{kind}"))))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: ET.Element, finding: Finding, *, blocks: bool) -> None:
    case = ET.SubElement(suite, "testcase", classname=finding.area, name=finding.id, time=f"{finding.seconds:.3f}")
    kind = _kind(finding, blocks=blocks)
    if kind:
        told = ET.SubElement(case, kind, message=_clean(finding.actual))
        told.text = _clean("\n".join((f"expected: {finding.expected}", f"fix: {finding.fix}", *finding.evidence)))


def _kind(finding: Finding, *, blocks: bool) -> str:
    if blocks:
        return "failure"
    if finding.status in {Status.ERROR, Status.NOT_RUN}:
        return "error"
    return "" if finding.status is Status.PASS else "skipped"


def _clean(text: str) -> str:
    return FORBIDDEN.sub("�", text)
