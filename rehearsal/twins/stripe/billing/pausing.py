"""Two ways to pause: the subscription itself (`status` paused), and only the collection of its money.

Sources: https://docs.stripe.com/billing/subscriptions/pause, …/pause-payment and …/trials (missing payment method).
"""

from typing import Literal, TypeAlias

from rehearsal.twins.stripe.account import Account
from rehearsal.twins.stripe.billing import invoice, periods
from rehearsal.twins.stripe.objects.subscriptions import UPDATED
from rehearsal.twins.stripe.store import Object

Why: TypeAlias = Literal["pause_requested", "trial_end_without_payment_method"]
RESUMPTION_FOR = 23 * 3600  # seconds until a resumption invoice that nobody tried to pay is void


def pause(account: Account, made: Object, why: Why) -> None:
    """No further invoice and no new period until it is resumed. Credit for unused time is left out."""
    now = account.store.now(made["test_clock"])
    with account.updating(made, UPDATED):
        paused = {"subscription": {"type": why}, "transitioned_at": now, "type": "subscription"}
        made.update(status="paused", status_details={"paused": paused})
    account.emit("customer.subscription.paused", made)


def bill_resumption(account: Account, made: Object) -> Object:
    """The open invoice for a new cycle from now on; only its payment (or a try at it) brings the subscription back."""
    now = account.store.now(made["test_clock"])
    period = now, periods.next_end(now, now, made["items"]["data"][0]["price"]["recurring"])
    with account.updating(made, UPDATED):
        due = invoice.draft(account, made, "subscription_update", period=period)
        due["auto_advance"] = False
        made["latest_invoice"] = due["id"]
        account.emit("invoice.created", due)
    invoice.finalize(account, due)
    account.store.notes(made)["resumption"] = due
    return due


def resumption(account: Account, made: Object) -> Object | None:
    """The invoice that a paused subscription waits for."""
    found: Object | None = account.store.notes(made).get("resumption")
    return found


def resume(account: Account, made: Object, *, anchor: int | None, status: str = "active") -> None:
    """Back again: with a cycle that begins at `anchor`, or the old cycle where that is None."""
    now = account.store.now(made["test_clock"])
    account.store.notes(made).pop("resumption", None)
    with account.updating(made, UPDATED):
        made.update(status=status, status_details=None)
        made["billing_cycle_anchor"] = made["billing_cycle_anchor"] if anchor is None else anchor
        for item in made["items"]["data"]:
            _move(item, made["billing_cycle_anchor"], now)
    account.emit("customer.subscription.resumed", made)


def _move(item: Object, anchor: int, now: int) -> None:
    """Bring an item into the period of the cycle that `now` lies in."""
    start, end = anchor, periods.next_end(anchor, anchor, item["price"]["recurring"])
    while end <= now:
        start, end = end, periods.next_end(anchor, end, item["price"]["recurring"])
    item.update(current_period_start=start, current_period_end=end)


def expire_resumption(account: Account, made: Object) -> None:
    """Nobody tried to pay: the invoice is void and the subscription stays paused."""
    invoice.void(account, account.store.notes(made).pop("resumption"))


def resume_collection(account: Account, made: Object) -> None:
    """The moment `resumes_at` has come. No event but the update tells of it."""
    with account.updating(made, UPDATED):
        made["pause_collection"] = None


def set_aside(account: Account, due: Object, behavior: str) -> None:
    """What becomes of a renewal's invoice while collection is paused: kept as a draft, written off, or void.

    Those that are not kept are finalised at once here, so that they can be closed.
    """
    if behavior == "keep_as_draft":
        return
    invoice.finalize(account, due, payable=False)
    if behavior == "void":
        invoice.void(account, due)
    else:
        invoice.write_off(account, due)
