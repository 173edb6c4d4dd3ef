"""Turns a zone that exists into configuration under which a deployment changes as little as possible.

Pure: the snapshot (checks.drift) is read elsewhere, and what is left over after a first plan is handed in again.
"""

from infra.adoption.guess import Guess, first_guess
from infra.adoption.imports import import_document
from infra.adoption.leftovers import with_leftovers
from infra.adoption.stack_file import stack_file

__all__ = ["Guess", "first_guess", "import_document", "stack_file", "with_leftovers"]
