"""Phase http_request_redirect: Bulk Redirects, lists of the account that its rules switch on.

https://developers.cloudflare.com/rules/url-forwarding/bulk-redirects/how-it-works/
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rehearsal.twins.edge.exchange import Answer, Exchange
from rehearsal.twins.edge.redirects import to, with_query
from rehearsal.twins.rules import LISTS, Request, compile_filter, wire
from rehearsal.twins.zone import RedirectItem, Rule

PHASE = "http_request_redirect"
Lists = Callable[[str], Sequence[RedirectItem]]


def redirect(rules: Sequence[Rule], lists: Lists, exchange: Exchange) -> Answer | None:
    """The answer of the first rule whose list has an entry for the request, or None."""
    for rule in rules:
        name = str(rule.parameters["fromList"]["name"])
        item = find(lists(name), exchange.request)
        fields = {**exchange.fields, LISTS: frozenset({name} if item else ())}
        if item is not None and compile_filter(rule.expression)(fields):
            return _answer(item, exchange.request)
    return None


def find(items: Sequence[RedirectItem], request: Request) -> RedirectItem | None:
    """The entry that applies: the most specific path, then host, then scheme."""
    matching = [(match, item) for item in items if (match := _match(item, request)) is not None]
    return max(matching, key=lambda pair: pair[0])[1] if matching else None


@dataclass(frozen=True, order=True)
class _Match:
    """How specific a match is; compared in this order."""

    path: int
    exact_host: bool
    host: int
    scheme: bool


@dataclass(frozen=True)
class _Source:
    scheme: str
    host: str
    path: str


def _source(item: RedirectItem) -> _Source:
    scheme, mark, rest = item.source_url.partition("://")
    host, slash, path = (rest if mark else scheme).partition("/")
    return _Source(scheme if mark else "", host.lower(), slash + path or "/")


def _match(item: RedirectItem, request: Request) -> _Match | None:
    source = _source(item)
    exact = request.host == source.host
    if source.scheme not in ("", request.scheme):
        return None
    if not exact and not (item.include_subdomains and request.host.endswith(f".{source.host}")):
        return None
    below = item.subpath_matching and request.path.startswith(f"{source.path.rstrip('/')}/")
    if request.path != source.path and not below:
        return None
    return _Match(len(source.path), exact, len(source.host), bool(source.scheme))


def _answer(item: RedirectItem, request: Request) -> Answer:
    location = wire(item.target_url)
    suffix = request.path[len(_source(item).path.rstrip("/")) :].lstrip("/")
    if item.subpath_matching and item.preserve_path_suffix and suffix:
        address, mark, query = location.partition("?")
        location = f"{address.rstrip('/')}/{suffix}{mark}{query}"
    if item.preserve_query_string and request.query:
        location = with_query(location, request.query)
    return to(location, item.status_code)
