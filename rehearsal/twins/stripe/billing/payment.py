"""Trying to pay a PaymentIntent: at once, days later, or once the payer has said yes to the bank.

Source: https://docs.stripe.com/payments/paymentintents/lifecycle.
"""

from typing import Literal, TypeAlias

from rehearsal.twins.stripe.account import Account
from rehearsal.twins.stripe.billing import disputes, methods
from rehearsal.twins.stripe.cards import NO_CARD, RETURNED, UNAUTHENTICATED, Decline
from rehearsal.twins.stripe.errors import ApiError, card_error, invalid
from rehearsal.twins.stripe.objects import payments
from rehearsal.twins.stripe.store import Object, snapshot

# The payer who has to authenticate: does it here and now, can be asked to, or is not there.
Payer: TypeAlias = Literal["present", "reachable", "away"]


def open_intent(account: Account, params: Object) -> Object:
    """A new PaymentIntent (amount, currency, customer?, metadata?, …), announced."""
    customer = account.store.get("customer", params["customer"], "customer") if params.get("customer") else None
    intent = payments.payment_intent(params, created=account.now_for(customer), livemode=account.livemode)
    account.store.add(intent)
    account.emit("payment_intent.created", intent)
    return intent


def confirm(account: Account, intent: Object, method: Object | None, payer: Payer = "reachable") -> Decline | None:
    """One try to pay: the refusal, or None where the money came or (intent `processing`) is on its way.

    A payer who has to be asked first leaves the intent in `requires_action`; that counts as a refusal until then.
    """
    if method is None:
        return NO_CARD  # nothing to charge: Stripe makes no charge and no PaymentIntent event
    instrument = methods.instrument(account, method)
    if instrument.authenticates and payer == "reachable":
        _ask(account, intent, method)
        return UNAUTHENTICATED
    unauthenticated = instrument.authenticates and payer == "away"
    return _charge(account, intent, method, UNAUTHENTICATED if unauthenticated else instrument.on_charge)


def _ask(account: Account, intent: Object, method: Object) -> None:
    """The bank wants the payer's word (3D Secure) before it says anything."""
    intent.update(
        status="requires_action",
        payment_method=method["id"],
        next_action={"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "stripe_3ds2_fingerprint"}},
    )
    account.emit("payment_intent.requires_action", intent)


def authenticate(account: Account, intent: Object) -> None:
    """The payer says yes to the bank. ApiError 400 for an intent that does not wait for that."""
    if intent["status"] != "requires_action":
        raise invalid(f"PaymentIntent {intent['id']} asks nobody to authenticate: it is {intent['status']}.")
    intent["next_action"] = None
    _charge(account, intent, account.store.get("payment_method", intent["payment_method"]), None)


def _charge(account: Account, intent: Object, method: Object, decline: Decline | None) -> Decline | None:
    instrument = methods.instrument(account, method)
    created = account.store.now(account.clock_of(intent))
    made = account.store.add(payments.charge(intent, method, created=created), instrument=instrument)
    intent.update(latest_charge=made["id"], next_action=None)
    if instrument.delayed:
        intent.update(status="processing", payment_method=method["id"], last_payment_error=None)
        account.emit("charge.pending", made)
        account.emit("payment_intent.processing", intent)
        return None
    _end(account, intent, made, decline)
    return decline


def arrive(account: Account, intent: Object, *, paid: bool) -> None:
    """What became of a delayed payment. ApiError 400 for an intent that is not `processing`."""
    if intent["status"] != "processing":
        raise invalid(f"PaymentIntent {intent['id']} is not on its way: it is {intent['status']}.")
    _end(account, intent, account.store.get("charge", intent["latest_charge"]), None if paid else RETURNED)


def _end(account: Account, intent: Object, made: Object, decline: Decline | None) -> None:
    """The charge succeeded or failed, and with it the try to pay."""
    method = account.store.get("payment_method", made["payment_method"])
    made.update(payments.outcome(made, decline))
    if decline:
        intent.update(
            status="requires_payment_method",
            payment_method=None,
            last_payment_error=_payment_error(decline, made, method),
        )
        account.emit("charge.failed", made)
        account.emit("payment_intent.payment_failed", intent)
        return
    intent.update(
        status="succeeded",
        payment_method=method["id"],
        amount_received=intent["amount"],
        last_payment_error=None,
    )
    account.emit("charge.succeeded", made)
    complaint = methods.instrument(account, method).complaint
    if complaint:
        disputes.open_dispute(account, made, complaint)
    account.emit("payment_intent.succeeded", intent)


def _payment_error(decline: Decline, charge: Object, method: Object) -> Object:
    error = {
        "charge": charge["id"],
        "code": decline.code,
        "doc_url": f"https://docs.stripe.com/error-codes/{decline.code.replace('_', '-')}",
        "message": decline.message,
        "payment_method": snapshot(method),
        "type": "card_error",
    }
    return error | ({"decline_code": decline.decline_code} if decline.decline_code else {})


def declined(intent: Object, decline: Decline) -> ApiError:
    """The 402 that tells an API caller of a refusal, with the PaymentIntent as it stands now."""
    if decline is NO_CARD:
        return invalid(decline.message, code=decline.code)
    details = {"payment_intent": snapshot(intent)}
    if intent["latest_charge"]:
        details["charge"] = intent["latest_charge"]
    return card_error(decline.message, code=decline.code, decline_code=decline.decline_code, details=details)
