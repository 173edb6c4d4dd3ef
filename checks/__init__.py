"""Verifies a launch against the handover checklist: reads the contract, a vantage and the world."""

from checks.errors import UsageError
from checks.model import Journey
from checks.report import Report
from checks.reports import write
from checks.reports.document import document
from checks.vantage import Vantage
from checks.verification import run

__all__ = ["Journey", "Report", "UsageError", "Vantage", "document", "run", "write"]
