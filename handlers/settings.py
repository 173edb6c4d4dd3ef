"""Names that the declaration (`infra`) and the functions share: environment, destinations, events.

No I/O and standard library only: `infra` imports this module, and it is part of every function's bundle.
"""

from enum import StrEnum
from typing import Literal, NamedTuple


class Env(StrEnum):
    """Environment variables of the functions; each holds a reference or a policy, never a secret."""

    STACK = "LAUNCH_STACK"
    LIVEMODE = "LAUNCH_LIVEMODE"  # "true" or "false": which Stripe mode this stack accepts
    EVENTS_QUEUE_URL = "EVENTS_QUEUE_URL"
    SIGNING_SECRET_ID = "SIGNING_SECRET_ID"  # ARN; value {"current": "whsec_…", "previous": "whsec_…" | null}
    STRIPE_SECRET_ID = "STRIPE_SECRET_ID"  # ARN of the restricted read key
    TABLE_NAME = "TABLE_NAME"
    POLICY = "MEMBERSHIP_POLICY"  # JSON, see handlers.core.policy
    SYNC_QUEUE_URLS = "SYNC_QUEUE_URLS"  # JSON {destination: queue URL}
    DESTINATION = "DESTINATION"  # name in DESTINATIONS that this sync function serves
    DESTINATION_SECRET_ID = "DESTINATION_SECRET_ID"  # ARN; value is the vendor's key as it is
    DESTINATION_MODE = "DESTINATION_MODE"  # JSON {"mode": "on" | "shadow" | "off", "percent": 0 to 100}
    DESTINATION_MODES = "DESTINATION_MODES"  # JSON {destination: what its DESTINATION_MODE is}
    DESTINATION_OPTIONS = "DESTINATION_OPTIONS"  # JSON, the stack's settings for this destination
    IDENTITY_SECRET_ID = "IDENTITY_SECRET_ID"  # ARN; {"current", "previous"}, shared with the app
    CLAIM_URL = "CLAIM_URL"  # page of the app that takes a claim token; unset where payers cannot claim
    CLAIM_DAYS = "CLAIM_DAYS"  # how long a claim token is good for
    BAD_SIGNATURE_STATUS = "BAD_SIGNATURE_STATUS"  # what the webhook answers to what Stripe did not sign
    EVENT_SOURCE = "EVENT_SOURCE"  # Stripe's partner event source at EventBridge, aws.partner/stripe.com/ed_…
    AWS_ACCOUNT = "AWS_ACCOUNT_NUMBER"  # the account whose event bus may hand events over
    ORIGIN_CERTIFICATE_ENDS = "ORIGIN_CERTIFICATE_ENDS"  # RFC 3339; unset where the edge shows none to the API
    STRIPE_API_BASE = "STRIPE_API_BASE"  # only where Stripe is not at its public address


class DestinationSpec(NamedTuple):
    """One place that membership is carried to: its queue, function, role and secret follow from this entry.

    A NamedTuple: importing dataclasses would be a fifth of the webhook's start-up.
    """

    name: str
    carries: Literal["state", "notices"]
    config_secret: str  # stack config key of the vendor's API key
    base_url: str
    base_url_env: str  # overrides base_url where the vendor is not at its public address
    calls_per_minute: int
    calls_per_month: int | None = None  # None where the vendor's plan has no such limit
    max_attempts: int = 12


DESTINATIONS: tuple[DestinationSpec, ...] = (
    DestinationSpec(
        name="kit",
        carries="state",
        config_secret="kitApiKey",
        base_url="https://api.kit.com/v4",
        base_url_env="KIT_API_BASE",
        calls_per_minute=120,
    ),
    DestinationSpec(
        name="slack",
        carries="notices",
        config_secret="slackBotToken",
        base_url="https://slack.com/api",
        base_url_env="SLACK_API_BASE",
        calls_per_minute=50,
    ),
)


def destination(name: str) -> DestinationSpec:
    """The entry called `name`; KeyError names the known ones."""
    for spec in DESTINATIONS:
        if spec.name == name:
            return spec
    raise KeyError(f"no destination {name!r}; known: {', '.join(d.name for d in DESTINATIONS)}")


# What the webhook endpoint subscribes to (Stripe, "Types of events"). Anything else is not sent to us.
STRIPE_EVENTS: tuple[str, ...] = (
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.refunded",
    "checkout.session.async_payment_failed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.completed",
    "checkout.session.expired",
    "customer.created",
    "customer.deleted",
    "customer.subscription.created",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.resumed",
    "customer.subscription.trial_will_end",
    "customer.subscription.updated",
    "customer.updated",
    "invoice.paid",
    "invoice.payment_action_required",
    "invoice.payment_failed",
    "invoice.payment_succeeded",
    "invoice_payment.paid",
    "payment_intent.payment_failed",
    "payment_intent.succeeded",
    "refund.created",
    "refund.failed",
    "refund.updated",
)

WEBHOOK_PATH = "/webhooks/stripe"
MEMBERS_PATH = "/v1/members"  # GET {MEMBERS_PATH}/{user_id}
CLAIMS_PATH = "/v1/claims"  # POST {"token", "user_id"}
HEALTH_PATH = "/health"

DUE_INDEX = "due"  # sparse index over deliveries that wait for a try
DUE_SHARDS = 4
