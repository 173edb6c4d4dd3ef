"""Secrets Manager and SQS as far as one event needs them: canned answers over TLS, from a process of its own."""

import json
import socketserver
import ssl
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import botocore
import trustme

from bench.processes import ROOT


@contextmanager
def canned_aws(folder: Path, secret: str) -> Generator[dict[str, str]]:
    """A running one, as the environment that leads a function to it; `folder` takes its certificate.

    The file to trust holds the public authorities as well, as the runtime's does: reading it is part of a start.
    """
    authority = trustme.CA()
    certificate, bundle = folder / "certificate.pem", folder / "trusted.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(certificate))
    public = Path(botocore.__file__).with_name("cacert.pem").read_bytes()
    bundle.write_bytes(public + authority.cert_pem.bytes())
    server = subprocess.Popen(  # noqa: S603 (this module)
        [sys.executable, "-m", "bench.canned_aws", str(certificate), secret],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        yield {"AWS_ENDPOINT_URL": f"https://127.0.0.1:{port}", "AWS_CA_BUNDLE": str(bundle)}
    finally:
        server.terminate()
        server.wait(10)
        if server.stdout is not None:
            server.stdout.close()


class _Conversation(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True
    answers: dict[bool, bytes]  # whether the secret was asked for

    def handle(self) -> None:
        while head := self._head():
            length = next(int(line[15:]) for line in head if line.startswith(b"content-length:"))
            self.rfile.read(length)
            self.wfile.write(self.answers[any(b"getsecretvalue" in line for line in head)])

    def _head(self) -> list[bytes]:
        lines: list[bytes] = []
        while (line := self.rfile.readline()).strip():
            lines.append(line.lower())
        return lines


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


def _answer(data: object) -> bytes:
    body = json.dumps(data).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _serve(certificate: str, secret: str) -> None:
    _Conversation.answers = {
        True: _answer({"SecretString": json.dumps({"current": secret, "previous": None})}),
        False: _answer({"MessageId": "1", "MD5OfMessageBody": "0" * 32, "SequenceNumber": "1"}),
    }
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with _Server(("127.0.0.1", 0), _Conversation) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True, suppress_ragged_eofs=True)
        print(server.server_address[1], flush=True)
        server.serve_forever()


if __name__ == "__main__":
    _serve(*sys.argv[1:])
