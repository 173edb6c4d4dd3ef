"""TLS at the edge: each zone's certificate and the versions that its settings allow, as they are at the moment.

https://developers.cloudflare.com/ssl/edge-certificates/
"""

import ssl
import threading
import warnings
from collections.abc import Callable
from typing import Any

from rehearsal.twins.ca import CertificateAuthority, universal_names
from rehearsal.twins.edge.client_hello import IncompleteError, server_name
from rehearsal.twins.server import AlertingObject
from rehearsal.twins.zone import Zone, ZoneTwin

_VERSIONS = {
    "1.0": ssl.TLSVersion.MINIMUM_SUPPORTED,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}


class EdgeTls:
    """A server context that follows the account: a change shows in the next handshake."""

    def __init__(self, account: ZoneTwin, authority: CertificateAuthority) -> None:
        self._account = account
        self._authority = authority
        self._lock = threading.Lock()
        self._contexts: dict[str, ssl.SSLContext] = {}  # by zone, each with the zone's certificate
        self.context = _ChoosingContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.sslobject_class = _ChoosingObject
        self.context.choose = self._chosen
        self.context.sni_callback = _refuse

    def _chosen(self, name: str | None) -> ssl.SSLContext | None:
        """The context for the name that a client asks for; None where no certificate of the account covers it."""
        zone = self._account.zone_for(name.lower()) if name is not None else None
        if zone is None or name is None or not _covers(zone.name, name.lower()):
            return None
        with self._lock:
            context = self._contexts.get(zone.name)
            if context is None:
                context = self._contexts[zone.name] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                # Old versions must be refused because the zone says so, not because this OpenSSL lacks their ciphers.
                context.set_ciphers("DEFAULT:@SECLEVEL=0")
                self._authority.certify(context, *universal_names(zone.name))
            _follow(context, zone)
            return context


def _covers(zone: str, name: str) -> bool:
    return name == zone or name.partition(".")[2] == zone


def _follow(context: ssl.SSLContext, zone: Zone) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the old versions are what is to be shown
        context.minimum_version = _VERSIONS[zone.setting("min_tls_version")]
    modern = zone.setting("tls_1_3") != "off"
    context.maximum_version = ssl.TLSVersion.MAXIMUM_SUPPORTED if modern else ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2", "http/1.1"] if zone.setting("http2") == "on" else ["http/1.1"])


def _refuse(
    connection: ssl.SSLObject | ssl.SSLSocket,  # noqa: ARG001 - the callback's form
    name: str | None,  # noqa: ARG001
    context: ssl.SSLContext,  # noqa: ARG001
) -> int:
    """Refuse the handshake for a name that no certificate of the account covers, as Cloudflare does."""
    return ssl.ALERT_DESCRIPTION_HANDSHAKE_FAILURE


class _ChoosingContext(ssl.SSLContext):
    """Knows who chooses the context that a connection goes on with."""

    sslobject_class: type[ssl.SSLObject]
    choose: Callable[[str | None], ssl.SSLContext | None]

    def wrap_bio(self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, *args: Any, **options: Any) -> ssl.SSLObject:
        """See SSLContext."""
        made = super().wrap_bio(incoming, outgoing, *args, **options)
        assert isinstance(made, _ChoosingObject)
        made.await_name(incoming, outgoing, self.choose)
        return made


class _ChoosingObject(AlertingObject):
    """Looks at the client's first message, and speaks TLS with the context that is chosen for the name in it."""

    _step: Callable[[], None] | None = None

    def await_name(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        choose: Callable[[str | None], ssl.SSLContext | None],
    ) -> None:
        """Choose by the name in what comes in, before the first step of the handshake."""

        def step() -> None:
            received = incoming.read()
            incoming.write(received)
            try:
                chosen = choose(server_name(received))
            except IncompleteError:
                raise ssl.SSLWantReadError("the first message is not complete") from None
            self._step = None
            if chosen is not None:
                # What an SSLObject does, it does with the OpenSSL connection in this attribute.
                vars(self)["_sslobj"] = vars(chosen.wrap_bio(incoming, outgoing, server_side=True))["_sslobj"]

        self._step = step

    def do_handshake(self) -> None:
        """One step of the handshake."""
        if self._step is not None:
            self._step()
        super().do_handshake()
