"""The zone and the names in it that lead somewhere."""

import pulumi
import pulumi_cloudflare as cloudflare

from infra.component import Component
from infra.hostnames import APEX
from infra.names.sections import Host
from infra.settings import Stack

AUTOMATIC = 1  # seconds: the only ttl that Cloudflare takes for a proxied record
DEFAULT_TTL = 300  # seconds: short enough to move within a launch, inside what RFC 1912 advises


class Zone(Component):
    """The Cloudflare zone with the hosts of the app and of operations, and www, which the edge redirects.

    The zone is protected where the stack says so: to lose it is to lose every record and the delegation.
    An existing zone is imported before the first `up`, never made twice (`pulumi import`).
    """

    def __init__(self, stack: Stack) -> None:
        super().__init__("zone")
        settings = stack.settings
        self.domain = settings.domain
        self.zone = cloudflare.Zone(
            "zone",
            account=cloudflare.ZoneAccountArgs(id=settings.cloudflare_account_id),
            name=settings.domain,
            type="full",
            opts=self.child(protect=settings.protect),
        )
        self.records = [self._host(stack, host) for host in settings.hosts]
        self.www = self.record("host-www", stack.www_host, "CNAME", stack.host(APEX), proxied=True)
        self.register_outputs({"id": self.zone.id})

    @property
    def id(self) -> pulumi.Output[str]:
        """Cloudflare's id of the zone."""
        return self.zone.id

    def record(
        self,
        resource: str,
        name: pulumi.Input[str],
        kind: str,
        content: pulumi.Input[str],
        *,
        proxied: bool = False,
        ttl: int | None = None,
        priority: int | None = None,
        parent: pulumi.Resource | None = None,
    ) -> cloudflare.DnsRecord:
        """One record, at an absolute `name`; TXT content is quoted by the caller (`infra.mail.records.quoted`)."""
        return cloudflare.DnsRecord(
            resource,
            zone_id=self.zone.id,
            name=name,
            type=kind,
            content=content,
            proxied=proxied,
            ttl=ttl or (AUTOMATIC if proxied else DEFAULT_TTL),
            priority=priority,
            opts=pulumi.ResourceOptions(parent=parent or self),
        )

    def _host(self, stack: Stack, host: Host) -> cloudflare.DnsRecord:
        label = "apex" if host.name == APEX else host.name
        return self.record(
            f"host-{label}-{host.type.lower()}",
            stack.host(host.name),
            host.type,
            host.content,
            proxied=host.proxied,
            ttl=host.record_ttl,
        )
