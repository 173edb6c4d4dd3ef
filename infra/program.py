"""What is declared, in the order in which one thing needs another."""

import pulumi

from infra import config, outputs
from infra.alarms import Alarms
from infra.api import ApiHost
from infra.documents.worker import EdgeAnswers
from infra.edge.access import OperatorsAccess
from infra.edge.edge import Edge
from infra.edge.zone_rules import zone_rules
from infra.imports import BundleError
from infra.mail.records import MailRecords
from infra.names.aside import declare_aside
from infra.names.caa import CaaRecords
from infra.names.zone import Zone
from infra.origin.pulls import OriginPulls
from infra.pipeline import Pipeline
from infra.problems import ConfigError
from infra.queues import Queues
from infra.redirects.bulk import BulkRedirects
from infra.secrets import Secrets
from infra.settings import Stack
from infra.stripe_endpoint import RetiredEndpoints, StripeEndpoint
from infra.table import Table
from infra.uptime import Uptime


def run() -> None:
    """Declare the running stack and export its contract. A wrong configuration ends it before anything is declared."""
    try:
        stack = config.stack()
        launch = declare(stack)
    except (ConfigError, BundleError) as error:
        raise pulumi.RunError(str(error)) from None  # shown as it is, without a traceback
    pulumi.export("contract", outputs.contract(launch))


def declare(stack: Stack) -> outputs.Launch:
    """Every resource of `stack`."""
    rules = zone_rules(stack) if stack.owns_zone else {}
    zone = Zone(stack)
    if stack.owns_zone:
        if stack.settings.caa.enabled:
            CaaRecords(stack, zone)
        declare_aside(stack)
        MailRecords(stack, zone)
        Edge(stack, zone, rules)
        BulkRedirects(stack)
        EdgeAnswers(stack, zone)
    OperatorsAccess(stack)
    api_host = ApiHost(stack, zone, OriginPulls(stack, zone))
    secrets = Secrets(stack)
    queues = Queues(stack)
    table = Table(stack)
    pipeline = Pipeline(stack, api_host, queues, table, secrets)
    alarms = Alarms(stack, queues, pipeline, api_host)
    uptime = Uptime(stack, api_host.record)
    stripe = StripeEndpoint(stack, outputs.endpoints(stack)["webhook"], [api_host.record, *pipeline.api.ready])
    signing = secrets.hold_signing(stripe.signing)
    RetiredEndpoints(stripe, signing)
    return outputs.Launch(
        stack=stack,
        zone=zone,
        api_host=api_host,
        queues=queues,
        table=table,
        secrets=secrets,
        pipeline=pipeline,
        alarms=alarms,
        uptime=uptime,
        stripe=stripe,
    )
