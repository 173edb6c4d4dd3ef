"""Stripe's webhook endpoint as a resource: its signing secret goes from Stripe to Secrets Manager untouched by hands.

See docs/adr/0003-stripe-endpoint.md for how an API version is changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import stripe
from pulumi.dynamic import Resource

from handlers.settings import STRIPE_EVENTS
from infra.settings import Stack
from infra.stripe_provider import EndpointProvider, RetirementProvider

# The version that the installed SDK is written for, and our reading of events with it.
API_VERSION = stripe.api_version


@dataclass(frozen=True, kw_only=True)
class Declared:
    """What Stripe is asked for."""

    owner: str
    url: str
    api_version: str
    events: tuple[str, ...]
    api_base: str


class StripeEndpoint(Resource):
    """The endpoint at `url`. It waits for `depends_on`: the first event must find DNS, certificate and functions."""

    endpoint_id: pulumi.Output[str]
    previous_endpoint_id: pulumi.Output[str]
    signing: pulumi.Output[str]

    def __init__(self, stack: Stack, url: str, depends_on: Sequence[pulumi.Resource]) -> None:
        self.declared = Declared(
            owner=stack.prefix,
            url=url,
            api_version=API_VERSION,
            events=tuple(sorted(STRIPE_EVENTS)),
            api_base=stack.settings.stripe_api_base,
        )
        self.key = pulumi.Output.secret(stack.settings.stripe_api_key.get_secret_value())
        super().__init__(
            EndpointProvider(),
            "stripe-endpoint",
            {
                "owner": self.declared.owner,
                "url": url,
                "events": list(self.declared.events),
                "api_version": self.declared.api_version,
                "api_base": self.declared.api_base,
                "api_key": self.key,
                "enabled": True,
                "description": f"Launch Ready, stack {stack.name}",
                "endpoint_id": None,
                "previous_endpoint_id": None,
                "signing": None,
            },
            pulumi.ResourceOptions(depends_on=depends_on, additional_secret_outputs=["api_key", "signing"]),
        )


class RetiredEndpoints(Resource):
    """The end of an overlap: the old endpoint goes when `signing`, with both secrets, is stored."""

    def __init__(self, endpoint: StripeEndpoint, signing: pulumi.Resource) -> None:
        super().__init__(
            RetirementProvider(),
            "stripe-retired-endpoints",
            {
                "owner": endpoint.declared.owner,
                "endpoint_id": endpoint.endpoint_id,
                "previous_endpoint_id": endpoint.previous_endpoint_id,
                "api_base": endpoint.declared.api_base,
                "api_key": endpoint.key,
            },
            pulumi.ResourceOptions(depends_on=[signing], additional_secret_outputs=["api_key"]),
        )
