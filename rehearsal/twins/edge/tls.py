"""TLS at the edge: the zone's certificate and the versions that its settings allow, as they are at the moment.

https://developers.cloudflare.com/ssl/edge-certificates/
"""

import ssl
import warnings

from rehearsal.twins.ca import CertificateAuthority, universal_names
from rehearsal.twins.zone import ZoneTwin

_VERSIONS = {
    "1.0": ssl.TLSVersion.MINIMUM_SUPPORTED,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}


class EdgeTls:
    """A server context that follows the zone: a change shows in the next handshake."""

    def __init__(self, zone: ZoneTwin, authority: CertificateAuthority) -> None:
        self._zone = zone
        self._authority = authority
        self._covered: tuple[str, ...] = ()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # Old versions must be refused because the zone says so, not because this OpenSSL has none of their ciphers.
        self.context.set_ciphers("DEFAULT:@SECLEVEL=0")
        self.context.sni_callback = self._choose
        zone.watch(self._follow)

    def _follow(self) -> None:
        name = self._zone.name
        names = () if name is None else universal_names(name)
        if names and names != self._covered:
            self._authority.certify(self.context, *names)
        self._covered = names
        modern = self._zone.setting("tls_1_3") != "off"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # the old versions are what is to be shown
            self.context.minimum_version = _VERSIONS[self._zone.setting("min_tls_version")]
        self.context.maximum_version = ssl.TLSVersion.MAXIMUM_SUPPORTED if modern else ssl.TLSVersion.TLSv1_2
        protocols = ["h2", "http/1.1"] if self._zone.setting("http2") == "on" else ["http/1.1"]
        self.context.set_alpn_protocols(protocols)

    def _choose(
        self,
        connection: ssl.SSLObject | ssl.SSLSocket,  # noqa: ARG002 - the callback's form
        name: str | None,
        context: ssl.SSLContext,  # noqa: ARG002
    ) -> int | None:
        """Refuse the handshake for a name that the zone's certificate does not cover, as Cloudflare does."""
        return None if name is not None and self._covers(name) else ssl.ALERT_DESCRIPTION_HANDSHAKE_FAILURE

    def _covers(self, name: str) -> bool:
        if not self._covered:
            return False
        plain, apex = name.lower(), self._covered[0]
        return plain == apex or plain.partition(".")[2] == apex
