"""Addresses in the file of old paths: where a redirect begins, and where it leads. Pure.

Cloudflare matches the normalised path (https://developers.cloudflare.com/rules/normalization/): an old path that is
written in another form would never match, so it is refused with the form to write.
"""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from infra.hostnames import record_fault
from infra.redirects.names import Names
from infra.redirects.paths import PATH, encoded, normal

MAX_PATH = 1000  # characters: a rule's expression has 4,096, of which its hosts take up to 520
MAX_TARGET = 2000
MAX_SLASHES = 16  # in the source path of a bulk list's entry that matches what is below it
BELOW = "/*"
_QUERY = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?]|%[0-9A-Fa-f]{2})*")
# Cloudflare's own, and where certificate authorities ask for proofs (RFC 8555 section 8.3).
_NOT_OURS = ("/cdn-cgi/", "/.well-known/acme-challenge/")


class AddressError(Exception):
    """An address that no rule can have: the limit that it breaks, and the remedy."""

    def __init__(self, limit: str, remedy: str) -> None:
        super().__init__(limit)
        self.limit, self.remedy = limit, remedy


@dataclass(frozen=True)
class Place:
    """A path of a host, or (`below`) all that begins with the path, which then ends in a slash."""

    host: str
    path: str
    below: bool = False

    def covers(self, other: "Place") -> bool:
        """Whether every address of `other` is one of this place too."""
        if self.host != other.host:
            return False
        return other.path.startswith(self.path) if self.below else self == other

    def __str__(self) -> str:
        """As the file has it."""
        return f"{self.host}{self.path}{'*' if self.below else ''}"


@dataclass(frozen=True)
class Target:
    """Where a redirect leads: a URL, to which what is below the source is added where it `keeps` that.

    `place` is the same inside the zone, without the query; None for a host of others.
    """

    url: str
    keeps: bool
    place: Place | None

    @property
    def has_query(self) -> bool:
        """Whether it brings a query of its own, in place of the visitor's."""
        return "?" in self.url

    def __str__(self) -> str:
        """As the file has it."""
        return f"{self.url}{'*' if self.keeps else ''}"


def source(text: str, names: Names) -> Place:
    """The place that the column `from` names. Raises AddressError."""
    if "://" in text:
        raise AddressError("from is a path, or a host and a path, without a scheme", "Leave out https://.")
    _no_extras(text, "from")
    host, slash, rest = text.partition("/")
    if not slash:
        raise AddressError("from has a path", f"Write /{text}, or {text or 'app.example'}/* for all of a host.")
    place = _place(_source_host(host, names), f"/{rest}", "from")
    if place.path != normal(place.path):
        raise AddressError(f"rules see the path as {normal(place.path)}", "Write it in that form.")
    if len(place.path) > MAX_PATH:
        raise AddressError(f"an old path has at most {MAX_PATH} characters, this one {len(place.path)}", "Shorten it.")
    if place.below and place.path.count("/") > MAX_SLASHES:
        limit = f"what is below a path can be matched where that has at most {MAX_SLASHES} slashes"
        raise AddressError(limit, "Redirect a directory higher up.")
    _leaves_others_alone(place, names)
    return place


def target(text: str, origin: Place, names: Names) -> Target:
    """Where the column `to` leads from `origin`: a path of the same host, or an https URL. Raises AddressError."""
    if "#" in text:
        raise AddressError("to has no fragment: the visitor's query would follow it and be lost", "Leave it out.")
    if len(text) > MAX_TARGET:
        raise AddressError(f"to has at most {MAX_TARGET} characters, this one {len(text)}", "Shorten it.")
    host, rest, known = _target_parts(text, origin, names)
    path, question, query = rest.partition("?")
    if not _QUERY.fullmatch(query):
        raise AddressError("to has a character that a URL cannot hold", "Percent-encode it (RFC 3986).")
    place = _place(host, path, "to")
    if place.below and not origin.below:
        raise AddressError("to ends in /* only where from does", "Leave out the asterisk, or add one to from.")
    if place.below and (question or "$" in path):
        raise AddressError("to ends in /* without a query and without a $", "Leave them out.")
    if known and place.path != normal(place.path):
        raise AddressError(f"browsers ask for {normal(place.path)}", "Write it in that form.")
    return Target(f"https://{host}{place.path}{question}{query}", place.below, place if known else None)


