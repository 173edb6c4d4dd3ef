"""A renewal as visitors see it: from the edge, with the certificate that the zone says, to the API's front."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from infra.origin.certificates import Issued, issue
from rehearsal.twins.ca import CertificateAuthority
from rehearsal.twins.gateway_front import GatewayFronts
from rehearsal.twins.server import LOOPBACK, Server
from rehearsal.twins.zone import Kind
from tests.rehearsal.twins.edge_world import API, World, answering

HEALTH = f"https://{API}/health"
REFUSED = {520, 525}  # TLS 1.3 tells a client after its handshake, where that looks like any broken answer


@pytest.fixture(scope="module")
def old() -> Issued:
    return issue("launch-ready-prod", "2025-11", datetime.now(UTC))


@pytest.fixture(scope="module")
def new() -> Issued:
    return issue("launch-ready-prod", "2026-11", datetime.now(UTC))


class Renewal:
    """The API behind the edge, with what the program declares of its certificates."""

    def __init__(self, world: World, fronts: GatewayFronts) -> None:
        self._world, self._fronts = world, fronts
        self._association: str | None = None
        self.trust("")
        origin = fronts.origin(API)
        assert origin
        world.origins[API] = origin

    def upload(self, issued: Issued) -> str:
        return self._world.declared.of_zone(
            Kind.PULL_CERTIFICATE, certificate=issued.certificate, privateKey=issued.private_key
        ).id

    def present(self, certificate: str) -> None:
        configs = [{"hostname": API, "certId": certificate, "enabled": True}]
        if self._association is None:
            self._association = self._world.declared.of_zone(Kind.PULL_HOSTS, configs=configs).id
        else:
            inputs = {"zoneId": self._world.declared.zone.id, "configs": configs}
            self._world.declared.twin.update(self._association, inputs)

    def trust(self, truststore: str) -> None:
        self._fronts.serve(API, truststore or None)

    def status(self) -> int:
        return self._world.get(HEALTH).status_code


@pytest.fixture
def renewal(world: World, authority: CertificateAuthority) -> Iterator[Renewal]:
    world.declared.setting("tls_client_auth", "on")
    with (
        Server(answering(200, [], b"ok")) as upstream,
        GatewayFronts(authority, f"http://{LOOPBACK}:{upstream.port}") as fronts,
    ):
        yield Renewal(world, fronts)


def test_three_steps_renew_the_certificate_and_visitors_see_nothing(
    renewal: Renewal, world: World, old: Issued, new: Issued
) -> None:
    first = renewal.upload(old)
    renewal.present(first)
    renewal.trust(old.authority)
    assert renewal.status() == 200

    second = renewal.upload(new)
    renewal.trust(old.authority + new.authority)
    assert renewal.status() == 200

    renewal.present(second)
    assert renewal.status() == 200

    renewal.trust(new.authority)
    world.declared.twin.delete(first)
    assert renewal.status() == 200


def test_a_certificate_presented_before_it_is_trusted_shuts_everybody_out(
    renewal: Renewal, old: Issued, new: Issued
) -> None:
    renewal.present(renewal.upload(old))
    renewal.trust(old.authority)
    assert renewal.status() == 200
    renewal.present(renewal.upload(new))
    assert renewal.status() in REFUSED


def test_an_authority_dropped_while_its_certificate_is_presented_shuts_everybody_out(
    renewal: Renewal, old: Issued, new: Issued
) -> None:
    renewal.present(renewal.upload(old))
    renewal.trust(new.authority)
    assert renewal.status() in REFUSED


def test_an_edge_that_presents_nothing_is_refused(renewal: Renewal, old: Issued) -> None:
    assert renewal.status() == 200  # before mutual TLS is asked for
    renewal.trust(old.authority)
    assert renewal.status() in REFUSED
