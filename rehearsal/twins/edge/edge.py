"""The edge twin with its two ports."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rehearsal.twins.ca import CertificateAuthority
from rehearsal.twins.edge.app import EdgeApp
from rehearsal.twins.edge.origins import Origins
from rehearsal.twins.edge.tls import EdgeTls
from rehearsal.twins.server import LOOPBACK, Server
from rehearsal.twins.zone import ZoneTwin


class Edge:
    """Does for the proxied hosts of `zone` what its settings and rulesets say, as they are at the moment.

    `origins` maps a host to its Origin, or is asked at each request. Ports 0 take free ones. `clock` gives the seconds
    that rate limits and the cache go by.
    """

    address = LOOPBACK

    def __init__(
        self,
        zone: ZoneTwin,
        authority: CertificateAuthority,
        origins: Origins,
        *,
        https_port: int = 0,
        http_port: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        app = EdgeApp(zone, origins, clock=clock)
        tls = EdgeTls(zone, authority)
        self._server = Server(app, name="edge", tls=tls.context, port=https_port, plain_port=http_port)

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    @property
    def ports(self) -> dict[int, int]:
        """The local port for each public one: 443 and 80."""
        assert self._server.plain_port is not None
        return {443: self._server.port, 80: self._server.plain_port}

    def start(self) -> dict[int, int]:
        """Listen, and return `ports`. TwinError when one is in use."""
        self._server.start()
        return self.ports

    def stop(self) -> None:
        """Close the ports and every connection."""
        self._server.stop()
