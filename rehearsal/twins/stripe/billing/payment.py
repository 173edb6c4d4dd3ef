"""Trying to pay a PaymentIntent, and giving money back."""

from rehearsal.twins.stripe.account import Account
from rehearsal.twins.stripe.cards import NO_CARD, Decline
from rehearsal.twins.stripe.errors import ApiError, card_error, invalid
from rehearsal.twins.stripe.objects import payments
from rehearsal.twins.stripe.store import Object, snapshot


def open_intent(account: Account, params: Object) -> Object:
    """A new PaymentIntent (amount, currency, customer?, metadata?, …), announced."""
    customer = account.store.get("customer", params["customer"], "customer") if params.get("customer") else None
    intent = payments.payment_intent(params, created=account.now_for(customer), livemode=account.livemode)
    account.store.add(intent)
    account.emit("payment_intent.created", intent)
    return intent


def confirm(account: Account, intent: Object, method: Object | None) -> Decline | None:
    """One try to pay. The issuer's refusal, or None for success; charge and events follow either way."""
    if method is None:
        return NO_CARD  # nothing to charge: Stripe makes no charge and no PaymentIntent event
    decline: Decline | None = account.store.notes(method)["card"].on_charge
    created = account.store.now(account.clock_of(intent))
    charge = account.store.add(payments.charge(intent, method, decline, created=created))
    intent["latest_charge"] = charge["id"]
    if decline:
        intent.update(
            status="requires_payment_method",
            payment_method=None,
            last_payment_error=_payment_error(decline, charge, method),
        )
        account.emit("charge.failed", charge)
        account.emit("payment_intent.payment_failed", intent)
    else:
        intent.update(
            status="succeeded",
            payment_method=method["id"],
            amount_received=intent["amount"],
            last_payment_error=None,
        )
        account.emit("charge.succeeded", charge)
        account.emit("payment_intent.succeeded", intent)
    return decline


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


def refund(account: Account, charge: Object, amount: int | None, params: Object) -> Object:
    """Give back `amount` (all that is left if None) of a charge; ApiError 400 if there is not that much."""
    left = charge["amount_captured"] - charge["amount_refunded"]
    if not charge["paid"]:
        raise invalid(f"Charge {charge['id']} has not been paid and cannot be refunded.", param="charge")
    if left == 0:
        message = f"Charge {charge['id']} has already been refunded."
        raise invalid(message, code="charge_already_refunded")
    amount = left if amount is None else amount
    if amount > left:
        message = f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
        raise invalid(message, param="amount")
    created = account.store.now(account.clock_of(charge))
    done = account.store.add(payments.refund(charge, amount, params, created=created))
    account.emit("refund.created", done)
    with account.updating(charge, "charge.refunded"):
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
    return done
