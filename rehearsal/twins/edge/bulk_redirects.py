"""Phase http_request_redirect: Bulk Redirects, lists of the account that its rules switch on.

https://developers.cloudflare.com/rules/url-forwarding/bulk-redirects/how-it-works/
"""

from collections.abc import Iterable
from dataclasses import dataclass

from rehearsal.twins.edge.exchange import Answer
from rehearsal.twins.edge.passage import Passage
from rehearsal.twins.edge.redirects import to, with_query
from rehearsal.twins.rules import LISTS, Request, compile_filter, wire
from rehearsal.twins.zone import RedirectItem, ZoneTwin

PHASE = "http_request_redirect"


class BulkRedirects:
    """The account's lists, each looked through by host and path; an account may have ten thousand entries and more."""

    def __init__(self, account: ZoneTwin) -> None:
        self._account = account
        self._revision = -1
        self._indexes: dict[str, Index] = {}

    def redirect(self, passage: Passage) -> Answer | None:
        """The answer of the first rule whose list has an entry for the request, or None."""
        exchange = passage.exchange
        for rule in self._account.bulk_redirects():
            name = str(rule.parameters["fromList"]["name"])
            item = self._index(name).find(exchange.request)
            fields = {**exchange.fields, LISTS: frozenset({name} if item else ())}
            if item is not None and compile_filter(rule.expression)(fields):
                return _answer(item, exchange.request)
        return None

    def _index(self, name: str) -> "Index":
        revision = self._account.revision
        if revision != self._revision:
            self._revision, self._indexes = revision, {}
        if name not in self._indexes:
            self._indexes[name] = Index(self._account.redirect_list(name))
        return self._indexes[name]


class Index:
    """The entries of one list by host and path."""

    def __init__(self, items: Iterable[RedirectItem]) -> None:
        self._by_place: dict[tuple[str, str], list[tuple[_Source, RedirectItem]]] = {}
        for item in items:
            source = _source(item)
            place = source.host, source.path.rstrip("/")
            self._by_place.setdefault(place, []).append((source, item))

    def find(self, request: Request) -> RedirectItem | None:
        """The entry that applies: the most specific path, then host, then scheme."""
        path = request.path.rstrip("/")
        places = ((host, prefix) for host in _parents(request.host) for prefix in _prefixes(path))
        candidates = [pair for place in places for pair in self._by_place.get(place, ())]
        matching = [(match, item) for source, item in candidates if (match := _match(source, item, request))]
        return max(matching, key=lambda pair: pair[0])[1] if matching else None


def _parents(host: str) -> list[str]:
    """`host` and every name above it."""
    labels = host.split(".")
    return [".".join(labels[start:]) for start in range(len(labels))]


def _prefixes(path: str) -> list[str]:
    """`path` and every path above it."""
    parts = path.split("/")
    return ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]


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


def _match(source: _Source, item: RedirectItem, request: Request) -> _Match | None:
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
