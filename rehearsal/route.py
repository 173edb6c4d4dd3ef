"""How a rehearsal reaches a declared name: through the DNS twin to the edge twin, with nothing else changed.

The Host header, the SNI name and the certificate's check stay those of the real name, so a record that is missing
or a certificate that does not cover the host fails here as it would on the internet.
"""

import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass

import dns.exception
import dns.resolver
import httpx

from rehearsal.twins.edge import CLIENT_HEADER
from rehearsal.twins.stripe.addresses import ADDRESSES

STRIPE_ADDRESS = ADDRESSES[0]  # one of those that Stripe says it sends webhooks from


@dataclass(frozen=True)
class Route:
    """Where the twins listen: the resolver, and the local port for each public one."""

    resolver_port: int
    ports: Mapping[int, int]  # public port -> local port
    ca_file: str

    def address_of(self, host: str) -> str:
        """The first address that the DNS twin gives for `host`; raises httpx.ConnectError without one."""
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers = ["127.0.0.1"]
        resolver.port = self.resolver_port
        resolver.lifetime = 5.0
        try:
            return str(resolver.resolve(host, "A")[0])
        except dns.exception.DNSException as error:
            message = f"{host} has no address in the declared zone: {error}"
            raise httpx.ConnectError(message) from error

    def client(self, *, timeout: float = 10.0, address: str | None = None) -> httpx.Client:
        """An HTTP client that dials the twins; it follows no redirect, as Stripe does not.

        `address` is where its requests seem to come from, for the edge twin; without it, from this machine.
        """
        context = ssl.create_default_context(cafile=self.ca_file)
        headers = {} if address is None else {CLIENT_HEADER: address}
        transport = _RoutedTransport(self, context)
        return httpx.Client(transport=transport, timeout=timeout, trust_env=False, headers=headers)


class _RoutedTransport(httpx.BaseTransport):
    def __init__(self, route: Route, context: ssl.SSLContext) -> None:
        self._route = route
        self._context = context
        self._by_host: dict[str, httpx.HTTPTransport] = {}
        self._lock = threading.Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        public_port = request.url.port or (443 if request.url.scheme == "https" else 80)
        port = self._route.ports.get(public_port, public_port)
        # httpx took the Host header from the URL already; only the dial changes.
        request.extensions = {**request.extensions, "sni_hostname": host}
        request.url = request.url.copy_with(host=self._route.address_of(host), port=port)
        return self._transport(host).handle_request(request)

    def _transport(self, host: str) -> httpx.HTTPTransport:
        """One for each host: all hosts share an address and port here, and none may use another's handshake."""
        with self._lock:
            if host not in self._by_host:
                self._by_host[host] = httpx.HTTPTransport(verify=self._context, trust_env=False)
            return self._by_host[host]

    def close(self) -> None:
        for transport in self._by_host.values():
            transport.close()
