"""What happens to a Checkout Session: paid, declined, on its way, arrived or returned, expired.

The subscription of a session exists only once the session is complete (since 2025-03-31.basil). With a delayed payment
method it completes unpaid: https://docs.stripe.com/checkout/fulfillment (delayed notification).
"""

from typing import Any, Literal, NamedTuple

from rehearsal.twins.stripe.account import Account
from rehearsal.twins.stripe.billing import invoice, methods, payment, subscription
from rehearsal.twins.stripe.cards import CARDS, DEBITED, Card, Decline
from rehearsal.twins.stripe.errors import card_error, invalid
from rehearsal.twins.stripe.objects.checkout import customer_details
from rehearsal.twins.stripe.objects.customers import customer
from rehearsal.twins.stripe.store import Object

Outcome = Literal["paid", "declined", "processing"]
PAYS, DECLINES = "pm_card_visa", "pm_card_visa_chargeDeclined"


class Payer(NamedTuple):
    """What the payer types: an e-mail and a name where the session has none, and a card by its test id."""

    email: str | None = None
    name: str | None = None
    card: str = PAYS


def submit(account: Account, session: Object, outcome: Outcome, typed: Payer) -> None:
    """The payer sends the hosted page: pays by card, or (`processing`) lets a bank account be debited.

    ApiError 400 for a session that is not open, a payer without e-mail or a session without debits, 402 if the issuer
    refuses. `declined` stands for a card that the issuer refuses.
    """
    if session["status"] != "open":
        raise invalid(f"This Checkout Session is no longer open: its status is {session['status']}.")
    known = account.store.get("customer", session["customer"], "customer") if session["customer"] else None
    email = (known or {}).get("email") or session["customer_email"] or typed.email
    if not email:
        raise invalid("Enter an e-mail address: the session has neither a customer nor customer_email.", param="email")
    card = CARDS[DECLINES if outcome == "declined" else typed.card]
    _check(account, session, known, card, debited=outcome == "processing")
    session["customer_details"] = customer_details(email, typed.name or (known or {}).get("name"))
    payer = known or _new_customer(account, session, email, typed.name)
    if outcome == "processing":
        _pay(account, session, payer, methods.from_bank(account, DEBITED, payer, email))
    elif session["mode"] == "subscription":
        _subscribe(account, session, payer, methods.from_card(account, card, payer, email))
    else:
        _pay(account, session, payer, methods.from_card(account, card, payer, email))
    session.update(status="complete", url=None)
    account.emit("checkout.session.completed", session)


def _check(account: Account, session: Object, known: Object | None, card: Card, *, debited: bool) -> None:
    """What the page refuses before anything is bought; a refused card leaves the session open for another try."""
    if debited:
        if "sepa_debit" not in session["payment_method_types"]:
            raise invalid("This session takes no SEPA debit: name it in payment_method_types.", param="outcome")
        return
    refusal = card.on_charge if session["amount_total"] else card.on_attach
    if refusal is None or not _asks_for_card(session):
        return
    if session["amount_total"]:
        intent = _intent(account, session, known)
        payment.confirm(account, intent, methods.from_card(account, card, known), "present")
        raise payment.declined(intent, refusal)
    raise _refused(refusal)


def _asks_for_card(session: Object) -> bool:
    return bool(session["amount_total"]) or session["payment_method_collection"] == "always"


def _refused(decline: Decline) -> Exception:
    return card_error(decline.message, code=decline.code, decline_code=decline.decline_code, details={})


def _new_customer(account: Account, session: Object, email: str, name: str | None) -> Object | None:
    """A payment leaves a customer only if the session says `customer_creation=always` or asks for an invoice, which
    needs one; a subscription always does."""
    wanted = session["customer_creation"] == "always" or session["invoice_creation"]
    if session["mode"] == "payment" and not wanted:
        return None
    params = {"email": email, "name": name}
    made = account.store.add(customer(params, created=account.store.now(), livemode=account.livemode))
    account.emit("customer.created", made)
    session["customer"] = made["id"]
    return made


def _subscribe(account: Account, session: Object, payer: Object | None, method: Object) -> None:
    if payer is None:
        raise invalid("A subscription needs a customer.")
    notes = account.store.notes(session)
    params = dict(notes["subscription_data"])
    if _asks_for_card(session):
        methods.attach(account, method, payer)
        params["default_payment_method"] = method["id"]
    made = subscription.start(account, payer, notes["lines"], params, "present")
    first = account.store.get("invoice", made["latest_invoice"])
    session.update(subscription=made["id"], invoice=first["id"])
    session["payment_status"] = "paid" if first["amount_due"] else "no_payment_required"


def _pay(account: Account, session: Object, payer: Object | None, method: Object) -> None:
    intent = _intent(account, session, payer)
    if payer and intent["setup_future_usage"]:
        methods.attach(account, method, payer)
    payment.confirm(account, intent, method, "present")
    if intent["status"] == "succeeded":
        _receive(account, session, intent)


def _receive(account: Account, session: Object, intent: Object) -> None:
    """A one-time payment came: the session is paid and, if that was asked for, gets its invoice."""
    session["payment_status"] = "paid"
    if session["invoice_creation"]:
        buyer = account.store.get("customer", session["customer"])
        bought = account.store.notes(session)["lines"]
        made = invoice.of_payment(account, buyer, bought, session["invoice_creation"]["invoice_data"], intent)
        session["invoice"] = made["id"]


def arrive(account: Account, session: Object, *, paid: bool) -> None:
    """What became of a payment that was on its way. ApiError 400 for a session without one."""
    intent = account.store.notes(session).get("intent")
    if intent is None:
        raise invalid(f"Nobody has paid for Checkout Session {session['id']} yet: it is {session['status']}.")
    payment.arrive(account, intent, paid=paid)
    if paid:
        _receive(account, session, intent)
    account.emit(f"checkout.session.async_payment_{'succeeded' if paid else 'failed'}", session)


def _intent(account: Account, session: Object, payer: Object | None) -> Object:
    """The session's PaymentIntent, made at the first try; a later payer is put on it."""
    notes = account.store.notes(session)
    if "intent" not in notes:
        params: dict[str, Any] = {"amount": session["amount_total"], "currency": session["currency"]}
        params |= {"customer": payer["id"] if payer else None, **notes["payment_intent_data"]}
        params["payment_method_types"] = session["payment_method_types"]
        notes["intent"] = payment.open_intent(account, params)
        if session["mode"] == "payment":
            session["payment_intent"] = notes["intent"]["id"]
    intent: Object = notes["intent"]
    intent["customer"] = payer["id"] if payer else None
    return intent


def expire(account: Account, session: Object) -> None:
    """Close an open session. ApiError 400 if it is not open."""
    if session["status"] != "open":
        message = (
            'Only Checkout Sessions with a status in ["open"] can be expired. '
            f"This Checkout Session has a status of {session['status']}."
        )
        raise invalid(message)
    session.update(status="expired", url=None)
    account.emit("checkout.session.expired", session)
