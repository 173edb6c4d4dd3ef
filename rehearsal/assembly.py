"""All twins of one rehearsal, started together and gone together."""

import secrets
import time
from collections.abc import Callable, Mapping, Set
from contextlib import ExitStack
from dataclasses import dataclass

from rehearsal.route import STRIPE_ADDRESS, Route
from rehearsal.site import Site
from rehearsal.target import Target
from rehearsal.twins.aws import AwsTwin
from rehearsal.twins.ca import CertificateAuthority
from rehearsal.twins.cloudflare_api import CloudflareApiTwin
from rehearsal.twins.dns import DnsTwin
from rehearsal.twins.edge import Edge, Origin
from rehearsal.twins.event_source import EventSources
from rehearsal.twins.gateway_front import GatewayFronts
from rehearsal.twins.kit import KitTwin
from rehearsal.twins.origin import OriginTwin
from rehearsal.twins.schedules import Schedules
from rehearsal.twins.slack import SlackTwin
from rehearsal.twins.stripe import StripeTwin
from rehearsal.twins.zone import ZoneTwin

# A failed message appears again after a second instead of the queue's whole visibility timeout, and the sweep runs
# every five seconds instead of each minute, which is a minute of the vendors' limits too: waiting is not what a
# rehearsal is for. The report names all three.
REDELIVERY_SECONDS = 1
SCHEDULE_SPEED = 12.0


@dataclass(frozen=True, kw_only=True)
class Keys:
    """The vendors' keys that the stand-ins take, made up for one rehearsal."""

    kit: str
    slack: str


@dataclass(kw_only=True)
class Twins:
    """The running twins, ended in the opposite order of their start, whatever happened."""

    aws: AwsTwin
    zone: ZoneTwin
    dns: DnsTwin
    cloudflare: CloudflareApiTwin
    edge: Edge
    stripe: StripeTwin
    kit: KitTwin
    slack: SlackTwin
    authority: CertificateAuthority
    route: Route
    target: Target
    keys: Keys

    def overrides(self) -> dict[str, str]:
        """The stack's config where it must differ: Stripe's address, and keys that the stand-ins take."""
        return {
            "stripeApiBase": self.stripe.url,
            "stripeApiKey": self.stripe.api_key,
            "stripeReadKey": self.stripe.read_key,
            "kitApiKey": self.keys.kit,
            "slackBotToken": self.keys.slack,
        }


def start(site: Site, running: ExitStack, log: Callable[[str], None], owner: Site | None = None) -> Twins:
    """Start all twins; `running` ends them. `owner` is the stack that owns the zone, where `site` is its tenant.

    Raises TwinError when one does not start.
    """
    sites = [site, owner] if owner else [site]
    aws = running.enter_context(AwsTwin(site.region))
    authority = CertificateAuthority(aws.directory)
    zone = ZoneTwin(plans={site.domain: (owner or site).plan})
    dns = running.enter_context(DnsTwin(zone))
    cloudflare = running.enter_context(CloudflareApiTwin(zone, secrets.token_urlsafe(30)))
    origin = running.enter_context(OriginTwin(authority, sorted({host for each in sites for host in each.web_hosts})))
    fronts = running.enter_context(GatewayFronts(authority, aws.endpoint))
    edge = running.enter_context(Edge(zone, authority, _origins({each.api_host for each in sites}, fronts, origin)))
    route = Route(dns.port, edge.ports, str(authority.file))
    transport = running.enter_context(route.client(timeout=15.0, address=STRIPE_ADDRESS))
    stripe = StripeTwin(livemode=site.livemode, transport=transport)
    stripe.start()
    running.callback(stripe.stop)
    keys = Keys(kit=f"kit_{secrets.token_hex(16)}", slack=f"xoxb-{secrets.token_hex(16)}")
    kit = running.enter_context(KitTwin(keys.kit, site.kit_tags.values(), clock=_hurried))
    slack = running.enter_context(SlackTwin(keys.slack, [site.slack_channel], clock=_hurried))
    return Twins(
        aws=aws,
        zone=zone,
        dns=dns,
        cloudflare=cloudflare,
        edge=edge,
        stripe=stripe,
        kit=kit,
        slack=slack,
        authority=authority,
        route=route,
        target=_target(
            aws, zone, fronts, {"kit": kit.base_url, "slack": slack.base_url, "stripe": stripe.url}, running, log
        ),
        keys=keys,
    )


def _hurried() -> float:
    return time.monotonic() * SCHEDULE_SPEED


def _origins(api_hosts: Set[str], fronts: GatewayFronts, origin: OriginTwin) -> Callable[[str], Origin | None]:
    app = origin.origin
    return lambda host: fronts.origin(host) if host in api_hosts else app


def _target(
    aws: AwsTwin,
    zone: ZoneTwin,
    fronts: GatewayFronts,
    vendors: Mapping[str, str],
    running: ExitStack,
    log: Callable[[str], None],
) -> Target:
    event_sources = EventSources(aws, log, redelivery_seconds=REDELIVERY_SECONDS)
    running.callback(event_sources.stop)
    schedules = Schedules(aws, log, speed=SCHEDULE_SPEED)
    running.callback(schedules.stop)
    bases = {f"{vendor.upper()}_API_BASE": url for vendor, url in vendors.items()}
    return Target(
        aws=aws,
        event_sources=event_sources,
        schedules=schedules,
        zone=zone,
        fronts=fronts,
        overrides={"AWS_ENDPOINT_URL": aws.endpoint, **bases},
        log=log,
    )
