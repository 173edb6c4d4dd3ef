"""Verifies a launch against the handover checklist: reads the contract, a vantage and the world."""

from checks.contract import load as load_contract
from checks.errors import ProbeError, UsageError
from checks.model import Journey, Severity
from checks.report import Report
from checks.reports import write
from checks.reports.console import show
from checks.reports.document import document
from checks.vantage import CloudflareAccess, Vantage
from checks.verification import load_waivers, run

__all__ = [
    "CloudflareAccess",
    "Journey",
    "ProbeError",
    "Report",
    "Severity",
    "UsageError",
    "Vantage",
    "document",
    "load_contract",
    "load_waivers",
    "run",
    "show",
    "write",
]
