"""A contract, a loopback DNS and what the checks' tests share."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trustme

from checks import contract
from checks.scope import Deadline, Scope
from checks.vantage import Vantage
from tests.checks.loopback import NameServer


@pytest.fixture
def document() -> dict[str, Any]:
    """A valid contract document, fresh for each test."""
    return json.loads((Path(__file__).parent / "contract.json").read_text(encoding="utf-8"))


@pytest.fixture
def declared(document: dict[str, Any]) -> contract.Contract:
    """The same contract, parsed."""
    return contract.parse(document)


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """A certificate authority of our own."""
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    """Its certificate as a PEM file."""
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


@pytest.fixture
def names() -> Iterator[NameServer]:
    """A DNS server whose records a test sets."""
    server = NameServer()
    yield server
    server.stop()


@pytest.fixture
def look(declared: contract.Contract, names: NameServer) -> Callable[..., Scope]:
    """Makes a scope that asks the loopback DNS; keyword arguments change its vantage."""

    def make(seconds: float = 10.0, subject: contract.Contract | None = None, **changes: Any) -> Scope:
        vantage = Vantage(resolver=("127.0.0.1", names.port), ports={53: names.port}, rehearsal=True)
        return Scope(subject or declared, replace(vantage, **changes), Deadline.after(seconds))

    return make
