"""What happens to a Checkout Session: paid, declined, expired.

The subscription of a session exists only once the session is complete (since 2025-03-31.basil).
"""

from typing import Any, Literal

from rehearsal.twins.stripe.account import Account
from rehearsal.twins.stripe.billing import methods, payment, subscription
from rehearsal.twins.stripe.cards import CARDS, Card
from rehearsal.twins.stripe.errors import card_error, invalid
from rehearsal.twins.stripe.objects.checkout import customer_details
from rehearsal.twins.stripe.objects.customers import customer
from rehearsal.twins.stripe.store import Object

Outcome = Literal["paid", "declined"]
PAYS, DECLINES = CARDS["pm_card_visa"], CARDS["pm_card_visa_chargeDeclined"]


def submit(
    account: Account, session: Object, outcome: Outcome, email: str | None = None, name: str | None = None
) -> None:
    """The payer sends the hosted page.

    ApiError 400 for a session that is not open or a payer without e-mail, 402 if the issuer refuses.
    """
    if session["status"] != "open":
        raise invalid(f"This Checkout Session is no longer open: its status is {session['status']}.")
    known = account.store.get("customer", session["customer"], "customer") if session["customer"] else None
    email = (known or {}).get("email") or session["customer_email"] or email
    if not email:
        raise invalid("Enter an e-mail address: the session has neither a customer nor customer_email.", param="email")
    if outcome == "declined":
        _decline(account, session, known)
    session["customer_details"] = customer_details(email, name or (known or {}).get("name"))
    payer = known or _new_customer(account, session, email, name)
    method = methods.from_card(account, PAYS, payer, email)
    if session["mode"] == "subscription":
        _subscribe(account, session, payer, method)
    else:
        _pay(account, session, payer, method)
    session.update(status="complete", url=None)
    account.emit("checkout.session.completed", session)


def _new_customer(account: Account, session: Object, email: str, name: str | None) -> Object | None:
    """A payment leaves a customer only if the session says `customer_creation=always`; a subscription always does."""
    if session["mode"] == "payment" and session["customer_creation"] != "always":
        return None
    params = {"email": email, "name": name}
    made = account.store.add(customer(params, created=account.store.now(), livemode=account.livemode))
    account.emit("customer.created", made)
    session["customer"] = made["id"]
    return made


def _subscribe(account: Account, session: Object, payer: Object | None, method: Object) -> None:
    if payer is None:
        raise invalid("A subscription needs a customer.")
    methods.attach(account, method, payer)
    notes = account.store.notes(session)
    params = {**notes["subscription_data"], "default_payment_method": method["id"]}
    made = subscription.start(account, payer, notes["lines"], params)
    first = account.store.get("invoice", made["latest_invoice"])
    session.update(subscription=made["id"], invoice=first["id"])
    session["payment_status"] = "paid" if first["amount_due"] else "no_payment_required"


def _pay(account: Account, session: Object, payer: Object | None, method: Object) -> None:
    intent = _intent(account, session, payer)
    if payer and intent["setup_future_usage"]:
        methods.attach(account, method, payer)
    payment.confirm(account, intent, method)
    session["payment_status"] = "paid"


def _intent(account: Account, session: Object, payer: Object | None) -> Object:
    """The session's PaymentIntent, made at the first try; a later payer is put on it."""
    notes = account.store.notes(session)
    if "intent" not in notes:
        params: dict[str, Any] = {"amount": session["amount_total"], "currency": session["currency"]}
        params |= {"customer": payer["id"] if payer else None, **notes["payment_intent_data"]}
        notes["intent"] = payment.open_intent(account, params)
        if session["mode"] == "payment":
            session["payment_intent"] = notes["intent"]["id"]
    intent: Object = notes["intent"]
    intent["customer"] = payer["id"] if payer else None
    return intent


def _decline(account: Account, session: Object, known: Object | None) -> None:
    """The issuer refuses; the session stays open for another try."""
    if session["amount_total"]:
        intent = _intent(account, session, known)
        decline = payment.confirm(account, intent, methods.from_card(account, DECLINES, known))
        if decline:
            raise payment.declined(intent, decline)
    raise _refused_card(DECLINES)


def _refused_card(card: Card) -> Exception:
    decline = card.on_attach or card.on_charge
    if decline is None:
        raise ValueError(f"card {card.last4} declines nothing")
    return card_error(decline.message, code=decline.code, decline_code=decline.decline_code, details={})


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
