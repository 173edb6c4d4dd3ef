"""/v1/disputes."""

from typing import Any

from rehearsal.twins.stripe.account import Account
from rehearsal.twins.stripe.billing import disputes
from rehearsal.twins.stripe.errors import invalid
from rehearsal.twins.stripe.listing import list_spec, matching, page
from rehearsal.twins.stripe.objects.disputes import TEXTS
from rehearsal.twins.stripe.params import Spec, boolean, merge_metadata, metadata, moments, record, text
from rehearsal.twins.stripe.router import Route
from rehearsal.twins.stripe.store import Object, snapshot


def retrieve(account: Account, _params: dict[str, Any], dispute_id: str) -> Object:
    """The dispute."""
    return account.store.get("dispute", dispute_id)


def list_disputes(account: Account, params: dict[str, Any]) -> Object:
    """Disputes, of one charge or PaymentIntent if wanted; there is no filter for a customer."""
    found = matching(account.store.find("dispute"), params, "charge", "payment_intent")
    return page(found, params, "/v1/disputes")


def update(account: Account, params: dict[str, Any], dispute_id: str) -> Object:
    """Add evidence, and send it unless `submit` is false. ApiError 400 for a dispute that is closed.

    As at Stripe the answer says `under_review`, also where the evidence decides the dispute some seconds later.
    """
    item = account.store.get("dispute", dispute_id)
    if item["status"] in disputes.CLOSED:
        raise invalid("This dispute is already closed")
    if "metadata" in params:
        item["metadata"] = merge_metadata(item["metadata"], params["metadata"])
    if "evidence" not in params:
        return item
    item["evidence"].update(params["evidence"])
    if not params.get("submit", True):
        item["evidence_details"]["has_evidence"] = True
        return item
    disputes.submit(account, item)
    answer = snapshot(item)
    disputes.decide(account, item)
    return answer


def close(account: Account, _params: dict[str, Any], dispute_id: str) -> Object:
    """Give in: the dispute is lost."""
    item = account.store.get("dispute", dispute_id)
    disputes.end(account, item, won=False)
    return item


_EVIDENCE = record({name: text(clear=True, limit=20_000) for name in TEXTS})

ROUTES = (
    Route(
        "GET",
        "/v1/disputes",
        list_disputes,
        list_spec(charge=text(), payment_intent=text(), created=moments()),
    ),
    Route("GET", "/v1/disputes/{id}", retrieve),
    Route(
        "POST",
        "/v1/disputes/{id}",
        update,
        Spec({"evidence": _EVIDENCE, "metadata": metadata(), "submit": boolean()}),
    ),
    Route("POST", "/v1/disputes/{id}/close", close),
)
