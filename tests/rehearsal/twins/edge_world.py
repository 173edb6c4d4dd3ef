"""A declared zone with edge, DNS and the app's origin before it, for the tests of the edge."""

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from rehearsal.route import Route
from rehearsal.twins.ca import CertificateAuthority
from rehearsal.twins.dns import DnsTwin
from rehearsal.twins.edge import Edge, Origin
from rehearsal.twins.origin import OriginTwin
from rehearsal.twins.server import LOOPBACK, Server
from rehearsal.twins.zone.plans import Plan
from tests.rehearsal.twins.declared import ZONE, Declaration

APP, API, WWW = f"app.{ZONE}", f"api.{ZONE}", f"www.{ZONE}"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class World:
    """A declared zone with edge, DNS and the app's origin before it."""

    declared: Declaration
    edge: Edge
    dns: DnsTwin
    origin: OriginTwin
    clock: Clock
    origins: dict[str, Origin]
    ca_file: str
    client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = Route(self.dns.port, self.edge.ports, self.ca_file).client()

    def ask(self, method: str, url: str, **headers: str) -> httpx.Response:
        """With headers, `_` for `-` in their names."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.request(method, url, headers=named)

    def get(self, url: str, **others: Any) -> httpx.Response:
        return self.client.get(url, **others)

    def get_anew(self, url: str) -> httpx.Response:
        """On a connection of its own, whose handshake is for this name."""
        with Route(self.dns.port, self.edge.ports, self.ca_file).client() as client:
            return client.get(url)

    def seen(self) -> list[str]:
        return [visit.target for visit in self.origin.visits()]


@contextmanager
def running(authority: CertificateAuthority, plan: Plan = "free") -> Generator[World]:
    declared, clock = Declaration(plan), Clock()
    declared.setting("ssl", "strict")
    for host in (ZONE, APP, API):
        declared.proxied(host)
    declared.proxied(WWW, "CNAME", ZONE)
    origins: dict[str, Origin] = {}
    with OriginTwin(authority, [ZONE, APP]) as origin, Edge(declared.twin, authority, origins, clock=clock) as edge:
        origins.update(dict.fromkeys((ZONE, APP), origin.origin))
        with DnsTwin(declared.twin) as dns:
            world = World(declared, edge, dns, origin, clock, origins, str(authority.file))
            yield world
            world.client.close()


@contextmanager
def own_origins(authority: CertificateAuthority) -> Generator[Callable[[Any], Origin]]:
    """Starts applications as origins of the API's host, by TLS and plain HTTP; gives the Origin."""
    servers: list[Server] = []

    def start(app: Any) -> Origin:
        server = Server(app, tls=authority.serve(API), plain_port=0)
        servers.append(server)
        https, http = f"https://{LOOPBACK}:{server.start()}", f"http://{LOOPBACK}:{server.plain_port}"
        return Origin(https=https, http=http, trust=authority.trust())

    yield start
    for server in servers:
        server.stop()


def answering(
    status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes = b"", seen: list[Any] | None = None
) -> Any:
    async def app(scope, receive, send):
        if scope["type"] != "http":
            return
        request = await receive()
        if seen is not None:
            seen.append((scope, request.get("body", b"")))
        await send({"type": "http.response.start", "status": status, "headers": list(headers)})
        await send({"type": "http.response.body", "body": body})

    return app
