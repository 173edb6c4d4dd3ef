"""The names of the zone that redirects may begin at or lead to."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from infra.documents.document import Document
from infra.hostnames import APEX, absolute
from infra.names.record_sections import ZoneRecord
from infra.names.sections import Host
from infra.names.zone_sections import Retired
from infra.tenancy import proxied

WWW = "www"


@dataclass(frozen=True, kw_only=True)
class Names:
    """`known` are all that are declared; `documents` are host and path of what the edge serves itself.

    `retired` are domains that lead elsewhere as a whole, each with its successor.
    """

    domain: str
    canonical: str
    alias: str
    proxied: frozenset[str]
    known: frozenset[str]
    api: frozenset[str]
    documents: frozenset[tuple[str, str]] = frozenset()
    retired: frozenset[tuple[str, str]] = frozenset()

    def is_inside(self, host: str) -> bool:
        """Whether a name is of this zone."""
        return host == self.domain or host.endswith(f".{self.domain}")

    def successor(self, host: str) -> str | None:
        """Where a retired domain leads, of which `host` is the name or a name below; None for all others."""
        return next((to for old, to in sorted(self.retired) if host == old or host.endswith(f".{old}")), None)

    def is_declared(self, host: str) -> bool:
        """Whether a record stands at a name, or a wildcard above it."""
        return host in self.known or any(f"*.{above}" in self.known for above in _parents(host))


def _parents(host: str) -> Iterator[str]:
    while "." in host:
        host = host.partition(".")[2]
        yield host


def canonical_pair(canonical: str, domain: str) -> tuple[str, str]:
    """The name that people should see, and its alias: the apex and www, or the reverse."""
    apex, www = absolute(APEX, domain), absolute(WWW, domain)
    return (apex, www) if canonical == "apex" else (www, apex)


def names(
    *,
    domain: str,
    canonical: str,
    hosts: Iterable[Host],
    api_host: str,
    records: Iterable[ZoneRecord],
    served: Iterable[Document],
    retired: Iterable[Retired],
) -> Names:
    """The names of a zone with these hosts and further records; `served` is what the edge serves itself."""
    declared = tuple(hosts)
    name, alias = canonical_pair(canonical, domain)
    api = absolute(api_host, domain)
    return Names(
        domain=domain,
        canonical=name,
        alias=alias,
        proxied=frozenset(proxied(declared, domain)),
        known=frozenset({name, alias, api, *(absolute(each.name, domain) for each in (*declared, *records))}),
        api=frozenset({api}),
        documents=frozenset((each.host, each.path) for each in served),
        retired=frozenset((each.domain, each.to) for each in retired),
    )
