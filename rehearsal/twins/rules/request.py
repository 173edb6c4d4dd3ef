"""One request as rules see it."""

import ipaddress
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from rehearsal.twins.rules.fields import FIELDS, LISTS
from rehearsal.twins.rules.kinds import BOOL, BYTES, INT

NO_COUNTRY = "XX"  # Cloudflare's code for an address that no country is known of
_FORM = "application/x-www-form-urlencoded"
_BODY_SHOWN = 128 * 1024  # octets; what no plan's rules see more of
_PORTS = {"http": 80, "https": 443}
_TLS = {"https": ("TLSv1.3", "AEAD-AES128-GCM-SHA256"), "http": ("none", "NONE")}
_CLEAN, _CLEANEST = "clean", 99  # of an attack score: 1 is surely one, 99 surely none
_NOTHING: dict[Any, Any] = {BOOL: False, INT: 0, BYTES: ""}
# What the twin knows nothing of: no detection ever finds anything, and no place is known of any address.
_UNKNOWN = {
    name: _NOTHING.get(kind, []) for name, kind in FIELDS.items() if name.startswith(("cf.", "ip.src.", "ip.geoip."))
}


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request as it reached the edge. `headers` have lower-case names and keep their order."""

    method: str
    scheme: str
    host: str
    path: str  # normalised, as rules see it
    raw_path: str  # as the client sent it
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    client: str = "127.0.0.1"
    version: str = "HTTP/1.1"
    body: bytes = b""
    ray: str = ""
    zone: str = ""
    at: float = field(default_factory=time.time)

    def header(self, name: str) -> str:
        """All values of the header `name` (lower case) joined, or an empty text."""
        separator = "; " if name == "cookie" else ", "
        return separator.join(value for key, value in self.headers if key == name)

    def fields(self) -> dict[str, Any]:
        """Every entry of FIELDS, and LISTS; what a response has yet to tell is missing (None)."""
        headers = _grouped(self.headers)
        return {
            **_UNKNOWN,
            **self._connection(),
            **self._uri("", self.path),
            **self._uri("raw.", self.raw_path),
            **self._form(),
            "http.cookie": self.header("cookie"),
            "http.host": self.host,
            "http.referer": self.header("referer"),
            "http.user_agent": self.header("user-agent"),
            "http.x_forwarded_for": self.header("x-forwarded-for"),
            "http.request.accepted_languages": _languages(self.header("accept-language")),
            "http.request.cookies": _grouped(_pairs(self.header("cookie"), ";")),
            "http.request.headers": headers,
            "http.request.headers.names": list(headers),
            "http.request.headers.truncated": False,
            "http.request.headers.values": [value for _, value in self.headers],
            "http.request.method": self.method,
            "http.request.timestamp.msec": int(self.at * 1000),
            "http.request.timestamp.sec": int(self.at),
            "http.request.version": self.version,
            **dict.fromkeys((name for name in FIELDS if name.startswith("http.response.")), None),
            LISTS: frozenset(),
        }

    def _connection(self) -> dict[str, Any]:
        version, cipher = _TLS[self.scheme]
        return {
            "cf.edge.client_tcp": True,
            "cf.edge.server_ip": ipaddress.ip_address("127.0.0.1"),
            "cf.edge.server_port": _PORTS[self.scheme],
            "cf.random_seed": self.ray,
            "cf.ray_id": self.ray,
            "cf.tls_cipher": cipher,
            "cf.tls_version": version,
            **dict.fromkeys((name for name in FIELDS if name.startswith("cf.waf.score")), _CLEANEST),
            "cf.waf.score.class": _CLEAN,
            "cf.zone.name": self.zone,
            "ip.src": ipaddress.ip_address(self.client),
            "ip.src.country": NO_COUNTRY,
            "ip.geoip.country": NO_COUNTRY,
            "ssl": self.scheme == "https",
        }

    def _uri(self, prefix: str, path: str) -> dict[str, Any]:
        whole = path + (f"?{self.query}" if self.query else "")
        arguments = list(_pairs(self.query, "&"))
        uri = f"{prefix}http.request.uri"
        return {
            f"{prefix}http.request.full_uri": f"{self.scheme}://{self.host}{whole}",
            uri: whole,
            f"{uri}.args": _grouped(arguments),
            f"{uri}.args.names": list(_grouped(arguments)),
            f"{uri}.args.values": [value for _, value in arguments],
            f"{uri}.path": path,
            f"{uri}.path.extension": extension(path),
            f"{uri}.query": self.query,
        }

    def _form(self) -> dict[str, Any]:
        shown = self.body[:_BODY_SHOWN].decode("latin-1")
        mime = self.header("content-type").partition(";")[0].strip().lower()
        pairs = list(_pairs(shown, "&")) if mime == _FORM else []
        body = "http.request.body"
        return {
            f"{body}.form": _grouped(pairs),
            f"{body}.form.names": list(_grouped(pairs)),
            f"{body}.form.values": [value for _, value in pairs],
            f"{body}.mime": mime,
            f"{body}.raw": shown,
            f"{body}.size": len(self.body),
            f"{body}.truncated": len(self.body) > _BODY_SHOWN,
        }


def extension(path: str) -> str:
    """The lower-case file extension of the last part of `path`, without the dot, or an empty text."""
    name = path.rpartition("/")[2]
    return name.rpartition(".")[2].lower() if "." in name else ""


def _languages(accepted: str) -> list[str]:
    return [part.partition(";")[0].strip() for part in accepted.split(",") if part.strip()]


def _pairs(text: str, separator: str) -> Iterable[tuple[str, str]]:
    for part in text.split(separator):
        key, _, value = part.strip().partition("=")
        if key:
            yield key, value


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for key, value in pairs:
        grouped.setdefault(key, []).append(value)
    return grouped
