"""From the name of a destination to the code that serves it."""

from collections.abc import Callable, Mapping
from typing import Any

from handlers.destinations.kit import Kit
from handlers.destinations.slack import Slack
from handlers.ports import NoticeDestination, StateDestination

Destination = StateDestination | NoticeDestination

_MAKERS: dict[str, Callable[..., Destination]] = {"kit": Kit, "slack": Slack}


def load(name: str, *, secret: str, options: Mapping[str, Any], base_url: str) -> Destination:
    """The destination `name` with its vendor key, the stack's options for it and the vendor's address.

    KeyError names the known destinations; ValueError says which option is wrong and what it must be.
    """
    if name not in _MAKERS:
        raise KeyError(f"no destination {name!r}; known: {', '.join(_MAKERS)}")
    return _MAKERS[name](secret=_key(name, secret), options=options, base_url=base_url.rstrip("/"))


def _key(name: str, secret: str) -> str:
    """The vendor key without the newline that a pasted secret often ends in; it goes into a header as it is."""
    key = secret.strip()
    if not key or not all("!" <= character <= "~" for character in key):
        raise ValueError(f"the secret of destination {name!r} is empty or holds spaces or non-ASCII characters")
    return key
