"""The contract: the one document that the checks read, instead of this program.

It names what was declared and what is expected of it, and holds no secret. Its version changes with its shape.
"""

from dataclasses import dataclass
from typing import Any

import pulumi

from handlers.settings import CLAIMS_PATH, HEALTH_PATH, MEMBERS_PATH, WEBHOOK_PATH
from infra import queues
from infra.alarms import EFFECT_SECONDS, Alarms
from infra.api import ApiHost
from infra.edge import edge
from infra.functions import Function
from infra.hostnames import APEX
from infra.mail.records import dkim_name, dmarc_name
from infra.names.zone import AUTOMATIC, Zone
from infra.origin.pulls import OriginPulls
from infra.pipeline import Pipeline
from infra.plans import PLANS
from infra.secrets import Secrets
from infra.settings import Stack
from infra.stripe_endpoint import StripeEndpoint
from infra.table import Table
from infra.uptime import REGION as UPTIME_REGION
from infra.uptime import Uptime

VERSION = 3
ACK_P95_MS = 500


@dataclass(frozen=True, kw_only=True)
class Launch:
    """Everything that was declared."""

    stack: Stack
    zone: Zone
    origin_pulls: OriginPulls
    api_host: ApiHost
    queues: queues.Queues
    table: Table
    secrets: Secrets
    pipeline: Pipeline
    alarms: Alarms
    uptime: Uptime
    stripe: StripeEndpoint


def contract(launch: Launch) -> dict[str, Any]:
    """The document; values that a provider gives are outputs inside it."""
    stack = launch.stack
    return {
        "version": VERSION,
        "project": stack.project,
        "stack": stack.name,
        "domain": stack.settings.domain,
        "region": stack.region,
        "livemode": stack.settings.livemode,
        "zone": _zone(launch),
        "hosts": _hosts(launch),
        "records": [],
        "caa": None,
        "parked": [],
        "retired": [],
        "redirects": _redirects(stack),
        "path_redirects": {"total": 0, "sample": []},
        "rungs": [],
        "edge": _edge(stack, launch.origin_pulls),
        "mail": _mail(stack),
        "endpoints": endpoints(stack),
        "webhook": {"bad_signature_status": stack.settings.webhook.bad_signature},
        "claims": _claims(stack),
        "event_source": stack.settings.event_bridge.source,
        "queues": _queues(launch.queues),
        "functions": [_function(stack, function) for function in launch.pipeline.functions],
        "table": {"name": launch.table.name, "arn": launch.table.arn},
        "alarms": _alarms(launch),
        "health_checks": [{"id": launch.uptime.check.id, "host": stack.api_host, "path": launch.uptime.path}],
        "secrets": [
            {"name": stored.name, "arn": stored.arn, "purpose": stored.purpose}
            for stored in launch.secrets.stored.values()
        ],
        "certificates": [{"arn": launch.api_host.certificate.arn, "domain": stack.api_host, "region": stack.region}],
        "stripe": _stripe(launch.stripe, stack),
        "thresholds": {"ack_p95_ms": ACK_P95_MS, "effect_seconds": EFFECT_SECONDS},
    }


def endpoints(stack: Stack) -> dict[str, str]:
    """The API's URLs; a member's is the members URL, a slash and the user id."""
    base = f"https://{stack.api_host}"
    return {
        "webhook": base + WEBHOOK_PATH,
        "members": base + MEMBERS_PATH,
        "claims": base + CLAIMS_PATH,
        "health": base + HEALTH_PATH,
    }


def _claims(stack: Stack) -> dict[str, Any] | None:
    """Where payers whom nobody knows claim what they bought; None where they cannot."""
    identity = stack.settings.identity
    return {"url": identity.claim_url, "days": identity.claim_days} if identity.claim_url else None


def _zone(launch: Launch) -> dict[str, Any]:
    settings = launch.stack.settings
    return {
        "id": launch.zone.id,
        "name": settings.domain,
        "plan": settings.zone_plan,
        "name_servers": launch.zone.name_servers,
        "role": settings.zone,
        "dnssec": False,
    }


def _hosts(launch: Launch) -> list[dict[str, Any]]:
    stack = launch.stack
    declared = [
        _host(stack.host(host.name), host.role, host.type, host.content, host.proxied, host.record_ttl)
        for host in stack.settings.hosts
    ]
    www = [_host(stack.www_host, "redirect", "CNAME", stack.host(APEX), True, AUTOMATIC)] if stack.owns_zone else []
    return [
        *declared,
        *www,
        _host(stack.api_host, "api", "CNAME", launch.api_host.target, True, AUTOMATIC),
    ]


def _host(
    name: str, role: str, kind: str, content: pulumi.Input[str | None], proxied: bool, ttl: int
) -> dict[str, Any]:
    return {
        "name": name,
        "role": role,
        "type": kind,
        "content": content,
        "proxied": proxied,
        "ttl": ttl,
        "platform": None,
    }


