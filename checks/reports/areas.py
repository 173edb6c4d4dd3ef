"""Groups findings by the part of the launch that they are about."""

from dataclasses import dataclass

from checks.model import Finding, Status
from checks.report import UNVERIFIED, Report

TITLES = {
    "dns": "DNS",
    "redir": "Redirects",
    "tls": "TLS",
    "http": "HTTP",
    "cache": "Caching",
    "edge": "Edge",
    "mail": "Mail",
    "sec": "Secrets",
    "stripe": "Stripe",
    "aws": "AWS",
    "api": "API",
    "wh": "Webhook",
    "ops": "Operations",
    "app": "Application",
}


@dataclass(frozen=True, kw_only=True)
class Area:
    """One part of the launch with its findings."""

    name: str
    findings: tuple[Finding, ...]
    must_fix: int

    @property
    def title(self) -> str:
        """The part's name for people."""
        return TITLES.get(self.name, self.name)

    def count(self, *statuses: Status) -> int:
        """How many findings ended in one of these."""
        return sum(finding.status in statuses for finding in self.findings)

    @property
    def passed(self) -> int:
        """How many pass."""
        return self.count(Status.PASS)

    @property
    def unverified(self) -> int:
        """How many could not be verified."""
        return self.count(*UNVERIFIED)

    @property
    def only_live(self) -> int:
        """How many can only be verified live."""
        return self.count(Status.ONLY_LIVE)

    @property
    def not_applicable(self) -> int:
        """How many are about what is not declared."""
        return self.count(Status.NOT_APPLICABLE)

    @property
    def other(self) -> int:
        """Failures that do not keep the launch back, warnings and waived ones."""
        return len(self.findings) - self.passed - self.must_fix - self.unverified - self.only_live - self.not_applicable

    @property
    def open(self) -> bool:
        """Whether somebody should read on."""
        return self.count(Status.PASS, Status.ONLY_LIVE, Status.NOT_APPLICABLE) < len(self.findings)


def areas(report: Report) -> tuple[Area, ...]:
    """The areas in the order of the findings."""
    blocking = report.must_fix()
    names = dict.fromkeys(finding.area for finding in report.findings)
    return tuple(
        Area(
            name=name,
            findings=tuple(finding for finding in report.findings if finding.area == name),
            must_fix=sum(finding.area == name for finding in blocking),
        )
        for name in names
    )
