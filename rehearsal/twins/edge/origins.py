"""What the edge does to reach an origin, by the zone's SSL mode.

https://developers.cloudflare.com/ssl/origin-configuration/ssl-modes/
"""

import ipaddress
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx

from rehearsal.twins.edge.client_certificates import presenting
from rehearsal.twins.edge.exchange import Answer, Exchange, Headers, failure
from rehearsal.twins.edge.origin_requests import failed, origin_request, sent
from rehearsal.twins.zone import ClientCertificate, Zone

_IDLE_SECONDS = 2.0  # below what any origin keeps an idle connection for
_VERIFIED, _ALWAYS_TLS = ("strict", "origin_pull"), "origin_pull"
_SCHEME_KEPT = ("strict", "full")
_DISCARDING = ipaddress.ip_network("100::/64")  # RFC 6666; what an originless name is given


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a host's requests go: base URLs such as "https://127.0.0.1:8443", None where nothing listens.

    `trust` is what mode strict checks the certificate with: for the host's name, by the authorities in it.
    """

    https: str | None = None
    http: str | None = None
    trust: ssl.SSLContext | None = None


Origins = Mapping[str, Origin] | Callable[[str], Origin | None]


@dataclass(frozen=True)
class Pull:
    """A request to the origin of one host, in SSL mode `mode`."""

    zone: Zone
    exchange: Exchange
    mode: str

    @property
    def host(self) -> str:
        """The host that the visitor asked for."""
        return self.exchange.request.host

    @property
    def certificate(self) -> ClientCertificate | None:
        """What the edge shows of itself, where the zone says so (Authenticated Origin Pulls)."""
        return self.zone.origin_certificate(self.host)

    @property
    def leads_nowhere(self) -> bool:
        """Whether the host's records are the placeholder of a name that the edge itself answers for."""
        addresses = [record.content for record in self.zone.records_of(self.host) if record.type in ("A", "AAAA")]
        return bool(addresses) and all(ipaddress.ip_address(address) in _DISCARDING for address in addresses)


class OriginFetch:
    """Sends requests on to their origins over kept-alive connections."""

    def __init__(self, origins: Origins) -> None:
        self._origin_of: Callable[[str], Origin | None] = origins.get if isinstance(origins, Mapping) else origins
        self._transports: dict[_Peer, httpx.AsyncHTTPTransport] = {}

    async def fetch(self, pull: Pull, method: str, omitted: tuple[str, ...] = (), added: Headers = ()) -> Answer:
        """The origin's answer, or Cloudflare's error page; `omitted` headers are not sent on, `added` are."""
        if pull.leads_nowhere:
            return failure(522, "522")  # connection timed out
        origin = self._origin_of(pull.host)
        if origin is None:
            return failure(530, "1016")  # origin DNS error
        base = _base(origin, pull.mode, pull.exchange.request.scheme)
        if base is None:
            return failure(521, "521")  # nothing listens there
        trust = origin.trust if pull.mode in _VERIFIED else None
        if pull.mode in _VERIFIED and trust is None and base.startswith("https:"):
            return failure(526, "526")
        request = origin_request(pull.exchange, base, method, omitted, added)
        try:
            return await sent(self._transport(_Peer(trust, pull.host, pull.certificate)), request)
        except (httpx.TransportError, ssl.SSLError) as error:
            # TLS 1.3 tells of a refused client certificate when the answer is read, where httpx passes it on as it is
            return failed(error)

    async def close(self) -> None:
        """Close every kept connection."""
        transports, self._transports = self._transports, {}
        for transport in transports.values():
            await transport.aclose()

    def _transport(self, peer: "_Peer") -> httpx.AsyncHTTPTransport:
        known = self._transports.get(peer)
        if known is None:
            limits = httpx.Limits(max_connections=None, keepalive_expiry=_IDLE_SECONDS)
            known = httpx.AsyncHTTPTransport(verify=peer.context(), limits=limits, trust_env=False)
            self._transports[peer] = known
        return known


@dataclass(frozen=True)
class _Peer:
    """What a kept connection was opened with: one checked for one name, or with one certificate, is none for another.

    Without `trust` any certificate of the origin is taken.
    """

    trust: ssl.SSLContext | None
    host: str
    certificate: ClientCertificate | None

    def context(self) -> ssl.SSLContext:
        """A new TLS context for such connections."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if self.trust is None:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        else:
            for authority in self.trust.get_ca_certs(binary_form=True):
                context.load_verify_locations(cadata=authority)
        return context if self.certificate is None else presenting(context, self.certificate)


def _base(origin: Origin, mode: str, scheme: str) -> str | None:
    """Modes full and strict use the visitor's scheme, off and flexible plain HTTP, origin_pull always TLS."""
    secure = mode == _ALWAYS_TLS or (mode in _SCHEME_KEPT and scheme == "https")
    return origin.https if secure else origin.http
