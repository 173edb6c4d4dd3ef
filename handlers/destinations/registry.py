"""From the name of a destination to the code that serves it."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from handlers.adapters import http
from handlers.core.errors import LaunchError
from handlers.destinations.kit import Kit
from handlers.destinations.slack import Slack
from handlers.ports import NoticeDestination, Recovery, StateDestination
from handlers.settings import destination

Destination = StateDestination | NoticeDestination


class RegistrationError(LaunchError):
    """A destination declares less than it must; the message says what."""


class Maker(Protocol):
    """A destination's class."""

    name: str
    recovery: Recovery

    def __call__(self, *, secret: str, options: Mapping[str, Any], base_url: str, request: http.Request) -> Destination:
        """The destination with its vendor key, the stack's options for it, the vendor's address and the way there."""
        ...


# The contract suite goes over this list and nothing else registers a destination: one that the suite has no stand-in
# for fails it, and one that is not here cannot be loaded.
REGISTERED: tuple[Maker, ...] = (Kit, Slack)


def registered(makers: Iterable[Maker]) -> Mapping[str, Maker]:
    """`makers` by name. Raises RegistrationError for what the settings do not know, or know otherwise."""
    found: dict[str, Maker] = {}
    for maker in makers:
        try:
            spec = destination(maker.name)
        except (AttributeError, KeyError) as error:
            raise RegistrationError(f"{maker!r} has no entry in handlers.settings: {error}") from None
        serves = {"state": "bring", "notices": "send"}[spec.carries]
        if not hasattr(maker, serves):
            raise RegistrationError(f"{spec.name} carries {spec.carries} and has no {serves}()")
        if not isinstance(getattr(maker, "recovery", None), Recovery):
            raise RegistrationError(
                f"{spec.name} does not declare how it recovers from a crash: one of {list(Recovery)}"
            )
        if spec.carries == "state" and maker.recovery is Recovery.AT_MOST_ONCE:
            raise RegistrationError(f"{spec.name} carries a state, which must be safe to bring about twice")
        if spec.name in found:
            raise RegistrationError(f"{spec.name} is registered twice")
        found[spec.name] = maker
    return found


_MAKERS = registered(REGISTERED)


def load(
    name: str, *, secret: str, options: Mapping[str, Any], base_url: str, request: http.Request = http.request
) -> Destination:
    """The destination `name` with its vendor key, the stack's options for it and the vendor's address.

    `request` makes its calls. KeyError names the known destinations; ValueError says which option is wrong and what it
    must be.
    """
    if name not in _MAKERS:
        raise KeyError(f"no destination {name!r}; known: {', '.join(_MAKERS)}")
    return _MAKERS[name](secret=_key(name, secret), options=options, base_url=base_url.rstrip("/"), request=request)


def _key(name: str, secret: str) -> str:
    """The vendor key without the newline that a pasted secret often ends in; it goes into a header as it is."""
    key = secret.strip()
    if not key or not all("!" <= character <= "~" for character in key):
        raise ValueError(f"the secret of destination {name!r} is empty or holds spaces or non-ASCII characters")
    return key
