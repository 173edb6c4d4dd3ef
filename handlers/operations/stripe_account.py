"""Whether the stack's read key shows the account and mode that the stack is for, and all that a command has to read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from handlers.adapters.stripe_lists import StripeLists
from handlers.adapters.stripe_read import ScopeError, StripeReader
from handlers.core.errors import VendorError
from handlers.operations.errors import StackError
from handlers.operations.stack import LiveStack
from handlers.settings import STRIPE_EVENTS

# What a restricted key has to be allowed to read, by list; https://docs.stripe.com/keys-best-practices
PERMISSIONS: Mapping[str, str] = {
    "/v1/events": "Events",
    "/v1/webhook_endpoints": "Webhook Endpoints",
    "/v1/refunds": "Refunds",
    "/v1/disputes": "Disputes",
    "/v1/customers": "Customers",
    "/v1/checkout/sessions": "Checkout Sessions",
    "/v1/payment_intents": "Payment Intents",
    "/v1/charges": "Charges",
    "/v1/invoices": "Invoices",
    "/v1/invoice_payments": "Invoice Payments",
    "/v1/subscriptions": "Subscriptions",
}


@dataclass(frozen=True, kw_only=True)
class OtherEndpoint:
    """A webhook endpoint of somebody else at the same account. Only the host of its address: paths can be secrets."""

    id: str
    host: str
    enabled: bool
    events: tuple[str, ...]  # of ours


def check_key(stack: LiveStack, reader: StripeReader, lists: StripeLists) -> None:
    """Raises StackError where the key is of the other mode, or may not read all of PERMISSIONS; VendorError."""
    shown = reader.livemode
    if shown is not None and shown is not stack.live:
        mode, wanted = ("live", "test") if shown else ("test", "live")
        raise StackError(
            f"the stack's Stripe key is of {mode} mode, the stack is of {wanted} mode: "
            f"pulumi config set --secret stripeReadKey with a {wanted} key, then pulumi up"
        )
    lacking = [f"{name} ({error})" for path, name in PERMISSIONS.items() if (error := _refusal(lists, path))]
    if lacking:
        raise StackError(
            f"the stack's Stripe key may not read {'; '.join(lacking)}: give it Read for these in Stripe's dashboard"
        )


def other_endpoints(stack: LiveStack, lists: StripeLists) -> tuple[OtherEndpoint, ...]:
    """Who else is told of our types of events. StackError where the stack's own endpoint is not at this account."""
    endpoints = list(lists.each("/v1/webhook_endpoints"))
    ours = stack.contract["stripe"]["endpoint_id"]
    if not any(endpoint.get("id") == ours for endpoint in endpoints):
        raise StackError(
            f"stripe: the stack's own webhook endpoint {ours} is not at the account of the stack's Stripe key: either "
            "the key is of another account, or the endpoint was deleted (pulumi refresh shows it)"
        )
    others = (_other(endpoint) for endpoint in endpoints if endpoint.get("id") != ours)
    return tuple(other for other in others if other.events)


def _refusal(lists: StripeLists, path: str) -> str | None:
    try:
        list(islice(lists.each(path, {"limit": "1"}), 1))
    except ScopeError as error:
        return str(error)
    except VendorError as error:
        if error.permanent:
            raise StackError(f"{error}: Stripe refuses the stack's key; set a valid one as stripeReadKey") from None
        raise
    return None


def _other(endpoint: Mapping[str, Any]) -> OtherEndpoint:
    return OtherEndpoint(
        id=str(endpoint.get("id")),
        host=urlsplit(str(endpoint.get("url"))).hostname or "",
        enabled=endpoint.get("status") == "enabled",
        events=tuple(sorted(_ours(endpoint.get("enabled_events") or ()))),
    )


def _ours(types: Iterable[str]) -> set[str]:
    """`*` stands for all types, https://docs.stripe.com/api/webhook_endpoints/object."""
    listened = set(types)
    return set(STRIPE_EVENTS) if "*" in listened else listened & set(STRIPE_EVENTS)
