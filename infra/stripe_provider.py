"""How Stripe's webhook endpoint is made, changed and removed: the dynamic providers behind `infra.stripe_endpoint`.

The engine pickles these classes by name, loads them in a process of its own and calls them there, so they hold no
state: all that they need comes in the properties, the API key among them (a secret, as is `signing`).

The resource's id is the owner ("launch-ready-prod"), not Stripe's id, because one update may put a new endpoint in
the old one's place: an endpoint's api_version cannot change, and its secret is shown only when it is made.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import stripe
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, ResourceProvider, UpdateResult

METADATA_KEY = "launch_ready"  # value "<owner>:<api version>"
COMPARED = ("url", "events", "api_version", "api_base", "api_key", "enabled")
RETRIES = 3  # by the SDK, with one idempotency key: a lost answer does not make a second endpoint

Properties = Mapping[str, Any]


class EndpointProvider(ResourceProvider):
    """One webhook endpoint.

    Properties in: owner, url, events (sorted), api_version, api_base, api_key, enabled, description.
    Properties out: those, and endpoint_id, previous_endpoint_id ("" for none) and signing, JSON
    {"current": "whsec_…", "previous": "whsec_…" | null}.
    """

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Only what matters: the pickled provider differs with every change of its code, and Stripe's ids never do."""
        return DiffResult(changes=any(_olds.get(name) != _news.get(name) for name in COMPARED), replaces=[])

    def create(self, props: Properties) -> CreateResult:
        """Make the endpoint.

        One of ours at the same address is what a half-failed run left behind: its secret is lost, so it goes first.
        """
        account = Account(props)
        for orphan in account.ours(props["owner"]):
            if orphan.url == props["url"]:
                account.delete(orphan.id)
        return CreateResult(props["owner"], _made(account.create(props), props, previous=None, previous_id=""))

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Change the endpoint in place, or put a new one beside it where its API version changes.

        Then both secrets are valid and the old endpoint still delivers, until RetiredEndpoints removes it; the ledger
        knows an event that comes twice. Any later change ends the overlap. An endpoint that somebody removed by hand
        is made anew.
        """
        account = Account(_news)
        if _olds.get("previous_endpoint_id"):
            account.delete(_olds["previous_endpoint_id"])
        current = json.loads(_olds["signing"])["current"]
        if _olds["api_version"] != _news["api_version"]:
            return UpdateResult(self._beside(account, _olds, _news, current))
        if account.update(_olds["endpoint_id"], _news):
            return UpdateResult(_properties(_news, _olds["endpoint_id"], current, previous=None, previous_id=""))
        return UpdateResult(_made(account.create(_news), _news, previous=current, previous_id=""))

    def delete(self, _id: str, _props: Properties) -> None:
        """Remove the endpoint, and what an overlap left of the one before; nobody minds if they are gone."""
        account = Account(_props)
        for endpoint in (_props["endpoint_id"], _props.get("previous_endpoint_id")):
            if endpoint:
                account.delete(endpoint)

    def read(self, id_: str, props: Properties) -> ReadResult:
        """What Stripe has now; an empty id if it is gone, so that the next run makes it."""
        for endpoint in Account(props).all():
            if endpoint.id == props.get("endpoint_id"):
                live = {
                    "url": endpoint.url,
                    "events": sorted(endpoint.enabled_events),
                    "enabled": endpoint.status == "enabled",
                }
                return ReadResult(id_, {**props, **live})
        return ReadResult("", {})

    def _beside(self, account: "Account", olds: Properties, news: Properties, current: str) -> dict[str, Any]:
        for orphan in account.ours(news["owner"]):
            if orphan.id != olds["endpoint_id"] and orphan.api_version == news["api_version"]:
                account.delete(orphan.id)
        return _made(account.create(news), news, previous=current, previous_id=olds["endpoint_id"])


class RetirementProvider(ResourceProvider):
    """Removes the endpoint that a new one replaced.

    Properties: owner, endpoint_id, previous_endpoint_id, api_base, api_key.
    """

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """There is something to retire when another endpoint came into use."""
        names = ("endpoint_id", "previous_endpoint_id")
        return DiffResult(changes=any(_olds.get(name) != _news.get(name) for name in names), replaces=[])

    def create(self, props: Properties) -> CreateResult:
        """Remove the endpoint before, if there is one."""
        _retire(props)
        return CreateResult(f"{props['owner']}-retired", dict(props))

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Remove the endpoint before, if there is one."""
        _retire(_news)
        return UpdateResult(dict(_news))


class Account:
    """The webhook endpoints of the Stripe account that a key belongs to. Raises stripe.StripeError."""

    def __init__(self, props: Properties) -> None:
        addresses: Any = {"api": props["api_base"]}
        client = stripe.StripeClient(props["api_key"], base_addresses=addresses, max_network_retries=RETRIES)
        self._endpoints = client.v1.webhook_endpoints

    def all(self) -> Iterator[stripe.WebhookEndpoint]:
        """Every endpoint of the account, page by page."""
        return self._endpoints.list({"limit": 100}).auto_paging_iter()

    def ours(self, owner: str) -> list[stripe.WebhookEndpoint]:
        """Those that `owner` made, of any API version."""
        return [endpoint for endpoint in self.all() if _owner(endpoint) == owner]

    def create(self, props: Properties) -> stripe.WebhookEndpoint:
        """A new endpoint; only this answer holds its secret."""
        return self._endpoints.create(
            {
                "url": props["url"],
                "enabled_events": list(props["events"]),
                "api_version": props["api_version"],
                "description": props["description"],
                "metadata": {METADATA_KEY: f"{props['owner']}:{props['api_version']}"},
            }
        )

    def update(self, endpoint: str, props: Properties) -> bool:
        """Set address and events, and enable it; False if Stripe does not know it."""
        try:
            self._endpoints.update(
                endpoint,
                {"url": props["url"], "enabled_events": list(props["events"]), "disabled": not props["enabled"]},
            )
        except stripe.InvalidRequestError as error:
            if error.http_status != 404:
                raise
            return False
        return True

    def delete(self, endpoint: str) -> None:
        """Remove an endpoint; one that is gone is what was wanted."""
        try:
            self._endpoints.delete(endpoint)
        except stripe.InvalidRequestError as error:
            if error.http_status != 404:
                raise


def _retire(props: Properties) -> None:
    if props.get("previous_endpoint_id"):
        Account(props).delete(props["previous_endpoint_id"])


def _owner(endpoint: stripe.WebhookEndpoint) -> str:
    metadata: Mapping[str, str] = endpoint.to_dict().get("metadata") or {}
    return metadata.get(METADATA_KEY, "").partition(":")[0]


def _made(
    endpoint: stripe.WebhookEndpoint, props: Properties, *, previous: str | None, previous_id: str
) -> dict[str, Any]:
    if not endpoint.secret:
        raise RuntimeError(f"Stripe made endpoint {endpoint.id} without showing its secret; remove it and try again")
    return _properties(props, endpoint.id, endpoint.secret, previous=previous, previous_id=previous_id)


def _properties(
    props: Properties, endpoint_id: str, current: str, *, previous: str | None, previous_id: str
) -> dict[str, Any]:
    signing = json.dumps({"current": current, "previous": previous})
    return {**props, "endpoint_id": endpoint_id, "previous_endpoint_id": previous_id, "signing": signing}