def _redirects(stack: Stack) -> list[dict[str, Any]]:
    if not stack.owns_zone:
        return []
    return [
        {
            "from_host": stack.www_host,
            "to_host": stack.host(APEX),
            "status": edge.REDIRECT_STATUS,
            "preserve_path": True,
            "preserve_query": True,
        }
    ]


def _edge(stack: Stack, origin_pulls: OriginPulls) -> dict[str, Any]:
    settings = stack.settings
    hsts, limit = settings.hsts, settings.rate_limit
    return {
        "ssl": edge.SSL,
        "min_tls_version": edge.MIN_TLS,
        "tls_1_3": True,
        "hsts": hsts.model_dump(),
        "https_redirect_hosts": list(stack.proxied_web_hosts),
        "http_refused_hosts": [stack.api_host],
        "cache": {
            "static_paths": list(settings.cache.static_paths),
            "edge_ttl_seconds": settings.cache.edge_ttl_seconds,
            "never_paths": [],
            "session_cookies": [],
        },
        "waf": {"blocked_paths": list(settings.waf.blocked_paths), "managed": []},
        "rate_limits": [
            {
                "name": "rate-limit",
                "hosts": [],
                "paths": [limit.path],
                "requests": limit.requests,
                "period_seconds": limit.period_seconds,
                "mitigation_seconds": PLANS[settings.zone_plan].rate_limit_mitigation,
            }
        ],
        "unprotected": [],
        "headers": [],
        "csp": [],
        "cors": None,
        "bot_fight_mode": False,
        "ddos": None,
        "webhook_addresses": [],
        "access_hosts": [],
        "maintenance": None,
        "documents": [],
        "noindex_hosts": [],
        "origin_pulls": origin_pulls.contract(),
    }


def _mail(stack: Stack) -> dict[str, Any]:
    mail, domain = stack.settings.mail, stack.settings.domain
    return {
        "mx": [{"host": mx.host, "priority": mx.priority} for mx in mail.mx],
        "spf": {"name": domain, "value": mail.spf.value},
        "dkim": [
            {
                "selector": dkim.selector,
                "name": dkim_name(dkim.selector, domain),
                "type": dkim.type,
                "value": dkim.value,
            }
            for dkim in mail.dkim
        ],
        "dmarc": {"name": dmarc_name(domain), "policy": mail.dmarc.policy, "rua": list(mail.dmarc.rua)},
    }


def _queues(declared: queues.Queues) -> list[dict[str, Any]]:
    found = [_work_queue(declared.events, "events", None)]
    found += [_work_queue(queue, "sync", name) for name, queue in declared.sync.items()]
    found += [_work_queue(declared.bridge, "bridge", None)] if declared.bridge else []
    found.append(_dead_queue(declared.events, None))
    found += [_dead_queue(queue, name) for name, queue in declared.sync.items()]
    found += [_dead_queue(declared.bridge, None)] if declared.bridge else []
    return found


def _work_queue(queue: queues.WorkQueue, purpose: str, destination: str | None) -> dict[str, Any]:
    return {
        "name": queue.name,
        "url": queue.url,
        "arn": queue.arn,
        "purpose": purpose,
        "destination": destination,
        "dlq": queue.dead.arn,
        "max_receive_count": queues.MAX_RECEIVE_COUNT,
        "visibility_seconds": queue.visibility_seconds,
    }


def _dead_queue(queue: queues.WorkQueue, destination: str | None) -> dict[str, Any]:
    return {
        "name": queue.dead_name,
        "url": queue.dead.id,
        "arn": queue.dead.arn,
        "purpose": "dlq",
        "destination": destination,
        "dlq": None,
        "max_receive_count": None,
        "visibility_seconds": queue.dead_visibility_seconds,
    }


def _function(stack: Stack, function: Function) -> dict[str, Any]:
    return {
        "name": function.name,
        "purpose": function.duty.entrypoint,
        "destination": function.duty.destination,
        "timeout_seconds": function.duty.timing.timeout_seconds,
        "log_group": function.log_group_name,
        "retention_days": stack.settings.log_retention_days,
        "role_arn": function.role.arn,
    }


def _alarms(launch: Launch) -> list[dict[str, Any]]:
    region = launch.stack.region
    here = [{"name": name, "region": region, "purpose": purpose} for name, purpose in launch.alarms.declared]
    return [*here, {"name": launch.uptime.alarm_name, "region": UPTIME_REGION, "purpose": "uptime"}]


def _stripe(endpoint: StripeEndpoint, stack: Stack) -> dict[str, Any]:
    return {
        "endpoint_id": endpoint.endpoint_id,
        "url": endpoint.declared.url,
        "api_version": endpoint.declared.api_version,
        "events": list(endpoint.declared.events),
        "livemode": stack.settings.livemode,
    }
