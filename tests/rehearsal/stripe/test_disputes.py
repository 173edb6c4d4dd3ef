"""Disputes: opened by test cards or later, answered with evidence, closed."""

from typing import Any

import pytest
import stripe

from rehearsal.twins.stripe.errors import ApiError


def paid(shop: Any, card: str = "pm_card_visa") -> Any:
    params = {"amount": 1900, "currency": "eur", "confirm": True, "payment_method": card}
    return shop.sdk.payment_intents.create(params)


def answer(shop: Any, dispute: Any, text: str) -> Any:
    return shop.sdk.disputes.update(dispute.id, {"evidence": {"uncategorized_text": text}})


@pytest.fixture
def disputed(shop: Any) -> Any:
    return shop.sdk.disputes.list({"payment_intent": paid(shop, "pm_card_createDispute").id}).data[0]


@pytest.mark.parametrize(
    ("card", "status", "reason"),
    [
        ("pm_card_createDispute", "needs_response", "fraudulent"),
        ("pm_card_createDisputeProductNotReceived", "needs_response", "product_not_received"),
        ("pm_card_createDisputeInquiry", "warning_needs_response", "fraudulent"),
    ],
)
def test_a_test_card_disputes_what_it_paid(shop: Any, card: str, status: str, reason: str) -> None:
    intent = paid(shop, card)
    (dispute,) = shop.sdk.disputes.list({"charge": intent.latest_charge}).data
    assert (dispute.status, dispute.reason, dispute.amount) == (status, reason, 1900)
    assert dispute.is_charge_refundable == status.startswith("warning")
    assert shop.sdk.charges.retrieve(intent.latest_charge).disputed
    assert shop.happened()[-3:] == ["charge.succeeded", "charge.dispute.created", "payment_intent.succeeded"]
    told = shop.twin.events("charge.dispute.created")[0]["data"]["object"]
    assert not {"customer", "invoice"} & told.keys()


@pytest.mark.parametrize(("text", "ends"), [("winning_evidence", "won"), ("losing_evidence", "lost")])
def test_evidence_decides_a_dispute(shop: Any, twin: Any, disputed: Any, text: str, ends: str) -> None:
    assert answer(shop, disputed, text).status == "under_review"
    closed = shop.sdk.disputes.retrieve(disputed.id)
    assert (closed.status, closed.evidence_details.submission_count) == (ends, 1)
    assert shop.happened()[-2:] == ["charge.dispute.updated", "charge.dispute.closed"]
    assert [event["request"]["id"] is None for event in twin.events()[-2:]] == [False, True]
    with pytest.raises(stripe.InvalidRequestError, match="already closed"):
        answer(shop, disputed, text)


def test_ordinary_evidence_stays_under_review_and_staged_evidence_is_not_sent(shop: Any, disputed: Any) -> None:
    staged = {"evidence": {"uncategorized_text": "winning_evidence"}, "submit": False, "metadata": {"case": "7"}}
    kept = shop.sdk.disputes.update(disputed.id, staged)
    assert (kept.status, kept.evidence_details.submission_count) == ("needs_response", 0)
    answer(shop, disputed, "They read every letter.")
    shown = shop.sdk.disputes.retrieve(disputed.id)
    assert (shown.status, shown.metadata["case"]) == ("under_review", "7")


def test_giving_in_loses_the_dispute(shop: Any, disputed: Any) -> None:
    assert shop.sdk.disputes.close(disputed.id).status == "lost"
    assert shop.happened()[-1] == "charge.dispute.closed"


def test_what_was_charged_back_is_refunded_only_once_it_is_won(shop: Any, disputed: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.sdk.refunds.create({"charge": disputed.charge})
    assert refused.value.code == "charge_disputed"
    answer(shop, disputed, "winning_evidence")
    assert shop.sdk.refunds.create({"charge": disputed.charge}).status == "succeeded"


def test_an_inquiry_closes_or_becomes_a_dispute(shop: Any, twin: Any) -> None:
    closes, grows = (shop.sdk.disputes.retrieve(twin.dispute(paid(shop).id, inquiry=True)) for _ in range(2))
    answer(shop, closes, "losing_evidence")
    assert shop.sdk.disputes.retrieve(closes.id).status == "warning_closed"
    answer(shop, grows, "escalate_inquiry_evidence")
    grown = shop.sdk.disputes.retrieve(grows.id)
    assert (grown.status, grown.payment_method_details.card.case_type) == ("needs_response", "chargeback")
    answer(shop, grows, "losing_evidence")
    assert shop.sdk.disputes.retrieve(grows.id).status == "lost"


def test_a_renewal_can_be_disputed_later_in_its_own_time(shop: Any, twin: Any) -> None:
    clock = shop.clock()
    made = shop.subscribed(clock)
    shop.at(clock, 5)
    dispute = shop.sdk.disputes.retrieve(twin.dispute(shop.intent_of(made.latest_invoice)))
    assert dispute.created == twin.events()[-1]["created"] == shop.start + 5 * 86_400


def test_what_nobody_paid_cannot_be_disputed(shop: Any, twin: Any) -> None:
    intent = shop.sdk.payment_intents.create({"amount": 1900, "currency": "eur"})
    with pytest.raises(ApiError, match="No such charge"):
        twin.dispute(intent.id)
