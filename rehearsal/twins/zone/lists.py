"""Lists of bulk redirects, and their items.

https://developers.cloudflare.com/rules/url-forwarding/bulk-redirects/reference/
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from rehearsal.twins.zone.entries import Entry, Kind, entry
from rehearsal.twins.zone.holdings import Holdings
from rehearsal.twins.zone.refusals import CloudflareError, NotInTwinError, boolean, one_of, text

_NAME = re.compile(r"[a-z0-9_]{1,50}")
_STATUSES = (301, 302, 307, 308)
_SWITCHES = ("includeSubdomains", "subpathMatching", "preserveQueryString", "preservePathSuffix")


@dataclass(frozen=True, kw_only=True)
class RedirectItem:
    """One URL of a list; `source_url` is lower case but for its path, with a path always and a scheme maybe."""

    source_url: str
    target_url: str
    status_code: int
    include_subdomains: bool
    subpath_matching: bool
    preserve_query_string: bool
    preserve_path_suffix: bool


def redirect_list(inputs: Mapping[str, Any], held: Holdings, old: Entry | None) -> Entry:
    """A list of kind redirect, with its items or for items of their own."""
    account = held.account(inputs, "a list")
    name = text(inputs, "name", "a list")
    what = f"list {name}"
    if not _NAME.fullmatch(name):
        raise CloudflareError(f"{what}: a name has 1 to 50 lower-case letters, digits and _")
    kind = one_of(inputs.get("kind"), ("redirect", "ip", "hostname", "asn"), f"{what}: kind")
    if kind != "redirect":
        raise NotInTwinError(f"{what}: the edge twin acts on lists of kind redirect, got {kind}")
    if old is not None and old.outputs["name"] != name:
        raise CloudflareError(f"{what}: a list cannot be renamed, it is {old.outputs['name']}: make another")
    others = held.of(Kind.LIST, account, but=old)
    if any(other.outputs["name"] == name for other in others):
        raise CloudflareError(f"{what} already exists", 10026)
    if len(others) >= held.account_limits.lists:
        raise CloudflareError(f"the plan allows {held.account_limits.lists} lists, {name} would be one more")
    items = tuple(_item(one, what) for one in inputs.get("items") or [])
    if old is not None and items and held.of(Kind.LIST_ITEM, old.id):
        raise CloudflareError(f"{what} has items of their own: declare them in the list or each by itself, never both")
    _check_together(items, what)
    _check_total(len(items), held, account, but=old)
    count = {"numItems": len(items), "numReferencingFilters": 0}
    return entry(Kind.LIST, account, {**inputs, **count}, old, items)


def list_item(inputs: Mapping[str, Any], held: Holdings, old: Entry | None) -> Entry:
    """One item of a list that declares none itself."""
    account = held.account(inputs, "a list item")
    owner = held.get(text(inputs, "listId", "a list item"))
    if owner is None or owner.kind != Kind.LIST:
        raise CloudflareError(f"a list item: no list has the id {inputs['listId']!r}", 10001)
    what = f"list {owner.outputs['name']}"
    if owner.meaning:
        raise CloudflareError(f"{what} declares its items: declare them in the list or each by itself, never both")
    item = _item(inputs, what)
    _check_together([item, *items_of(owner, held, but=old)], what)
    if old is None:
        _check_total(1, held, account)
    return entry(Kind.LIST_ITEM, owner.id, inputs, old, item)


def items_of(owner: Entry, held: Holdings, *, but: Entry | None = None) -> list[RedirectItem]:
    """The items of a list, however they were declared."""
    own = owner.meaning if isinstance(owner.meaning, tuple) else ()
    apart = [one.meaning for one in held.of(Kind.LIST_ITEM, owner.id, but=but)]
    return [item for item in (*own, *apart) if isinstance(item, RedirectItem)]


def _item(inputs: Mapping[str, Any], what: str) -> RedirectItem:
    redirect = inputs.get("redirect")
    if not isinstance(redirect, Mapping):
        raise CloudflareError(f"{what}: an item of a redirect list needs redirect")
    source, target = (text(redirect, key, what) for key in ("sourceUrl", "targetUrl"))
    switches = {key: boolean(redirect, key, f"{what}: {source}") for key in _SWITCHES}
    if redirect.get("preservePathSuffix") is None:  # Cloudflare's default goes with the matching
        switches["preservePathSuffix"] = switches["subpathMatching"]
    if switches["preservePathSuffix"] and not switches["subpathMatching"]:
        raise CloudflareError(f"{what}: {source}: preservePathSuffix needs subpathMatching")
    return RedirectItem(
        source_url=_source(source, what),
        target_url=_target(target, what),
        status_code=one_of(redirect.get("statusCode", 301), _STATUSES, f"{what}: {source}: statusCode"),
        include_subdomains=switches["includeSubdomains"],
        subpath_matching=switches["subpathMatching"],
        preserve_query_string=switches["preserveQueryString"],
        preserve_path_suffix=switches["preservePathSuffix"],
    )


def _source(url: str, what: str) -> str:
    """A source has a host, maybe a scheme, no query and no fragment; it gets a path."""
    schemed = "://" in url
    parts = urlsplit(url if schemed else f"//{url}")
    if not parts.hostname or parts.query or parts.fragment or (schemed and parts.scheme not in ("http", "https")):
        raise CloudflareError(f"{what}: {url!r} is no source URL: [http(s)://]host/path, without query and fragment")
    host = f"{parts.scheme.lower()}://{parts.netloc.lower()}" if schemed else parts.netloc.lower()
    return f"{host}{parts.path or '/'}"


def _target(url: str, what: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise CloudflareError(f"{what}: {url!r} is no target URL: it needs http:// or https:// and a host")
    return url


def _check_together(items: Iterable[RedirectItem], what: str) -> None:
    seen: set[str] = set()
    for item in items:
        if item.source_url in seen:
            raise CloudflareError(f"{what}: the source URL {item.source_url} is there twice")
        seen.add(item.source_url)


def _check_total(more: int, held: Holdings, account: str, but: Entry | None = None) -> None:
    present = sum(len(items_of(other, held)) for other in held.of(Kind.LIST, account, but=but))
    most = held.account_limits.list_urls
    if present + more > most:
        raise CloudflareError(f"the plan allows {most} URLs in redirect lists, got {present + more}")
