"""A dispute's life: opened by the bank, answered, closed.

Source: https://docs.stripe.com/disputes/how-disputes-work and, for the evidence that decides a test dispute,
https://docs.stripe.com/testing (disputes). The money that a dispute moves, and the events funds_withdrawn and
funds_reinstated that tell of it, are left out.
"""

from rehearsal.twins.stripe.account import AUTOMATIC, Account
from rehearsal.twins.stripe.cards import Complaint
from rehearsal.twins.stripe.errors import invalid
from rehearsal.twins.stripe.objects.disputes import dispute
from rehearsal.twins.stripe.store import Object

CLOSED = ("won", "lost", "warning_closed")
WINNING, LOSING, ESCALATING = "winning_evidence", "losing_evidence", "escalate_inquiry_evidence"


def of_charge(account: Account, charge: Object) -> list[Object]:
    """All disputes of a charge, oldest first."""
    return account.store.find("dispute", charge=charge["id"])


def open_dispute(account: Account, charge: Object, complaint: Complaint) -> Object:
    """The bank disputes the charge, or inquires. ApiError 400 for a charge that was never paid, or by no card."""
    if not charge["paid"] or charge["payment_method_details"]["type"] != "card":
        raise invalid(f"Charge {charge['id']} cannot be disputed: it is no payment by card that succeeded.")
    made = dispute(charge, complaint, created=account.store.now(account.clock_of(charge)))
    account.store.add(made)
    charge["disputed"] = True
    account.emit("charge.dispute.created", made)
    return made


def submit(account: Account, made: Object) -> None:
    """Send what evidence there is to the bank. Ordinary evidence is then under review, for as long as it takes."""
    inquiry = made["status"].startswith("warning_")
    with account.updating(made, "charge.dispute.updated"):
        made["status"] = "warning_under_review" if inquiry else "under_review"
        details = {"has_evidence": True, "submission_count": made["evidence_details"]["submission_count"] + 1}
        made["evidence_details"].update(details, submission_method="manual")


def decide(account: Account, made: Object) -> None:
    """The bank's answer to evidence that says itself what becomes of it. Stripe takes some seconds for that."""
    verdict = made["evidence"]["uncategorized_text"]
    inquiry = made["status"].startswith("warning_")
    request, account.request = account.request, AUTOMATIC
    try:
        if verdict == ESCALATING and inquiry:
            _escalate(account, made)
        elif verdict in (WINNING, LOSING):
            end(account, made, won=verdict == WINNING)
    finally:
        account.request = request


def end(account: Account, made: Object, *, won: bool) -> None:
    """The bank decides. An inquiry closes either way; a dispute that was won leaves the charge refundable."""
    if made["status"] in CLOSED:
        raise invalid("This dispute is already closed")
    inquiry = made["status"].startswith("warning_")
    made["status"] = "warning_closed" if inquiry else "won" if won else "lost"
    made["is_charge_refundable"] = inquiry or won
    account.emit("charge.dispute.closed", made)


def _escalate(account: Account, made: Object) -> None:
    """An inquiry becomes a chargeback."""
    with account.updating(made, "charge.dispute.updated"):
        made.update(status="needs_response", is_charge_refundable=False)
        made["payment_method_details"]["card"]["case_type"] = "chargeback"
