"""Where the texts of other domains' SPF records come from: the DNS, or what was recorded of it.

A preview must work without a network, so where no resolver answers, the recorded set is used, and says so once.
"""

import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

import dns.exception
import dns.resolver
import pulumi

Mode = Literal["dns", "recorded"]
RECORDED = Path(__file__).with_name("recorded.json")
TRY_SECONDS, LIFETIME_SECONDS = 1.0, 2.0
SEEN_BY_ALL = "com"  # its name servers are known to whoever sees the public DNS


class NotRecorded(LookupError):  # noqa: N818 - not an error of the record: nobody knows
    """The recorded set holds nothing of a name."""


class Unanswered(Exception):  # noqa: N818 - not an error of the record: nobody could be asked
    """No resolver answered."""


class Names(Protocol):
    """What evaluating SPF asks of the DNS; nothing found is an empty tuple (a void lookup)."""

    def txt(self, name: str) -> tuple[str, ...]:
        """TXT records, strings joined. Raises NotRecorded or Unanswered, as the others do."""
        ...

    def mx(self, name: str) -> tuple[str, ...]:
        """The hosts of the MX records."""
        ...

    def addresses(self, name: str) -> tuple[str, ...]:
        """IPv4 and IPv6 addresses."""
        ...


@dataclass(frozen=True)
class Recorded:
    """The recorded set; `recorded` is its date."""

    recorded: str
    by_kind: Mapping[str, Mapping[str, tuple[str, ...]]]

    @classmethod
    def load(cls, path: Path = RECORDED) -> "Recorded":
        """The set in a file."""
        document = json.loads(path.read_text(encoding="utf-8"))
        kinds = {kind: {n: tuple(v) for n, v in document[kind].items()} for kind in ("txt", "mx", "addresses")}
        return cls(document["recorded"], kinds)

    def txt(self, name: str) -> tuple[str, ...]:
        """TXT records."""
        return self._found("txt", name)

    def mx(self, name: str) -> tuple[str, ...]:
        """The hosts of the MX records."""
        return self._found("mx", name)

    def addresses(self, name: str) -> tuple[str, ...]:
        """IPv4 and IPv6 addresses."""
        return self._found("addresses", name)

    def _found(self, kind: str, name: str) -> tuple[str, ...]:
        if name not in self.by_kind[kind]:
            raise NotRecorded(name)
        return self.by_kind[kind][name]


@dataclass(frozen=True)
class Live:
    """The DNS, each question asked once."""

    resolver: dns.resolver.Resolver
    known: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)

    def txt(self, name: str) -> tuple[str, ...]:
        """TXT records."""
        return self._ask(name, "TXT", lambda record: b"".join(record.strings).decode("utf-8", "replace"))

    def mx(self, name: str) -> tuple[str, ...]:
        """The hosts of the MX records."""
        return self._ask(name, "MX", lambda record: record.exchange.to_text(omit_final_dot=True))

    def addresses(self, name: str) -> tuple[str, ...]:
        """IPv4 and IPv6 addresses."""
        return self._ask(name, "A", str) + self._ask(name, "AAAA", str)

    def sees_the_public_dns(self) -> bool:
        """Whether this resolver knows more than some private names: one that denies everything knows nothing."""
        try:
            return bool(self._ask(SEEN_BY_ALL, "NS", str))
        except Unanswered:
            return False

    def _ask(self, name: str, kind: str, text: Callable[..., str]) -> tuple[str, ...]:
        if (name, kind) not in self.known:
            self.known[name, kind] = self._asked(name, kind, text)
        return self.known[name, kind]

    def _asked(self, name: str, kind: str, text: Callable[..., str]) -> tuple[str, ...]:
        try:
            found = self.resolver.resolve(name + ".", kind, raise_on_no_answer=False, lifetime=LIFETIME_SECONDS)
        except dns.resolver.NXDOMAIN:
            return ()
        except (dns.exception.DNSException, OSError) as error:
            raise Unanswered(f"{name} {kind}: {error}") from error
        return tuple(sorted(text(record) for record in found.rrset or ()))


@functools.cache
def recorded() -> Recorded:
    """The recorded set of this project."""
    return Recorded.load()


@functools.cache
def live() -> Live | None:
    """The resolver of this machine; None, and one warning, where it does not see the public DNS."""
    try:
        resolver = dns.resolver.Resolver()
    except (dns.exception.DNSException, OSError):  # a machine without a resolver's configuration
        return say_unreachable()
    resolver.timeout = TRY_SECONDS
    names = Live(resolver)
    return names if names.sees_the_public_dns() else say_unreachable()


@functools.cache
def say_unreachable() -> None:
    """Warn, the first time, that the recorded set counts."""
    pulumi.log.warn(
        "no resolver answers for the public DNS: the lookups of SPF records are counted from what was recorded on "
        f"{recorded().recorded}"
    )
