"""The DNS twin's sockets: UDP and TCP on one loopback port."""

import asyncio
import socket
import threading
from types import TracebackType
from typing import Self, cast

import dns.name

from rehearsal.errors import TwinError
from rehearsal.twins.dns.answers import answer
from rehearsal.twins.dns.served import ServedZone
from rehearsal.twins.dns.zonefile import build
from rehearsal.twins.server import LOOPBACK, accept_no_more, listen
from rehearsal.twins.zone import Entry, Kind, ZoneTwin

_PAIR_TRIES = 20
_IDLE_SECONDS = 10.0
_STOP_SECONDS = 5.0
_Basis = tuple[tuple[Entry, ...], tuple[Entry, ...]]  # the records and the DNSSEC that a served zone was made of


class DnsTwin:
    """Answers for the zones that `zone` holds at the moment of the query; proxied names lead to `edge_address`.

    `port` 0 takes a free one. Names outside of every zone are REFUSED: the twin is authoritative and asks nobody. The
    one thing that it says for the parents is the DS record of each signed zone.
    """

    def __init__(self, zone: ZoneTwin, *, port: int = 0, edge_address: str = LOOPBACK) -> None:
        self.port = port
        self._zone = zone
        self._edge_address = edge_address
        self._served: dict[str, tuple[_Basis, ServedZone]] = {}  # by the zone's id
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    def start(self) -> int:
        """Listen, and return the port. TwinError when it is in use."""
        stream, datagram = _pair(self.port)
        self.port = stream.getsockname()[1]
        self._thread = threading.Thread(target=self._run, args=(stream, datagram), name="dns", daemon=True)
        self._thread.start()
        self._ready.wait()
        return self.port

    def stop(self) -> None:
        """Close the port and wait for the thread; nothing when it does not run."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        if self._loop is not None and self._stopping is not None and thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
        thread.join(_STOP_SECONDS)

    def _run(self, stream: socket.socket, datagram: socket.socket) -> None:
        try:
            asyncio.run(self._serve(stream, datagram))
        finally:
            stream.close()
            datagram.close()
            self._ready.set()

    async def _serve(self, stream: socket.socket, datagram: socket.socket) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.ensure_future(self._talk(reader, writer))
            connections[task] = writer
            task.add_done_callback(connections.pop)

        transport, _ = await self._loop.create_datagram_endpoint(lambda: _Datagrams(self), sock=datagram)
        server = await asyncio.start_server(connected, sock=stream)
        self._ready.set()
        await self._stopping.wait()
        transport.close()
        await accept_no_more(stream)
        server.close()
        open_still = dict(connections)
        for task, writer in open_still.items():
            task.cancel()
            writer.transport.abort()
        await asyncio.gather(*open_still, return_exceptions=True)
        await asyncio.sleep(0)  # aborted transports close their sockets in the loop's next round

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Queries of one connection, each after its length (RFC 7766 section 8)."""
        try:
            while True:
                async with asyncio.timeout(_IDLE_SECONDS):
                    length = int.from_bytes(await reader.readexactly(2), "big")
                    wire = await reader.readexactly(length)
                response = self.answer(wire, udp=False)
                if response is None:
                    return
                writer.write(len(response).to_bytes(2, "big") + response)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
            return  # the client is done, or has said nothing for too long
        finally:
            writer.close()

    def answer(self, wire: bytes, *, udp: bool) -> bytes | None:
        """The response to one query."""
        return answer(self.zone_of, wire, udp=udp)

    def zone_of(self, name: dns.name.Name) -> ServedZone | None:
        """What is served now for the zone that `name` is in, or None."""
        zone = self._zone.zone_for(name.to_text(omit_final_dot=True))
        if zone is None:
            return None
        basis = (zone.held.get(Kind.RECORD, ()), zone.held.get(Kind.DNSSEC, ()))
        known = self._served.get(zone.id)
        if known is None or known[0] != basis:  # signing thousands of records anew for every setting would be slow
            known = self._served[zone.id] = basis, build(zone, self._zone.revision, self._edge_address)
        return known[1]


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, twin: DnsTwin) -> None:
        self._twin = twin

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        response = self._twin.answer(data, udp=True)
        if response is not None:
            self._transport.sendto(response, addr)


def _pair(port: int) -> tuple[socket.socket, socket.socket]:
    """A TCP and a UDP socket of the same port; a free one is tried again when only one of the two is free."""
    for attempt in range(_PAIR_TRIES):
        stream = listen("dns", port)
        try:
            return stream, listen("dns", stream.getsockname()[1], socket.SOCK_DGRAM)
        except TwinError:
            stream.close()
            if port or attempt == _PAIR_TRIES - 1:
                raise
    raise AssertionError("unreachable: the last attempt returns or raises")
