"""One request at the edge and what it is answered."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from rehearsal.twins.rules import Request

Headers = tuple[tuple[str, str], ...]  # lower-case names, in order


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """A request with its body, its fields as rules see them, and what the client sent as its Host header.

    `sent` is the path and query that the origin gets, `headers` are what it gets of the client's headers.
    """

    request: Request
    body: bytes
    authority: str
    fields: Mapping[str, Any]
    sent: str
    headers: Headers
    names_client: bool = True  # whether the origin is told the client's address

    @classmethod
    def of(cls, request: Request, body: bytes, authority: str) -> "Exchange":
        """A request as it came in."""
        sent = request.raw_path + (f"?{request.query}" if request.query else "")
        fields = request.fields()
        return cls(request=request, body=body, authority=authority, fields=fields, sent=sent, headers=request.headers)

    def at(self, path: str, query: str) -> "Exchange":
        """The same request for another place; fields `raw.…` keep what the client asked for."""
        request = replace(self.request, path=path, query=query)
        kept = {name: value for name, value in self.fields.items() if name.startswith("raw.")}
        sent = path + (f"?{query}" if query else "")
        return replace(self, request=request, fields={**request.fields(), **kept}, sent=sent)

    def asking(self, method: str, path: str, query: str, headers: Headers) -> "Exchange":
        """What a Worker asks of what is behind it, on behalf of the same client."""
        asked = replace(self, request=replace(self.request, method=method), headers=headers)
        return asked.at(path, query)

    def having(self, *headers: tuple[str, str]) -> "Exchange":
        """The same with `headers`, for the origin, in place of others of their names."""
        return replace(self, headers=without(self.headers, {name for name, _ in headers}) + headers)

    def lacking(self, *names: str) -> "Exchange":
        """The same without the headers of these names, for the origin."""
        return replace(self, headers=without(self.headers, names))


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

    def adding(self, *headers: tuple[str, str]) -> "Answer":
        """The same with `headers` beside others of their names."""
        return replace(self, headers=self.headers + headers)

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
