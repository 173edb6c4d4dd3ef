"""The checks of what the edge refuses, limits, lets through and answers itself."""

from checks import commands
from checks.catalogue.checklist import entries
from checks.commands import curl, only
from checks.model import Check
from checks.probes import cloudflare, cors, edge, published, webhook
from checks.rules import cors as cors_rules
from checks.rules import edge as rules
from checks.rules import published as published_rules
from checks.rules import settings


def checks() -> tuple[Check, ...]:
    """Every check of this area."""
    return (*_refusals(), *_callers(), *_zone())


def _refusals() -> tuple[Check, ...]:
    return (
        Check(
            entry=entries()["edge.waf"],
            probe=edge.sensitive,
            rule=rules.waf,
            fix="restore the WAF rule over `waf.blockedPaths`; it must cover /.env and /.git/",
            command=lambda scope: curl(scope, f"https://{scope.contract.domain}/.env"),
            timeout=30.0,
        ),
        Check(
            entry=entries()["edge.waf-managed"],
            probe=edge.attacks,
            rule=rules.managed,
            fix="restore the managed rulesets, and look for a skip rule that takes all requests out of them",
            command=lambda scope: curl(scope, f"https://{scope.contract.domain}{edge.ATTACK}"),
        ),
        Check(
            entry=entries()["edge.rate"],
            probe=edge.bursts,
            rule=rules.rate,
            fix="restore the rules of `rateLimits`",
            command=only("edge.rate"),
            mutates=True,
            serial="rate limit",
            last=True,
            timeout=90.0,
        ),
        Check(
            entry=entries()["edge.rate-recovery"],
            probe=edge.recovery,
            rule=rules.recovery,
            fix="shorten the limit's mitigation time",
            command=only("edge.rate-recovery"),
            only_live="a rehearsal does not wait for the mitigation time to pass",
            mutates=True,
            serial="rate limit",
            last=True,
            timeout=150.0,
        ),
        Check(
            entry=entries()["edge.access"],
            probe=edge.operators,
            rule=rules.operators,
            fix="declare `access:` with who may sign in, or let the host ask who one is",
            command=only("edge.access"),
        ),
    )


def _callers() -> tuple[Check, ...]:
    return (
        Check(
            entry=entries()["edge.webhook"],
            probe=webhook.unsigned_post,
            rule=rules.webhook,
            fix="turn Bot Fight Mode off and leave the webhook's path out of challenges, limits and redirects",
            command=lambda scope: curl(scope, scope.contract.endpoints.webhook, "-X", "POST", "-d", "{}"),
        ),
        Check(
            entry=entries()["edge.webhook-addresses"],
            probe=published.webhook_addresses,
            rule=published_rules.webhook_addresses,
            fix="take the published list into the program and deploy",
            command=lambda _: f"curl -sS {published.SITE}{published.PATH}",
        ),
        Check(
            entry=entries()["edge.webhook-skip"],
            probe=cloudflare.firewall,
            rule=published_rules.skipped_first,
            fix="deploy again: the skip rule must stand first, with Stripe's addresses and the webhook's host and path",
            command=lambda scope: commands.cloudflare(
                scope,
                f"/zones/{scope.contract.zone.id}/rulesets/phases/http_request_firewall_custom/entrypoint",
            ),
        ),
        Check(
            entry=entries()["edge.cors"],
            probe=cors.strangers,
            rule=cors_rules.strangers,
            fix="name the origins under `cors.origins`; no function may set these headers itself",
            command=lambda scope: curl(scope, scope.contract.endpoints.health, "-H", f"origin: {cors.STRANGER}"),
        ),
        Check(
            entry=entries()["edge.preflight"],
            probe=cors.preflights,
            rule=cors_rules.preflight,
            fix="name the origins and methods under `cors:` and deploy",
            command=only("edge.preflight"),
        ),
    )


def _zone() -> tuple[Check, ...]:
    return (
        Check(
            entry=entries()["edge.maintenance"],
            probe=edge.maintenance,
            rule=rules.maintenance,
            fix="set `maintenance.hosts` to the hosts that are closed, and deploy",
            command=lambda scope: curl(scope, f"https://{scope.contract.domain}/"),
        ),
        Check(
            entry=entries()["edge.settings"],
            probe=cloudflare.zone_settings,
            rule=settings.settings,
            fix="deploy again: somebody changed the zone's settings by hand",
            command=lambda scope: commands.cloudflare(scope, f"/zones/{scope.contract.zone.id}/settings"),
        ),
        Check(
            entry=entries()["edge.ddos"],
            probe=cloudflare.ddos,
            rule=settings.ddos,
            fix="deploy again with `ddos:` as it should be; an override made by hand is removed in the dashboard",
            command=lambda scope: commands.cloudflare(
                scope, f"/zones/{scope.contract.zone.id}/rulesets/phases/ddos_l7/entrypoint"
            ),
        ),
        Check(
            entry=entries()["edge.bots"],
            probe=cloudflare.bots,
            rule=settings.bots,
            fix="deploy again, with `bots.fightMode: false` where a webhook is behind the edge",
            command=lambda scope: commands.cloudflare(scope, f"/zones/{scope.contract.zone.id}/bot_management"),
        ),
    )
