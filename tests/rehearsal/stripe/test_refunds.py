"""Refunds whose end comes later: pending, failed, several of one payment."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rehearsal.twins.stripe.errors import ApiError


def paid(shop: Any, card: str = "pm_card_visa", amount: int = 1900) -> Any:
    params = {"amount": amount, "currency": "eur", "confirm": True, "payment_method": card}
    return shop.sdk.payment_intents.create(params)


def charge(shop: Any, intent: Any) -> Any:
    return shop.sdk.charges.retrieve(intent.latest_charge)


def test_a_pending_refund_counts_at_once_and_succeeds_later(shop: Any, twin: Any) -> None:
    intent = paid(shop, "pm_card_pendingRefund")
    refund = shop.sdk.refunds.create({"payment_intent": intent.id, "amount": 500})
    assert (refund.status, refund.pending_reason) == ("pending", "processing")
    assert charge(shop, intent).amount_refunded == 500
    before = len(twin.events())
    twin.settle_refund(refund.id)
    assert shop.happened(before) == ["refund.updated", "charge.refund.updated"]
    updated = twin.events("refund.updated")[0]["data"]
    assert (updated["object"]["status"], updated["previous_attributes"]["status"]) == ("succeeded", "pending")
    with pytest.raises(ApiError, match="succeeded already"):
        twin.settle_refund(refund.id)


def test_a_refund_that_fails_later_is_taken_off_the_charge_again(shop: Any, twin: Any) -> None:
    intent = paid(shop, "pm_card_refundFail")
    refund = shop.sdk.refunds.create({"payment_intent": intent.id})
    assert (refund.status, charge(shop, intent).refunded) == ("succeeded", True)
    before = len(twin.events())
    twin.settle_refund(refund.id)
    assert shop.happened(before) == ["refund.updated", "charge.refund.updated", "refund.failed", "charge.updated"]
    failed = shop.sdk.refunds.retrieve(refund.id)
    assert (failed.status, failed.failure_reason) == ("failed", "unknown")
    whole = charge(shop, intent)
    assert (whole.amount_refunded, whole.refunded) == (0, False)
    with pytest.raises(ApiError, match="failed already"):
        twin.settle_refund(refund.id)
    assert shop.sdk.refunds.create({"payment_intent": intent.id}).status == "succeeded"


def test_any_refund_can_be_made_to_fail(shop: Any, twin: Any) -> None:
    refund = shop.sdk.refunds.create({"payment_intent": paid(shop).id, "amount": 5})
    with pytest.raises(ApiError, match="cannot become succeeded"):
        twin.settle_refund(refund.id)
    twin.settle_refund(refund.id, "failed")
    assert shop.sdk.refunds.retrieve(refund.id).status == "failed"


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(st.integers(1, 400), st.booleans()), max_size=4))
def test_a_charge_counts_what_was_refunded_and_did_not_fail(
    shop: Any, twin: Any, parts: list[tuple[int, bool]]
) -> None:
    intent = paid(shop, amount=1600)
    for amount, fails in parts:
        refund = shop.sdk.refunds.create({"payment_intent": intent.id, "amount": amount})
        if fails:
            twin.settle_refund(refund.id, "failed")
    whole = charge(shop, intent)
    alive = sum(amount for amount, fails in parts if not fails)
    assert (whole.amount_refunded, whole.refunded) == (alive, alive == 1600)
    told = [one for one in twin.events("charge.refunded") if one["data"]["object"]["id"] == whole.id]
    assert len(told) == len(parts)
