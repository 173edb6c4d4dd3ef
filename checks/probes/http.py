"""Asks web servers and returns frozen facts.

Only the TCP dial is redirected by the vantage: URL, Host, SNI and certificate checks keep the real name, so a
rehearsal and production run the same code.
"""

import socket
import time
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util import connection as dialling

from checks.errors import ProbeError
from checks.probes import dns
from checks.scope import Scope

BODY_LIMIT = 256 * 1024  # bytes of an answer that are read
USER_AGENT = "launch-ready-checks/1"
REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One request and its answer. `status` is 0 where the connection was refused, `failure` says how."""

    method: str
    url: str
    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    seconds: float = 0.0
    failure: str = ""

    def header(self, name: str) -> str:
        """A header's value, several joined by a comma as RFC 9110 section 5.3 allows; "" when absent."""
        return ", ".join(self.headers_named(name))

    def headers_named(self, name: str) -> tuple[str, ...]:
        """Every value of a header that was sent, in order."""
        return tuple(value for key, value in self.headers if key.lower() == name.lower())

    @property
    def location(self) -> str:
        """The absolute address that a redirect leads to; "" when this is none."""
        return urljoin(self.url, self.header("location")) if self.status in REDIRECTS else ""

    def line(self) -> str:
        """The exchange as one line of evidence."""
        said = f"{self.status}" if self.status else self.failure
        return f"{self.method} {self.url} -> {said}" + (f" to {self.location}" if self.location else "")


class Browser:
    """Sends single requests as the vantage sees the world; never follows a redirect by itself."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["user-agent"] = USER_AGENT
        self._session.verify = scope.vantage.ca_file or True
        adapter = _VantageAdapter(scope)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def __enter__(self) -> "Browser":
        """Nothing is opened before the first request."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self._session.close()

    def ask(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
        may_refuse: bool = False,
    ) -> Exchange:
        """One exchange. Raises ProbeError when there is no answer, unless that is one (`may_refuse`)."""
        started = time.monotonic()
        try:
            with self._session.request(
                method,
                url,
                headers=headers,
                data=body,
                timeout=self._scope.deadline.left(),
                allow_redirects=False,
                stream=True,
            ) as answer:
                text = answer.raw.read(BODY_LIMIT, decode_content=True).decode("utf-8", "replace")
                return Exchange(
                    method=method,
                    url=url,
                    status=answer.status_code,
                    headers=tuple(answer.raw.headers.items()),
                    body=text,
                    seconds=time.monotonic() - started,
                )
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            if may_refuse and _refused(error):
                return Exchange(method=method, url=url, status=0, failure="connection refused")
            raise ProbeError(f"{method} {url}: {_cause(error)}") from error

    def follow(self, url: str, *, within: str = "", limit: int = 5) -> tuple[Exchange, ...]:
        """The exchanges from `url` along its redirects, at most `limit` of them, while they stay `within` a domain."""
        hops = [self.ask(url)]
        while len(hops) < limit and _leads_on(hops[-1].location, within):
            hops.append(self.ask(hops[-1].location))
        return tuple(hops)


class _VantageAdapter(HTTPAdapter):
    """Dials the address and port that the vantage gives for a name."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make pools whose connections dial through the vantage."""
        super().init_poolmanager(*args, **kwargs)
        dialler = type("_Dialler", (_Dialler,), {"scope": self._scope})
        plain = type("_Plain", (dialler, HTTPConnection), {})
        secure = type("_Secure", (dialler, HTTPSConnection), {})
        pools: dict[str, Any] = {
            "http": type("_PlainPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
            "https": type("_SecurePool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
        }
        self.poolmanager.pool_classes_by_scheme = pools


class _Dialler:
    """Overrides nothing but the dial of a urllib3 connection: URL, Host, SNI and certificate checks stay."""

    scope: ClassVar[Scope]

    def _new_conn(self) -> socket.socket:
        connection: Any = self
        port = self.scope.vantage.port(connection.port)
        failure: OSError | None = None
        for address in dns.addresses(self.scope, connection.host):
            try:
                return dialling.create_connection(
                    (address, port), connection.timeout, connection.source_address, connection.socket_options
                )
            except TimeoutError as error:
                raise urllib3.exceptions.ConnectTimeoutError(connection, f"{address}:{port} did not answer") from error
            except OSError as error:
                failure = error
        reason = f"{failure}" if failure else "the name has no address"
        raise urllib3.exceptions.NewConnectionError(connection, f"{connection.host}: {reason}") from failure


def _refused(error: BaseException) -> bool:
    """Whether the cause is a connection that was refused or reset, told by the exception chain."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ConnectionRefusedError | ConnectionResetError):
            return True
        reason = getattr(seen, "reason", None)
        seen = reason if isinstance(reason, BaseException) else seen.__cause__ or seen.__context__
    return False


def _cause(error: BaseException) -> str:
    reason = error.args[0] if error.args else error
    return f"{type(error).__name__}: {getattr(reason, 'reason', reason)}"


def _leads_on(location: str, within: str) -> bool:
    return bool(location) and (not within or f".{host_of(location)}".endswith(f".{within}"))


def host_of(url: str) -> str:
    """The host name of a URL."""
    return urlsplit(url).hostname or ""
