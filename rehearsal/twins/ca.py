"""The certificate authority of a rehearsal: stands for the public ones, and is trusted by nothing outside of it."""

import ssl
from pathlib import Path

import trustme


class CertificateAuthority:
    """Issues server certificates; `file` holds its own certificate (PEM) for clients such as curl.

    `directory` must exist; it gets `ca.pem`, never a private key.
    """

    def __init__(self, directory: Path) -> None:
        self._authority = trustme.CA(organization_name="Launch Ready rehearsal")
        self.file = directory / "ca.pem"
        self._authority.cert_pem.write_to_path(str(self.file))

    def trust(self) -> ssl.SSLContext:
        """A client's context that trusts this authority alone and checks the host name."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._authority.configure_trust(context)
        return context

    def serve(self, *names: str) -> ssl.SSLContext:
        """A server's context with a certificate for `names` (host names, `*.name` for one label), HTTP/2 and 1.1."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["h2", "http/1.1"])
        self.certify(context, *names)
        return context

    def certify(self, context: ssl.SSLContext, *names: str) -> None:
        """Give `context` a certificate for `names`, in place of what it had."""
        self._authority.issue_cert(*names).configure_cert(context)


def universal_names(zone: str) -> tuple[str, str]:
    """What Cloudflare's Universal SSL covers: the apex and one label below it.

    https://developers.cloudflare.com/ssl/edge-certificates/universal-ssl/limitations/
    """
    return zone, f"*.{zone}"
