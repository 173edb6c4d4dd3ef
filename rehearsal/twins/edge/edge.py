"""The edge twin with its two ports."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rehearsal.errors import TwinError
from rehearsal.twins.ca import CertificateAuthority
from rehearsal.twins.edge.app import EdgeApp
from rehearsal.twins.edge.origins import Origins
from rehearsal.twins.edge.passage import SecurityEvent
from rehearsal.twins.edge.tls import EdgeTls
from rehearsal.twins.server import LOOPBACK, Server
from rehearsal.twins.zone import ZoneTwin


class Edge:
    """Does for the proxied hosts of every zone of `account` what is declared for them, as it is at the moment.

    `origins` maps a host to its Origin, or is asked at each request. Ports 0 take free ones. `clock` gives the seconds
    that rate limits, the cache and sessions go by. A request with the header x-rehearsal-client, an address, counts as
    sent from there.
    """

    address = LOOPBACK

    def __init__(
        self,
        account: ZoneTwin,
        authority: CertificateAuthority,
        origins: Origins,
        *,
        https_port: int = 0,
        http_port: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._account = account
        self._app = EdgeApp(account, origins, clock=clock)
        tls = EdgeTls(account, authority)
        self._server = Server(self._app, name="edge", tls=tls.context, port=https_port, plain_port=http_port)

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

    def events(self) -> list[SecurityEvent]:
        """What rules of the firewall recorded, the latest ten thousand."""
        return list(self._app.events)

    def sign_in(self, host: str, email: str) -> str:
        """The cookie `CF_Authorization` that `email` has after Access let them in; TwinError where Access is not."""
        zone = self._account.zone_for(host)
        application = zone.access(host, "/") if zone is not None else None
        if application is None:
            raise TwinError(f"no Access application stands in front of {host}")
        return self._app.access.sign_in(application, email)
