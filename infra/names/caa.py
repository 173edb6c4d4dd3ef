"""Which authorities may issue certificates for the domain: exactly those that issue them (RFC 8659).

The records stand at the apex and so hold for every name below it that has none of its own.
"""

from collections.abc import Iterable

import pulumi_cloudflare as cloudflare

from infra.component import Component
from infra.names.platforms import AMAZON, GOOGLE, LETS_ENCRYPT
from infra.names.sections import Host
from infra.names.zone import Zone
from infra.settings import Stack

# Cloudflare's Universal SSL, its certificate for the apex and *.<domain>, and the backup of that. It serves these
# records by itself in a zone that has any CAA, so leaving one out would only hide it.
# https://developers.cloudflare.com/ssl/edge-certificates/caa-records/
EDGE_ISSUERS = (LETS_ENCRYPT, GOOGLE, "ssl.com", "sectigo.com")
# AWS Certificate Manager, for the API's custom domain; one of Amazon's four names is enough.
# https://docs.aws.amazon.com/acm/latest/userguide/setup-caa.html
API_ISSUERS = (AMAZON,)


class CaaRecords(Component):
    """One `issue` for each authority, one `issuewild` for those that issue the edge's wildcard certificate."""

    def __init__(self, stack: Stack, zone: Zone) -> None:
        super().__init__("caa")
        self._zone = zone
        for issuer in issuers(stack):
            self._record(f"caa-{issuer}", "issue", issuer)
        for issuer in wildcard_issuers():
            self._record(f"caa-wild-{issuer}", "issuewild", issuer)
        if stack.settings.caa.iodef:
            self._record("caa-iodef", "iodef", stack.settings.caa.iodef)
        self.register_outputs({})

    def _record(self, resource: str, tag: str, value: str) -> None:
        data = cloudflare.DnsRecordDataArgs(flags=0, tag=tag, value=value)
        self._zone.record(resource, self._zone.domain, "CAA", data=data, parent=self)


def issuers(stack: Stack) -> tuple[str, ...]:
    """Those that may issue for a name: the edge's, the API's, those of each platform, and what config adds; sorted."""
    hosts = [*stack.settings.hosts, *(host for tenant in stack.tenants for host in tenant.hosts)]
    return tuple(sorted({*EDGE_ISSUERS, *API_ISSUERS, *platform_issuers(hosts), *stack.settings.caa.also}))


def wildcard_issuers() -> tuple[str, ...]:
    """Those that may issue for `*.<domain>`: nobody but the edge needs one; sorted."""
    return tuple(sorted(EDGE_ISSUERS))


def platform_issuers(hosts: Iterable[Host]) -> frozenset[str]:
    """The authorities of the hosts' platforms."""
    return frozenset(issuer for host in hosts for issuer in host.preset.issuers)
