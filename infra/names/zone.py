"""The zone and the names in it that lead somewhere."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_cloudflare as cloudflare

from infra.component import Component
from infra.hostnames import APEX
from infra.names.naming import former_resources, host_resources, record_resources
from infra.names.record_data import Value
from infra.names.record_sections import ZoneRecord
from infra.names.sections import Host
from infra.names.ttl import AUTOMATIC
from infra.plans import PLANS
from infra.settings import Stack

ORIGINLESS = "100::"  # the discard prefix (RFC 6666): the edge answers and asks nobody behind it


class Zone(Component):
    """The Cloudflare zone with the hosts of the app and of operations, and the alias that the edge redirects.

    The zone is protected where the stack says so: to lose it is to lose every record and the delegation.
    An existing zone is imported before the first `up`, never made twice (`pulumi import`).
    """

    def __init__(self, stack: Stack) -> None:
        super().__init__("zone")
        settings = stack.settings
        self.domain = settings.domain
        self._plan = settings.zone_plan
        self._count = 0
        self.zone = self._own(stack) if stack.owns_zone else None
        # A tenant's zone is its owner's: nothing here may make, change or delete it.
        self.id = self.zone.id if self.zone else pulumi.Output.from_input(settings.zone_id)
        for host in settings.hosts:
            self._host(stack, host)
        if stack.owns_zone:
            self._alias(stack)
            if settings.dnssec:
                cloudflare.ZoneDnssec("dnssec", zone_id=self.id, status="active", opts=self.child())
        self._verbatim(stack)
        self.register_outputs({"id": self.id})

    @property
    def name_servers(self) -> pulumi.Output[list[str]]:
        """Those that Cloudflare assigned; none that a tenant would know of."""
        if self.zone is None:
            return pulumi.Output.from_input([])
        return self.zone.name_servers.apply(lambda names: list(names or []))

    def record(
        self,
        resource: str,
        name: pulumi.Input[str],
        kind: str,
        content: pulumi.Input[str] | None = None,
        *,
        data: cloudflare.DnsRecordDataArgs | None = None,
        proxied: bool = False,
        ttl: int | None = None,
        priority: int | None = None,
        comment: str | None = None,
        former: str | None = None,
        parent: pulumi.Resource | None = None,
    ) -> cloudflare.DnsRecord:
        """One record of this zone, at an absolute `name`, with `content` or, where Cloudflare wants parts, `data`.

        TXT content is quoted by the caller (`infra.names.text.quoted`). `former` is what the resource was called
        before. Raises RunError where the plan is full.
        """
        self._count += 1
        most = PLANS[self._plan].dns_records
        if self._count > most:
            limit = f"plan {self._plan!r} holds {most} records and {resource} would be one more"
            raise pulumi.RunError(f"zone {self.domain}: {limit}; declare fewer, or use a larger zonePlan")
        return cloudflare.DnsRecord(
            resource,
            zone_id=self.id,
            name=name,
            type=kind,
            content=content,
            data=data,
            proxied=proxied,
            ttl=ttl or AUTOMATIC,
            priority=priority,
            comment=comment,
            opts=pulumi.ResourceOptions(parent=parent or self, aliases=[pulumi.Alias(name=former)] if former else None),
        )

    def _own(self, stack: Stack) -> cloudflare.Zone:
        settings = stack.settings
        return cloudflare.Zone(
            "zone",
            account=cloudflare.ZoneAccountArgs(id=settings.cloudflare_account_id),
            name=settings.domain,
            type="full",
            opts=self.child(protect=settings.protect),
        )

    def _host(self, stack: Stack, host: Host) -> None:
        names = host_resources(host.name, [kind for kind, _ in host.records])
        for resource, (kind, content) in zip(names, host.records, strict=True):
            self.record(resource, stack.host(host.name), kind, content, proxied=host.proxied, ttl=host.record_ttl)

    def _alias(self, stack: Stack) -> None:
        """The name that only redirects; at the apex an address that nobody is asked at, because it has no target."""
        kind, content = alias_record(stack)
        resource = "host-www" if kind == "CNAME" else f"host-apex-{kind.lower()}"
        self.record(resource, stack.alias_host, kind, content, proxied=True)

    def _verbatim(self, stack: Stack) -> None:
        records = verbatim(stack)
        known = [(record.name, record.type, record.value) for record in records]
        named = zip(record_resources(known), former_resources(known), records, strict=True)
        for resource, former, record in named:
            self.record(
                resource,
                stack.host(record.name),
                record.type,
                record.sent_content,
                data=_data_args(record.data) if record.data is not None else None,
                proxied=record.proxied,
                ttl=record.record_ttl,
                priority=record.priority,
                comment=record.comment,
                former=former,
            )


def alias_record(stack: Stack) -> tuple[str, str]:
    """Type and content of the record of the name that only redirects."""
    if stack.settings.canonical == "apex":
        return "CNAME", stack.host(APEX)
    return "AAAA", ORIGINLESS


def verbatim(stack: Stack) -> list[ZoneRecord]:
    """The records that stand as they are written, then what the hosts' platforms want to see."""
    wanted = [entry.as_record for host in stack.settings.hosts for entry in host.validation]
    return [*stack.settings.records, *wanted]


def _data_args(data: Mapping[str, Value]) -> cloudflare.DnsRecordDataArgs:
    """The parts of a record, whose keys the configuration writes in camel case, for the provider."""
    parts: dict[str, Any] = {_snake(key): value for key, value in data.items()}
    return cloudflare.DnsRecordDataArgs(**parts)


def _snake(key: str) -> str:
    return "".join(f"_{character.lower()}" if character.isupper() else character for character in key)
