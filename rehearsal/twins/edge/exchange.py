"""One request at the edge and what it is answered."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from rehearsal.twins.rules import Request

Headers = tuple[tuple[str, str], ...]  # lower-case names, in order


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """A request with its body, its fields as rules see them, and what the client sent as its Host header."""

    request: Request
    body: bytes
    authority: str
    fields: Mapping[str, Any]

    @property
    def target(self) -> str:
        """Path and query as the client sent them."""
        return self.request.raw_path + (f"?{self.request.query}" if self.request.query else "")


@dataclass(frozen=True)
class Answer:
    """A response; `body` are the bytes on the wire."""

    status: int
    headers: Headers = ()
    body: bytes = b""
    from_edge: bool = field(default=True, kw_only=True)  # False: the origin's own words

    def value(self, name: str) -> str | None:
        """The first value of the header `name`."""
        return next((value for key, value in self.headers if key == name), None)

    def having(self, *headers: tuple[str, str]) -> "Answer":
        """The same with `headers` in place of others of their names."""
        return replace(self, headers=without(self.headers, {name for name, _ in headers}) + headers)

    def lacking(self, *names: str) -> "Answer":
        """The same without the headers of these names."""
        return replace(self, headers=without(self.headers, names))


def without(headers: Headers, names: Iterable[str]) -> Headers:
    """`headers` but for those of these lower-case names."""
    unwanted = set(names)
    return tuple((name, value) for name, value in headers if name not in unwanted)


def page(status: int, text: str, *headers: tuple[str, str]) -> Answer:
    """One of the edge's own pages."""
    body = f"<!DOCTYPE html><title>{text}</title><h1>{text}</h1>\n".encode()
    return Answer(status, (("content-type", "text/html; charset=UTF-8"), ("cache-control", "no-store"), *headers), body)


def failure(status: int, code: str) -> Answer:
    """An error of the connection between visitor, edge and origin, in Cloudflare's plain form."""
    return Answer(status, (("content-type", "text/plain; charset=UTF-8"),), f"error code: {code}".encode())
