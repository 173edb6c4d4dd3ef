"""What the contract says of redirects."""

import itertools
from typing import Any, Literal

from infra.redirects import declared, single
from infra.redirects.addresses import Place
from infra.redirects.conflicts import Index, PathRedirect
from infra.settings import Stack

SAMPLE = 50
_BELOW = "launch-ready"  # what is asked for below an old directory


def redirects(stack: Stack) -> list[dict[str, Any]]:
    """Hosts that lead to others."""
    if not stack.owns_zone:
        return []
    return [
        {
            "from_host": stack.alias_host,
            "to_host": stack.canonical_host,
            "status": single.STATUS,
            "preserve_path": True,
            "preserve_query": True,
        }
    ]


def path_redirects(stack: Stack) -> dict[str, Any]:
    """How many old paths there are, and some of each kind: an address to try, and where its first hop leads."""
    found = declared.of(stack)
    index = Index([*found.single, *found.bulk])
    sample = [_tried(redirect, "single", index) for redirect in _some_of_each(found.single)]
    sample += [_tried(redirect, "bulk", index) for redirect in _some_of_each(found.bulk)]
    return {"total": len(found.single) + len(found.bulk), "sample": sample}


def _some_of_each(redirects: tuple[PathRedirect, ...]) -> list[PathRedirect]:
    """Of each kind the first, the last and some between; at most half a sample in all, in the file's order."""
    kinds: dict[tuple[Any, ...], list[PathRedirect]] = {}
    for redirect in redirects:
        kind = (redirect.source.below, redirect.target.keeps, redirect.target.has_query, redirect.status)
        kinds.setdefault(kind, []).append(redirect)
    share = SAMPLE // 2 // max(1, len(kinds))
    chosen = [redirect for kind in kinds.values() for redirect in _spread(kind, min(share, len(kind)))]
    return sorted(chosen, key=lambda redirect: redirect.line)


def _spread(redirects: list[PathRedirect], count: int) -> list[PathRedirect]:
    return [redirects[at * (len(redirects) - 1) // max(1, count - 1)] for at in range(count)]


def _tried(redirect: PathRedirect, by: Literal["single", "bulk"], index: Index) -> dict[str, Any]:
    place = _address(redirect, index)
    return {
        "url": f"https://{place.host}{place.path}",
        "to": redirect.leads(place).url,
        "status": redirect.status,
        "by": by,
    }


def _address(redirect: PathRedirect, index: Index) -> Place:
    """An address that this redirect takes, and no narrower one."""
    source = redirect.source
    if not source.below:
        return source
    below = (Place(source.host, f"{source.path}{_BELOW}-{number}") for number in itertools.count(1))
    return next(place for place in below if index.acting_on(place) is redirect)
