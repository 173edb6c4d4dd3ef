"""Verifies a launch against the handover checklist: reads the contract, a vantage and the world."""

from checks.verification import run

__all__ = ["run"]
