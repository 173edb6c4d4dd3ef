"""Giving money back, and what the payer's bank makes of it later.

A refund counts on the charge from its creation, also while it is pending; one that fails is taken off again.
Sources: https://docs.stripe.com/refunds (failed refunds), https://docs.stripe.com/testing (refunds) and, for the
events, https://docs.stripe.com/changelog/acacia/2024-10-28/refund-webhook-update.
"""

from typing import Literal, TypeAlias

from rehearsal.twins.stripe.account import Account
from rehearsal.twins.stripe.billing import disputes
from rehearsal.twins.stripe.cards import Instrument
from rehearsal.twins.stripe.errors import ApiError, invalid
from rehearsal.twins.stripe.objects import payments
from rehearsal.twins.stripe.store import Object, new_id

Settled: TypeAlias = Literal["succeeded", "failed"]


def refund(account: Account, charge: Object, amount: int | None, params: Object) -> Object:
    """Give back `amount` (all that is left if None) of a charge; ApiError 400 if there is not that much."""
    amount = _refundable(account, charge, amount)
    instrument: Instrument = account.store.notes(charge)["instrument"]
    status: Literal["pending", "succeeded"] = "pending" if instrument.refunds == "pending" else "succeeded"
    created = account.store.now(account.clock_of(charge))
    made = account.store.add(payments.refund(charge, amount, params, created=created, status=status))
    account.emit("refund.created", made)
    with account.updating(charge, "charge.refunded"):
        _count(charge, amount)
    return made


def _refundable(account: Account, charge: Object, amount: int | None) -> int:
    left = charge["amount_captured"] - charge["amount_refunded"]
    if not charge["paid"]:
        raise invalid(f"Charge {charge['id']} has not been paid and cannot be refunded.", param="charge")
    if any(not dispute["is_charge_refundable"] for dispute in disputes.of_charge(account, charge)):
        message = f"Charge {charge['id']} has been charged back; cannot issue a refund."
        raise invalid(message, code="charge_disputed")
    if left == 0:
        raise invalid(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    if amount is not None and amount > left:
        message = f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
        raise invalid(message, param="amount")
    return left if amount is None else amount


def _count(charge: Object, amount: int) -> None:
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]


def settle(account: Account, made: Object, how: Settled | None = None) -> None:
    """The bank's last word: `how`, or what the test card is known for. ApiError 400 where there is none to come."""
    charge = account.store.get("charge", made["charge"])
    instrument: Instrument = account.store.notes(charge)["instrument"]
    how = how or ("failed" if instrument.refunds == "fails_later" else "succeeded")
    if how == "failed" and made["status"] in ("pending", "succeeded"):
        fail(account, made, "unknown")
    elif how == "succeeded" and made["status"] == "pending":
        _tell(account, made, {"status": "succeeded", "pending_reason": None})
    else:
        raise _final(made, how)


def _final(made: Object, how: Settled) -> ApiError:
    return invalid(f"Refund {made['id']} is {made['status']} already: it cannot become {how}.")


def fail(account: Account, made: Object, reason: str) -> None:
    """The bank sends the money back: the charge counts it no longer."""
    changes = {"status": "failed", "failure_reason": reason, "failure_balance_transaction": new_id("txn")}
    if made["status"] == "pending":
        changes["pending_reason"] = None
    _tell(account, made, changes)
    account.emit("refund.failed", made)
    charge = account.store.get("charge", made["charge"])
    with account.updating(charge, "charge.updated"):
        _count(charge, -made["amount"])


def _tell(account: Account, made: Object, changes: Object) -> None:
    """Change a refund and tell so twice: `charge.refund.updated` is the older name of `refund.updated`."""
    before = {name: made.get(name) for name in changes}
    made.update(changes)
    account.emit("refund.updated", made, before)
    account.emit("charge.refund.updated", made, before)
