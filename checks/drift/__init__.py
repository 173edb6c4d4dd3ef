"""Compares a live zone with what is declared for it: `read` takes the snapshot, `compare` judges it."""

from checks.drift.compare import compare
from checks.drift.model import Change, Difference, Drift, Field
from checks.drift.reading import load, read
from checks.drift.text import lines

__all__ = ["Change", "Difference", "Drift", "Field", "compare", "lines", "load", "read"]
