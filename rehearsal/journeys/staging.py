"""Sets the scene: prices at Stripe as the stack's config names them, and the places where membership shows."""

import json
import runpy
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import stripe
from botocore.credentials import Credentials

from rehearsal.assembly import SCHEDULE_SPEED, Twins
from rehearsal.journeys.model import Person
from rehearsal.journeys.operations import Operations
from rehearsal.journeys.table import Table, minutes_of
from rehearsal.journeys.world import ONCE_CENTS, SoldOnce, Webhook, World
from rehearsal.lag import LagMeter
from rehearsal.members import Members
from rehearsal.site import Once, Site

PRICE_CENTS = 1900
APP_FILE = Path(__file__).resolve().parents[2] / "docs" / "identity" / "launch_ready_identity.py"


def world(site: Site, twins: Twins, contract: Mapping[str, Any], ends: ExitStack) -> World:
    """The World of a deployed stack; `ends` closes its connections."""
    client = stripe.StripeClient(twins.stripe.api_key, base_addresses={"api": twins.stripe.url})
    web = ends.enter_context(twins.route.client())
    table = Table(client=twins.aws.client("dynamodb"), name=contract["table"]["name"])
    ends.enter_context(minutes_of(60 / SCHEDULE_SPEED, table, ("kit", "slack")))
    return World(
        stripe=client,
        twin=twins.stripe,
        kit=twins.kit,
        slack=twins.slack,
        kit_tags=site.kit_tags,
        members=Members(
            url=f"{contract['endpoints']['members']}/{{user_id}}",
            claims_url=contract["endpoints"]["claims"],
            region=site.region,
            credentials=_app_user(twins, contract),
            client=web,
        ),
        lags=LagMeter(_accepted_at(twins)),
        browser=ends.enter_context(httpx.Client(trust_env=False)),
        webhook=Webhook(url=contract["endpoints"]["webhook"], secret=signing_secret(twins, contract), client=web),
        event_types=frozenset(contract["stripe"]["events"]),
        table=table,
        operations=_operations(twins, contract),
        prices={
            level: _price(client, named)
            for level, named in site.products.items()
            if site.once is None or named != site.once.price
        },
        price_names=site.products,
        once=_sold_once(client, site.once),
        policy=site.policy,
        unsigned_reference=site.unsigned_reference,
        claimable=contract["claims"] is not None,
        sign_reference=_signer(twins, contract),
        user_id_key=site.user_id_key,
        price_key=site.price_key,
        traces=_traces(twins, contract),
        drained=_drained(twins, contract),
    )


def _app_user(twins: Twins, contract: Mapping[str, Any]) -> Credentials:
    """The founder's app: an IAM user that may call the members route and the claims route, and nothing else."""
    api = f"arn:aws:execute-api:{twins.aws.region}:{twins.aws.account}:*/*"
    members, claims = (urlsplit(contract["endpoints"][name]).path for name in ("members", "claims"))
    allowed = [f"{api}/GET{members}/*", f"{api}/POST{claims}"]
    key = twins.aws.user("app", {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": allowed})
    return Credentials(key["access_key_id"], key["secret_access_key"])


def signing_secret(twins: Twins, contract: Mapping[str, Any]) -> str:
    """The webhook's current signing secret, from where the program put it."""
    return _current(twins, contract, "stripe-signing")


def _operations(twins: Twins, contract: Mapping[str, Any]) -> Operations:
    return Operations(
        aws=twins.aws,
        schedules=twins.target.schedules,
        functions={function["purpose"]: function["name"] for function in contract["functions"]},
        signing_secret=_secret(contract, "stripe-signing"),
    )


def _signer(twins: Twins, contract: Mapping[str, Any]) -> Callable[[str], str]:
    """What the app's server signs a user id with: the file that the project gives it, and the key that it holds."""

    def sign(user_id: str) -> str:
        return runpy.run_path(str(APP_FILE))["sign_reference"](user_id, _current(twins, contract, "identity"))

    return sign


def _current(twins: Twins, contract: Mapping[str, Any], purpose: str) -> str:
    arn = _secret(contract, purpose)
    return json.loads(twins.aws.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])["current"]


def _secret(contract: Mapping[str, Any], purpose: str) -> str:
    (arn,) = [secret["arn"] for secret in contract["secrets"] if secret["purpose"] == purpose]
    return arn


def _price(client: stripe.StripeClient, named: str) -> str:
    """The price that the stack's config names by its lookup key, paid by the week.

    A week is always as long, which a month is not, and stories about one moment need to know when it comes.
    """
    return _new_price(client, named, PRICE_CENTS, {"recurring": {"interval": "week"}})


def _sold_once(client: stripe.StripeClient, once: Once | None) -> SoldOnce | None:
    """The price that the stack's config names by its lookup key, paid once."""
    if once is None:
        return None
    return SoldOnce(price=_new_price(client, once.price, ONCE_CENTS, {}), level=once.level, days=once.days)


def _new_price(client: stripe.StripeClient, named: str, cents: int, more: Mapping[str, Any]) -> str:
    product = client.v1.products.create({"name": f"Membership ({named})"})
    params: Any = {"product": product.id, "currency": "eur", "unit_amount": cents, "lookup_key": named}
    return client.v1.prices.create({**params, **more}).id


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
    """What `_is_evidence` among the functions' lines, and calls that a role was denied."""

    def traces(person: Person) -> list[str]:
        lines = [
            f"{function['purpose']}: {line.strip()[:300]}"
            for function in contract["functions"]
            for line in twins.aws.logs(function["name"])
            if _is_evidence(line, person)
        ]
        denied = [f"denied: {denial}" for denial in twins.aws.denials()]
        refused = [a for a in twins.stripe.deliveries() if not a.accepted]
        return [*lines, *denied, *(f"delivery: {a.event_id} got {a.status or a.error}" for a in refused[-3:])]

    return traces


def _is_evidence(line: str, person: Person) -> bool:
    """Whether a log line names the person, and is not of our own asking, or tells of an error."""
    if '"level":"error"' in line or "Traceback" in line:
        return True
    return person.user_id in line and '"action":"read"' not in line
