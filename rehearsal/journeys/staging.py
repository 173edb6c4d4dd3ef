"""Sets the scene: prices at Stripe as the stack's config names them, and the places where membership shows."""

import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import httpx
import stripe
from botocore.credentials import Credentials

from rehearsal.assembly import Twins
from rehearsal.journeys.model import Person
from rehearsal.journeys.world import Webhook, World
from rehearsal.lag import LagMeter
from rehearsal.members import Members
from rehearsal.site import Site

PRICE_CENTS = 1900


def world(site: Site, twins: Twins, contract: Mapping[str, Any], ends: ExitStack) -> World:
    """The World of a deployed stack; `ends` closes its connections."""
    client = stripe.StripeClient(twins.stripe.api_key, base_addresses={"api": twins.stripe.url})
    web = ends.enter_context(twins.route.client())
    app = _app_user(twins, contract)
    return World(
        stripe=client,
        twin=twins.stripe,
        kit=twins.kit,
        slack=twins.slack,
        kit_tags=site.kit_tags,
        members=Members(f"{contract['endpoints']['members']}/{{user_id}}", site.region, app, web),
        lags=LagMeter(_accepted_at(twins)),
        browser=ends.enter_context(httpx.Client(trust_env=False)),
        webhook=Webhook(url=contract["endpoints"]["webhook"], secret=signing_secret(twins, contract), client=web),
        prices={level: _price(client, named) for level, named in site.products.items()},
        policy=site.policy,
        user_id_key=site.user_id_key,
        traces=_traces(twins, contract),
        drained=_drained(twins, contract),
    )


def _app_user(twins: Twins, contract: Mapping[str, Any]) -> Credentials:
    """The founder's app: an IAM user that may call the members route and nothing else."""
    path = urlsplit(contract["endpoints"]["members"]).path
    resource = f"arn:aws:execute-api:{twins.aws.region}:{twins.aws.account}:*/*/GET{path}/*"
    key = twins.aws.user("app", {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": resource})
    return Credentials(key["access_key_id"], key["secret_access_key"])


def signing_secret(twins: Twins, contract: Mapping[str, Any]) -> str:
    """The webhook's current signing secret, from where the program put it."""
    (name,) = [secret["arn"] for secret in contract["secrets"] if secret["purpose"] == "stripe-signing"]
    value = twins.aws.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"]
    return json.loads(value)["current"]


def _price(client: stripe.StripeClient, named: str) -> str:
    """The price that the stack's config names by its lookup key, paid by the week.

    A week is always as long, which a month is not, and stories about one moment need to know when it comes.
    """
    product = client.v1.products.create({"name": f"Membership ({named})"})
    price = client.v1.prices.create(
        {
            "product": product.id,
            "currency": "eur",
            "unit_amount": PRICE_CENTS,
            "recurring": {"interval": "week"},
            "lookup_key": named,
        }
    )
    return price.id


def _accepted_at(twins: Twins) -> Callable[[str], float | None]:
    def accepted_at(event_id: str) -> float | None:
        accepted = [attempt.accepted_at for attempt in twins.stripe.deliveries(event_id) if attempt.accepted_at]
        return min(accepted) if accepted else None

    return accepted_at


def _drained(twins: Twins, contract: Mapping[str, Any]) -> Callable[[], bool]:
    (events,) = [queue["url"] for queue in contract["queues"] if queue["purpose"] == "events"]
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]

    def drained() -> bool:
        found = twins.aws.client("sqs").get_queue_attributes(QueueUrl=events, AttributeNames=names)["Attributes"]
        return not any(int(found[name]) for name in names)

    return drained


def _traces(twins: Twins, contract: Mapping[str, Any]) -> Callable[[Person], list[str]]:
    """Log lines that name the person, lines that tell of an error, and calls that a role was denied."""

    def traces(person: Person) -> list[str]:
        lines = [
            f"{function['purpose']}: {line.strip()[:300]}"
            for function in contract["functions"]
            for line in twins.aws.logs(function["name"])
            if person.user_id in line or '"level": "error"' in line or "Traceback" in line
        ]
        denied = [f"denied: {denial}" for denial in twins.aws.denials()]
        refused = [a for a in twins.stripe.deliveries() if not a.accepted]
        return [*lines, *denied, *(f"delivery: {a.event_id} got {a.status or a.error}" for a in refused[-3:])]

    return traces
