"""Domains beside the app's own: parked ones, which serve nothing, and retired ones, which lead elsewhere.

Each is a zone of its own. Neither sends or receives mail and both say so, because a domain that says nothing may be
used in anybody's sender address: a null MX (RFC 7505), an SPF record that allows nobody (RFC 7208), DMARC reject
(RFC 9989) and a revoked key for every DKIM selector (RFC 6376 section 3.6.1).
"""

import pulumi_cloudflare as cloudflare

from infra.component import Component
from infra.edge import expressions
from infra.names.record_sections import NULL_MX
from infra.names.text import quoted
from infra.names.ttl import AUTOMATIC
from infra.names.zone import ORIGINLESS
from infra.names.zone_sections import Retired
from infra.settings import Stack

RETIRED_STATUS = 301
SILENT_TEXTS = (
    ("spf", "", "v=spf1 -all"),
    ("dmarc", "_dmarc.", "v=DMARC1; p=reject"),
    ("dkim", "*._domainkey.", "v=DKIM1; p="),
)


class SilentDomain(Component):
    """A zone without mail; signed where the stack's own is."""

    def __init__(self, stack: Stack, domain: str, kind: str) -> None:
        super().__init__(f"{kind}-{domain}")
        settings = stack.settings
        self.domain = domain
        self._kind = kind
        self.zone = cloudflare.Zone(
            f"zone-{domain}",
            account=cloudflare.ZoneAccountArgs(id=settings.cloudflare_account_id),
            name=domain,
            type="full",
            opts=self.child(protect=settings.protect),
        )
        self._record("mx", domain, "MX", NULL_MX, priority=0)
        for name, label, text in SILENT_TEXTS:
            self._record(name, f"{label}{domain}", "TXT", quoted(text))
        if settings.dnssec:
            cloudflare.ZoneDnssec(f"{kind}-{domain}-dnssec", zone_id=self.zone.id, status="active", opts=self.child())

    def _record(
        self, name: str, owner: str, kind: str, content: str, *, proxied: bool = False, priority: int | None = None
    ) -> None:
        cloudflare.DnsRecord(
            f"{self._kind}-{self.domain}-{name}",
            zone_id=self.zone.id,
            name=owner,
            type=kind,
            content=content,
            proxied=proxied,
            ttl=AUTOMATIC,
            priority=priority,
            opts=self.child(),
        )


class ParkedDomain(SilentDomain):
    """A domain that is held and not used: no address, no mail."""

    def __init__(self, stack: Stack, domain: str) -> None:
        super().__init__(stack, domain, "parked")
        self.register_outputs({})


class RetiredDomain(SilentDomain):
    """A domain that leads elsewhere in one hop, whatever of it is asked for: any host, over http and https alike."""

    def __init__(self, stack: Stack, retired: Retired) -> None:
        super().__init__(stack, retired.domain, "retired")
        self._record("apex", retired.domain, "AAAA", ORIGINLESS, proxied=True)
        self._record("any", f"*.{retired.domain}", "AAAA", ORIGINLESS, proxied=True)
        cloudflare.Ruleset(
            f"retired-{retired.domain}-redirects",
            zone_id=self.zone.id,
            kind="zone",
            name="redirects",
            phase="http_request_dynamic_redirect",
            rules=[_everything_to(retired)],
            opts=self.child(),
        )
        self.register_outputs({})


def declare_aside(stack: Stack) -> None:
    """The zones of every parked and every retired domain."""
    for domain in stack.settings.parked:
        ParkedDomain(stack, domain)
    for retired in stack.settings.retired:
        RetiredDomain(stack, retired)


def _everything_to(retired: Retired) -> cloudflare.RulesetRuleArgs:
    return cloudflare.RulesetRuleArgs(
        ref="retired",
        description=f"{retired.domain} has moved to {retired.to}",
        expression="true",
        action="redirect",
        enabled=True,
        action_parameters=cloudflare.RulesetRuleActionParametersArgs(
            from_value=cloudflare.RulesetRuleActionParametersFromValueArgs(
                status_code=RETIRED_STATUS,
                preserve_query_string=retired.keep_path,
                target_url=_target(retired),
            )
        ),
    )


def _target(retired: Retired) -> cloudflare.RulesetRuleActionParametersFromValueTargetUrlArgs:
    place = retired.to.removeprefix("https://")
    if retired.keep_path:
        expression = expressions.same_place_at(expressions.literal(place))
        return cloudflare.RulesetRuleActionParametersFromValueTargetUrlArgs(expression=expression)
    # Without a path of its own an address ends in a slash, as browsers send it.
    address = retired.to if "/" in place else f"{retired.to}/"
    return cloudflare.RulesetRuleActionParametersFromValueTargetUrlArgs(value=address)
