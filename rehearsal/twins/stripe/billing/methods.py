"""Payment methods: made from Stripe's test ids, saved with customers, chosen for a payment."""

from rehearsal.twins.stripe import cards
from rehearsal.twins.stripe.account import Account
from rehearsal.twins.stripe.errors import card_error, invalid
from rehearsal.twins.stripe.objects.customers import card_method, sepa_method
from rehearsal.twins.stripe.store import Object


def from_id(account: Account, method_id: str, customer: Object | None) -> Object:
    """The PaymentMethod; a test id such as `pm_card_visa` makes a new one, as Stripe does."""
    if method_id in cards.CARDS:
        return from_card(account, cards.CARDS[method_id], customer)
    return account.store.get("payment_method", method_id, "payment_method")


def from_card(account: Account, card: cards.Card, customer: Object | None, email: str | None = None) -> Object:
    """A new PaymentMethod of `card`, not attached yet, in `customer`'s time."""
    method = card_method(card, created=account.now_for(customer), livemode=account.livemode, email=email)
    return account.store.add(method, instrument=card)


def from_bank(account: Account, bank: cards.BankAccount, customer: Object | None, email: str) -> Object:
    """A new PaymentMethod that debits `bank`, not attached yet, in `customer`'s time."""
    method = sepa_method(bank, created=account.now_for(customer), livemode=account.livemode, email=email)
    return account.store.add(method, instrument=bank)


def instrument(account: Account, method: Object) -> cards.Instrument:
    """What a PaymentMethod stands for."""
    found: cards.Instrument = account.store.notes(method)["instrument"]
    return found


def attach(account: Account, method: Object, customer: Object) -> Object:
    """Save a method with a customer; ApiError 402 if the issuer refuses, 400 if it belongs to somebody else."""
    if method["customer"] == customer["id"]:
        return method
    if method["customer"]:
        raise invalid("The payment method you provided has already been attached to a customer.")
    decline = instrument(account, method).on_attach
    if decline:
        raise card_error(decline.message, code=decline.code, decline_code=decline.decline_code, details={})
    method["customer"] = customer["id"]
    account.emit("payment_method.attached", method)
    return method


def owned(account: Account, method_id: str, customer: Object, param: str = "default_payment_method") -> Object:
    """The method, which must be saved with this customer. ApiError 400 otherwise."""
    method = account.store.get("payment_method", method_id, param)
    if method["customer"] != customer["id"]:
        message = (
            f"The customer does not have a payment method with the ID {method_id}. "
            "The payment method must be attached to the customer."
        )
        raise invalid(message, param=param, code="resource_missing")
    return method


def chosen(account: Account, customer: Object, *candidates: str | None) -> Object | None:
    """The first of the candidates that is saved with the customer, else their default for invoices, else nothing."""
    for method_id in (*candidates, customer["invoice_settings"]["default_payment_method"]):
        if method_id:
            method = account.store.get("payment_method", method_id, "payment_method")
            if method["customer"] == customer["id"]:  # one that was detached cannot be charged any more
                return method
    return None
