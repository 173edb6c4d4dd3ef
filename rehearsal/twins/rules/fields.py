"""The fields of the rules language that the edge twin fills in, and one request seen through them.

https://developers.cloudflare.com/ruleset-engine/rules-language/fields/reference/
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from rehearsal.twins.rules.kinds import BOOL, BYTES, INT, IP, Kind, array, mapping

_TEXTS = mapping(array(BYTES))
FIELDS: dict[str, Kind] = {
    "cf.client.bot": BOOL,
    "cf.ray_id": BYTES,
    "http.cookie": BYTES,
    "http.host": BYTES,
    "http.referer": BYTES,
    "http.request.body.size": INT,
    "http.request.cookies": _TEXTS,
    "http.request.full_uri": BYTES,
    "http.request.headers": _TEXTS,
    "http.request.headers.names": array(BYTES),
    "http.request.method": BYTES,
    "http.request.uri": BYTES,
    "http.request.uri.args": _TEXTS,
    "http.request.uri.args.names": array(BYTES),
    "http.request.uri.path": BYTES,
    "http.request.uri.path.extension": BYTES,
    "http.request.uri.query": BYTES,
    "http.request.version": BYTES,
    "http.response.code": INT,
    "http.user_agent": BYTES,
    "ip.src": IP,
    "ip.src.country": BYTES,
    "raw.http.request.full_uri": BYTES,
    "raw.http.request.uri": BYTES,
    "raw.http.request.uri.path": BYTES,
    "raw.http.request.uri.query": BYTES,
    "ssl": BOOL,
}
LISTS = "$lists"  # among the fields, the names of the redirect lists that have an entry for the request
NO_COUNTRY = "XX"  # Cloudflare's code for an address that no country is known of


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
    extra: dict[str, Any] = field(default_factory=dict)

    def header(self, name: str) -> str:
        """All values of the header `name` (lower case) joined, or an empty text."""
        separator = "; " if name == "cookie" else ", "
        return separator.join(value for key, value in self.headers if key == name)

    def fields(self) -> dict[str, Any]:
        """Every entry of FIELDS; what a response has yet to tell is missing (None)."""
        query = f"?{self.query}" if self.query else ""
        headers, arguments = _grouped(self.headers), _grouped(_pairs(self.query, "&"))
        origin = f"{self.scheme}://{self.host}"
        return {
            **self._connection(),
            "http.cookie": self.header("cookie"),
            "http.referer": self.header("referer"),
            "http.user_agent": self.header("user-agent"),
            "http.request.body.size": len(self.body),
            "http.request.cookies": _grouped(_pairs(self.header("cookie"), ";")),
            "http.request.headers": headers,
            "http.request.headers.names": list(headers),
            "http.request.uri.args": arguments,
            "http.request.uri.args.names": list(arguments),
            "http.request.uri.path": self.path,
            "http.request.uri.path.extension": extension(self.path),
            "http.request.uri.query": self.query,
            "http.request.uri": self.path + query,
            "http.request.full_uri": origin + self.path + query,
            "raw.http.request.uri.path": self.raw_path,
            "raw.http.request.uri.query": self.query,
            "raw.http.request.uri": self.raw_path + query,
            "raw.http.request.full_uri": origin + self.raw_path + query,
            "http.response.code": None,
            **self.extra,
        }

    def _connection(self) -> dict[str, Any]:
        return {
            "cf.client.bot": False,  # nobody here is on Cloudflare's list of known good bots
            "cf.ray_id": self.ray,
            "http.host": self.host,
            "http.request.method": self.method,
            "http.request.version": self.version,
            "ip.src": ipaddress.ip_address(self.client),
            "ip.src.country": NO_COUNTRY,
            "ssl": self.scheme == "https",
        }


def extension(path: str) -> str:
    """The lower-case file extension of the last part of `path`, without the dot, or an empty text."""
    name = path.rpartition("/")[2]
    return name.rpartition(".")[2].lower() if "." in name else ""


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