def _no_extras(text: str, column: str) -> None:
    if "#" in text:
        raise AddressError("browsers never send a fragment", f"Leave it out of {column}.")
    if "?" in text:
        raise AddressError("old paths are matched without their query, which is kept", f"Leave it out of {column}.")


def _source_host(host: str, names: Names) -> str:
    if host == names.alias:
        limit = f"{host} leads to {names.canonical} already, and a path alone means both"
        raise AddressError(limit, "Leave the host out.")
    if host in names.api:
        raise AddressError(f"{host} is the API, which is never redirected", "Remove the line.")
    found = host or names.canonical
    if found not in names.proxied:
        limit = f"{found} is no proxied host of this stack ({', '.join(sorted(names.proxied)) or 'none'})"
        raise AddressError(
            limit, "The edge redirects only what passes through it: name such a host, or proxy this one."
        )
    return found


def _target_parts(text: str, origin: Place, names: Names) -> tuple[str, str, bool]:
    """Host (with a port, where it has one), the rest from the path on, and whether the host is of this zone."""
    if text.startswith("/") and not text.startswith("//"):
        return origin.host, text, True
    scheme, mark, rest = text.partition("://")
    if scheme != "https" or not mark:
        raise AddressError("to is a path, or an address that begins with https://", "Write it out in full.")
    cut = min((at for at in (rest.find("/"), rest.find("?")) if at >= 0), default=len(rest))
    authority, path = rest[:cut], rest[cut:]
    _host_fault(authority, text, names)
    return authority, path if path.startswith("/") else f"/{path}", names.is_inside(authority)


def _host_fault(authority: str, text: str, names: Names) -> None:
    try:
        parts = urlsplit(text)
        plain = parts.username is None and parts.password is None and (parts.port is None or parts.port > 0)
    except ValueError:
        plain = False
    host, _, port = authority.partition(":")
    if not plain or (":" in authority and not port):
        raise AddressError("to has a host, perhaps a port, and no user", "Correct the address.")
    if limit := record_fault(host):
        raise AddressError(limit, "Correct the address.")
    if host == names.alias:
        limit = f"{host} leads on to {names.canonical}: that would be two redirects"
        raise AddressError(limit, f"Write https://{names.canonical}/… instead.")
    if successor := names.successor(host):
        raise AddressError(
            f"{host} is retired and leads on: that would be two redirects", f"Lead to {successor} instead."
        )
    if names.is_inside(host) and not names.is_declared(host):
        raise AddressError(f"no such host is declared in {names.domain}", "Correct it, or declare it in hosts.")


def _place(host: str, path: str, column: str) -> Place:
    below = path.endswith(BELOW)
    path = path[:-1] if below else path
    if not PATH.fullmatch(path):
        raise AddressError(f"{column} has a character that a path cannot hold", f"Write it encoded: {encoded(path)}")
    if "*" in path:
        raise AddressError(f"{column} has an asterisk only at its end, after a slash", "Write a literal one as %2A.")
    return Place(host, path, below)


def _leaves_others_alone(place: Place, names: Names) -> None:
    for path in _NOT_OURS:
        if place.path.startswith(path):
            raise AddressError(f"{path} is not the application's to redirect", "Remove the line.")
    for host, path in names.documents:
        if place.covers(Place(host, path)):
            limit = f"the edge serves https://{host}{path} itself, and it must not be redirected"
            raise AddressError(limit, "Redirect a narrower path.")
