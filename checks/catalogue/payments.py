"""The checks of Stripe and of the webhook."""

from checks.catalogue.checklist import entries
from checks.commands import curl, only, stripe
from checks.model import Check
from checks.probes import stripe as stripe_probes
from checks.probes import webhook
from checks.probes.aws import pipeline
from checks.rules import stripe as stripe_rules
from checks.rules import webhook as webhook_rules
from checks.scope import Scope

ENDPOINTS = "/v1/webhook_endpoints?limit=100"


def checks() -> tuple[Check, ...]:
    """Every check of this area."""
    return (*_endpoint(), *_account(), *_webhook())


def _endpoint() -> tuple[Check, ...]:
    return (
        Check(
            entry=entries()["stripe.endpoint"],
            probe=stripe_probes.endpoints,
            rule=stripe_rules.endpoint,
            fix="deploy again and delete endpoints made by hand",
            command=lambda scope: stripe(scope, ENDPOINTS),
        ),
        Check(
            entry=entries()["stripe.events"],
            probe=stripe_probes.endpoints,
            rule=stripe_rules.events,
            fix="deploy again: the endpoint must get the events that membership needs, and no others",
            command=lambda scope: stripe(scope, ENDPOINTS),
        ),
        Check(
            entry=entries()["stripe.version"],
            probe=stripe_probes.endpoints,
            rule=stripe_rules.version,
            fix="replace the endpoint: its api_version cannot be changed",
            command=lambda scope: stripe(scope, ENDPOINTS),
        ),
    )


def _account() -> tuple[Check, ...]:
    return (
        Check(
            entry=entries()["stripe.account"],
            probe=stripe_probes.account,
            rule=stripe_rules.account,
            fix="answer what Stripe asks for in its dashboard",
            command=lambda scope: stripe(scope, "/v1/account"),
            only_live="an invented business has no account to be verified",
        ),
        Check(
            entry=entries()["sec.testkeys"],
            probe=_modes,
            rule=stripe_rules.modes,
            fix="set `livemode` and the keys of the same mode, and deploy",
            command=only("sec.testkeys"),
        ),
    )


def _webhook() -> tuple[Check, ...]:
    return (
        Check(
            entry=entries()["wh.unsigned"],
            probe=webhook.unsigned,
            rule=webhook_rules.refused,
            fix="the function must verify the raw body before anything else, and answer 400",
            command=lambda scope: curl(scope, scope.contract.endpoints.webhook, "-X", "POST", "-d", "{}"),
        ),
        Check(
            entry=entries()["wh.stale"],
            probe=webhook.stale,
            rule=webhook_rules.refused,
            fix="the function must refuse timestamps more than 300 s away, in both directions",
            command=only("wh.stale"),
        ),
        Check(
            entry=entries()["wh.ack"],
            probe=webhook.acknowledgements,
            rule=webhook_rules.ack,
            fix="look at the function's memory and cold starts, and at what stands between it and the queue",
            command=only("wh.ack"),
            only_live="a rehearsal's times are this machine's, not those of the edge and of AWS",
            mutates=True,
            serial="webhook",
            timeout=90.0,
        ),
    )


def _modes(scope: Scope) -> tuple[tuple[stripe_probes.EndpointFacts, ...], tuple[pipeline.FunctionFacts, ...]]:
    return stripe_probes.endpoints(scope), pipeline.functions(scope)
