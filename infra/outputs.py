"""The contract: the one document that the checks read, instead of this program.

It names what was declared and what is expected of it, and holds no secret. Its version changes with its shape.
"""

from dataclasses import dataclass
from typing import Any

from handlers.settings import CLAIMS_PATH, HEALTH_PATH, MEMBERS_PATH, WEBHOOK_PATH
from infra import queues
from infra.alarms import EFFECT_SECONDS, Alarms
from infra.api import ApiHost
from infra.documents import contract as documents_contract
from infra.edge import contract as edge_contract
from infra.edge.access import access_hosts
from infra.functions import Function
from infra.mail import contract as mail_contract
from infra.names import contract as names_contract
from infra.names.zone import Zone
from infra.pipeline import Pipeline
from infra.redirects import contract as redirects_contract
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
        "zone": names_contract.zone(stack, launch.zone),
        "hosts": names_contract.hosts(stack, launch.api_host.target),
        "records": names_contract.records(stack),
        "caa": names_contract.authorities(stack),
        "parked": list(stack.settings.parked),
        "retired": names_contract.retired(stack),
        "redirects": redirects_contract.redirects(stack),
        "path_redirects": redirects_contract.path_redirects(stack),
        "rungs": [*edge_contract.rungs(stack), mail_contract.rung(stack.settings.mail.dmarc)],
        "edge": _edge(stack, launch.api_host),
        "mail": mail_contract.mail(stack.settings.mail, stack.settings.domain, stack.settings.spf_lookups),
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


def _edge(stack: Stack, api_host: ApiHost) -> dict[str, Any]:
    return {
        **edge_contract.edge(stack),
        "access_hosts": list(access_hosts(stack)),
        "maintenance": documents_contract.maintenance(stack),
        "documents": documents_contract.documents(stack),
        "origin_pulls": api_host.origin_pulls.contract(),
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
