"""Real servers on loopback that the probes are pointed at: DNS, HTTP and TLS."""

import socket
import socketserver
import ssl
import struct
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset


class NameServer:
    """Answers from `records` over UDP and TCP, with those of "RRSIG <type>" to who wants DNSSEC.

    "NS below" are the name servers of a zone below, to which it refers.

    `drop_first` datagrams get no answer.
    """

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], list[str]] = {}
        self.ttl = 300
        self.drop_first = 0
        self.recurses = False
        self.authoritative = True
        self._udp, self._tcp = self._bind()
        self.port = self._udp.server_address[1]
        for server in (self._udp, self._tcp):
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def _bind(self) -> tuple[socketserver.ThreadingUDPServer, socketserver.ThreadingTCPServer]:
        """Both protocols on one port: a port that is free for one may be taken for the other."""
        while True:
            udp = socketserver.ThreadingUDPServer(("127.0.0.1", 0), self._udp_handler())
            try:
                tcp = socketserver.ThreadingTCPServer(udp.server_address, self._tcp_handler())
            except OSError:
                udp.server_close()
                continue
            udp.daemon_threads = tcp.daemon_threads = True
            return udp, tcp

    def set(self, name: str, kind: str, *values: str) -> None:
        """Publish records; none removes them."""
        self.records[name, kind] = list(values)

    def stop(self) -> None:
        for server in (self._udp, self._tcp):
            server.shutdown()
            server.server_close()

    def answer(self, query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA if self.authoritative else 0
        response.flags |= dns.flags.RA if self.recurses else 0
        question = query.question[0]
        kind = dns.rdatatype.to_text(question.rdtype)
        name = question.name.to_text(omit_final_dot=True)
        if kind == "AXFR":
            response.set_rcode(dns.rcode.REFUSED)
            return response
        while kind != "CNAME" and (target := self.records.get((name, "CNAME"))):
            response.answer.append(self._rrset(name, "CNAME", target))
            name = target[0].rstrip(".")
        values = self.records.get((name, kind), [])
        if values:
            response.answer.append(self._rrset(name, kind, values))
            signatures = self.records.get((name, f"RRSIG {kind}"), []) if query.ednsflags & dns.flags.DO else []
            response.answer += [self._rrset(name, "RRSIG", signatures)] if signatures else []
        elif referral := self.records.get((name, "NS below")):
            response.authority.append(self._rrset(name, "NS", referral))
            response.flags &= ~dns.flags.AA
        elif not any(known == name and found for (known, _), found in self.records.items()):
            response.set_rcode(dns.rcode.NXDOMAIN)
        return response

    def _rrset(self, name: str, kind: str, values: list[str]) -> dns.rrset.RRset:
        return dns.rrset.from_text(dns.name.from_text(name), self.ttl, "IN", kind, *values)

    def _udp_handler(self) -> type[socketserver.BaseRequestHandler]:
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                data, sender = self.request
                if outer.drop_first > 0:
                    outer.drop_first -= 1
                    return
                sender.sendto(outer.answer(dns.message.from_wire(data)).to_wire(), self.client_address)

        return Handler

    def _tcp_handler(self) -> type[socketserver.BaseRequestHandler]:
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                size = struct.unpack("!H", self.request.recv(2))[0]
                wire = outer.answer(dns.message.from_wire(self.request.recv(size))).to_wire()
                self.request.sendall(struct.pack("!H", len(wire)) + wire)

        return Handler


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that breaks off its handshake is what some tests are about."""


Reply = tuple[int, dict[str, str] | list[tuple[str, str]], str]


class WebServer:
    """Answers with what `respond(method, host, path, headers, body)` returns: (status, headers, text)."""

    def __init__(self, respond: Callable[..., Reply], tls: ssl.SSLContext | None = None) -> None:
        self.seen: list[tuple[str, str, str]] = []
        self._server = _QuietServer(("127.0.0.1", 0), self._handler(respond))
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> "WebServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _handler(self, respond: Callable[..., Reply]) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def serve(self) -> None:
                host = (self.headers["host"] or "").split(":")[0]
                outer.seen.append((self.command, host, self.path))
                body = self.rfile.read(int(self.headers["content-length"] or 0))
                status, headers, text = respond(self.command, host, self.path, self.headers, body)
                self.send_response_only(status)
                for name, value in headers.items() if isinstance(headers, dict) else headers:
                    self.send_header(name, value)
                self.send_header("content-length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            do_GET = do_POST = do_OPTIONS = do_TRACE = serve  # noqa: N815 - the names that BaseHTTPRequestHandler calls

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the overridden name
                """Tests print nothing."""

        return Handler


def unused_port() -> int:
    """A loopback port where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
