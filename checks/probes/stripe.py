"""Reads the Stripe account over the official SDK. Nothing here writes."""

from dataclasses import dataclass
from typing import Any

from checks.errors import NeedsInput, ProbeError
from checks.scope import Scope


@dataclass(frozen=True, kw_only=True)
class EndpointFacts:
    """One webhook endpoint of the account."""

    id: str
    url: str
    status: str
    livemode: bool
    api_version: str
    events: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class AccountFacts:
    """Whether the account can take and pay out money, and what Stripe still asks for."""

    charges_enabled: bool
    payouts_enabled: bool
    due: tuple[str, ...]


def endpoints(scope: Scope) -> tuple[EndpointFacts, ...]:
    """Every webhook endpoint of the account."""
    listed = _ask(scope, "listing the webhook endpoints", lambda api: list(_all_endpoints(api)))
    return tuple(
        EndpointFacts(
            id=one.id,
            url=one.url,
            status=one.status,
            livemode=bool(one.livemode),
            api_version=one.api_version or "",
            events=tuple(sorted(one.enabled_events)),
        )
        for one in listed
    )


def account(scope: Scope) -> AccountFacts:
    """The account of the key."""
    found = _ask(scope, "reading the account", lambda api: api.v1.accounts.retrieve_current())
    requirements = getattr(found, "requirements", None)  # an object of Stripe's has what was sent, and no more
    if requirements is None:
        raise ProbeError("Stripe does not tell this key what the account still has to give; look in its dashboard")
    due = [*(requirements.currently_due or ()), *(requirements.past_due or ())]
    return AccountFacts(
        charges_enabled=bool(found.charges_enabled),
        payouts_enabled=bool(found.payouts_enabled),
        due=tuple(sorted(set(due))),
    )


def _all_endpoints(api: Any) -> Any:
    return api.v1.webhook_endpoints.list({"limit": 100}).auto_paging_iter()


def _ask(scope: Scope, what: str, call: Any) -> Any:
    access = scope.vantage.stripe
    if access is None:
        raise NeedsInput("give a restricted Stripe key that may read webhook endpoints and the account")
    import stripe  # takes 0.15 s, and only these checks need it

    http = stripe.RequestsClient(timeout=scope.deadline.left(10.0))
    api = stripe.StripeClient(
        access.api_key, base_addresses={"api": access.api_base}, http_client=http, max_network_retries=0
    )
    try:
        return call(api)
    except stripe.StripeError as error:
        raise ProbeError(f"{what}: {type(error).__name__}: {error.user_message or error}") from error
    finally:
        http.close()
