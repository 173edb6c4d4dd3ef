"""The names of the zone that redirects may begin at or lead to."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from infra.hostnames import APEX, absolute
from infra.names.sections import Host
from infra.tenancy import proxied

WWW = "www"


@dataclass(frozen=True, kw_only=True)
class Names:
    """`known` are all that are declared; `documents` are host and path of what the edge serves itself."""

    domain: str
    canonical: str
    alias: str
    proxied: frozenset[str]
    known: frozenset[str]
    api: frozenset[str]
    documents: frozenset[tuple[str, str]] = field(default=frozenset())

    def is_inside(self, host: str) -> bool:
        """Whether a name is of this zone."""
        return host == self.domain or host.endswith(f".{self.domain}")


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
    others: Iterable[str] = (),
    documents: Iterable[tuple[str, str]] = (),
) -> Names:
    """The names of a zone; `others` are names of further records."""
    declared = tuple(hosts)
    name, alias = canonical_pair(canonical, domain)
    api = absolute(api_host, domain)
    known = {name, alias, api, *(absolute(host.name, domain) for host in declared), *others}
    return Names(
        domain=domain,
        canonical=name,
        alias=alias,
        proxied=frozenset(proxied(declared, domain)) | {name},
        known=frozenset(known),
        api=frozenset({api}),
        documents=frozenset(documents),
    )
