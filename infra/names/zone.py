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
        self.zone = self._own(stack) if stack.owns_zone else None
        # A tenant's zone is its owner's: nothing here may make, change or delete it.
        self.id = self.zone.id if self.zone else pulumi.Output.from_input(settings.zone_id)
        self.records = [self._host(stack, host) for host in settings.hosts]
        if stack.owns_zone:
            self.record("host-www", stack.www_host, "CNAME", stack.host(APEX), proxied=True)
        self.register_outputs({"id": self.id})

    @property
    def name_servers(self) -> pulumi.Output[list[str]]:
        """Those that Cloudflare assigned; none that a tenant would know of."""
        if self.zone is None:
            return pulumi.Output.from_input([])
        return self.zone.name_servers.apply(lambda names: list(names or []))

    def _own(self, stack: Stack) -> cloudflare.Zone:
        settings = stack.settings
        return cloudflare.Zone(
            "zone",
            account=cloudflare.ZoneAccountArgs(id=settings.cloudflare_account_id),
            name=settings.domain,
            type="full",
            opts=self.child(protect=settings.protect),
        )

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
            zone_id=self.id,
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
