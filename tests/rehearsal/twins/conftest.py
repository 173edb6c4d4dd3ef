from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from rehearsal.twins.ca import CertificateAuthority
from rehearsal.twins.edge import Origin
from rehearsal.twins.zone.plans import Plan
from tests.rehearsal.twins.edge_world import World, own_origins, running


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    directory: Path = tmp_path_factory.mktemp("authority")
    return CertificateAuthority(directory)


@pytest.fixture
def plan() -> Plan:
    return "free"


@pytest.fixture
def world(authority: CertificateAuthority, plan: Plan) -> Generator[World]:
    with running(authority, plan) as world:
        yield world


@pytest.fixture
def serve(authority: CertificateAuthority) -> Generator[Callable[[Any], Origin]]:
    with own_origins(authority) as start:
        yield start
