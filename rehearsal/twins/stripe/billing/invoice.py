"""An invoice's life: draft, finalised, tried, paid or failed.

Source: https://docs.stripe.com/invoicing/integration/workflow-transitions.
"""

from rehearsal.twins.stripe.account import Account
from rehearsal.twins.stripe.billing import methods, payment
from rehearsal.twins.stripe.cards import UNAUTHENTICATED, Decline
from rehearsal.twins.stripe.errors import invalid
from rehearsal.twins.stripe.objects.invoices import (
    invoice_payment,
    payment_invoice,
    payment_line,
    subscription_invoice,
    subscription_line,
)
from rehearsal.twins.stripe.store import Object, new_id

DRAFT_FOR = 3600  # a renewal's invoice stays a draft for about an hour
DAY = 86_400


def draft(
    account: Account, subscription: Object, reason: str, *, free: bool = False, period: tuple[int, int] | None = None
) -> Object:
    """A draft for `period`, by default the items' current ones; `free` for the start of a trial."""
    customer = account.store.get("customer", subscription["customer"])
    lines = []
    for item in subscription["items"]["data"]:
        amount = 0 if free else item["price"]["unit_amount"] * item["quantity"]
        start, end = period or (item["current_period_start"], item["current_period_end"])
        lines.append(subscription_line(item, amount, start, end, subscription))
    made = subscription_invoice(customer, subscription, lines, reason, created=account.now_for(customer))
    account.store.add(made)
    return made


def of_payment(
    account: Account, customer: Object, bought: list[tuple[Object, int]], data: Object, by: Object
) -> Object:
    """The invoice that Checkout makes after a payment (`invoice_creation`), paid by the PaymentIntent `by`.

    Source: https://docs.stripe.com/receipts (paid invoices).
    """
    now = account.now_for(customer)
    lines = [payment_line(price, quantity, now) for price, quantity in bought]
    made = account.store.add(payment_invoice(customer, lines, data, created=now))
    account.emit("invoice.created", made)
    finalize(account, made, payable=False)
    account.store.add(invoice_payment(made, by, created=now))
    made["attempt_count"] = 1
    mark_paid(account, made)
    return made


def finalize(account: Account, made: Object, *, payable: bool = True) -> None:
    """Open a draft: it gets its number and links, and, if there is something to pay (`payable`), its PaymentIntent."""
    customer = account.store.get("customer", made["customer"])
    now = account.now_for(customer)
    number = f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04d}"
    customer["next_invoice_sequence"] += 1
    link = f"https://invoice.stripe.com/i/{account.id}/{new_id('live' if account.livemode else 'test')}"
    made.update(
        status="open",
        number=number,
        automatically_finalizes_at=None,
        effective_at=now,
        ending_balance=0,
        hosted_invoice_url=link,
        invoice_pdf=f"{link}/pdf",
    )
    made["status_transitions"]["finalized_at"] = now
    account.emit("invoice.finalized", made)
    if made["amount_due"] and payable:
        _link_payment(account, made, now)


def _link_payment(account: Account, made: Object, now: int) -> None:
    first = made["billing_reason"] == "subscription_create"
    params = {
        "amount": made["amount_due"],
        "currency": made["currency"],
        "customer": made["customer"],
        "description": "Subscription creation" if first else "Subscription update",
        "setup_future_usage": "off_session" if first else None,
    }
    intent = payment.open_intent(account, params)
    account.store.add(invoice_payment(made, intent, created=now))


def payment_of(account: Account, made: Object) -> Object | None:
    """The InvoicePayment of a finalised invoice, None where nothing was to be paid."""
    return next(iter(account.store.find("invoice_payment", invoice=made["id"])), None)


def intent_of(account: Account, made: Object) -> Object:
    """The PaymentIntent that pays an invoice with something to pay."""
    link = payment_of(account, made)
    if link is None:
        raise invalid(f"Invoice {made['id']} has no payment: nothing was due.")
    return account.store.get("payment_intent", link["payment"]["payment_intent"])


def attempt(
    account: Account,
    made: Object,
    method_id: str | None = None,
    *,
    automatic: bool = True,
    payer: payment.Payer = "reachable",
) -> Decline | None:
    """Try to collect an open invoice: with `method_id`, else with the subscription's or the customer's default.

    A bank that wants the payer's word first makes the try a failed one, and `invoice.payment_action_required` says why.
    Source: https://docs.stripe.com/billing/subscriptions/webhooks (action required).
    """
    if not made["amount_due"]:
        mark_paid(account, made)
        return None
    customer = account.store.get("customer", made["customer"])
    subscription = subscription_of(account, made)
    method = methods.chosen(account, customer, method_id, subscription["default_payment_method"])
    decline = payment.confirm(account, intent_of(account, made), method, payer)
    # "Any payment attempt counts as the first attempt, and subsequently only automatic retries increment the count."
    counts = automatic or made["attempt_count"] == 0
    made.update(attempted=True, attempt_count=made["attempt_count"] + counts)
    if decline:
        if counts:
            made["next_payment_attempt"] = _next_attempt(account, made, account.now_for(customer))
        if decline is UNAUTHENTICATED:
            account.emit("invoice.payment_action_required", made)
        account.emit("invoice.payment_failed", made)
    else:
        mark_paid(account, made)
    return decline


def _next_attempt(account: Account, made: Object, now: int) -> int | None:
    """When the retry schedule tries again; a first invoice is never retried on its own."""
    days = account.billing.retry_days
    if made["billing_reason"] == "subscription_create" or made["attempt_count"] > len(days):
        return None
    return now + days[made["attempt_count"] - 1] * DAY


def mark_paid(account: Account, made: Object) -> None:
    """The invoice's payment came."""
    now = account.store.now(account.clock_of(made))
    link = payment_of(account, made)
    if link is not None:
        link.update(status="paid", amount_paid=made["amount_due"])
        link["status_transitions"]["paid_at"] = now
        account.emit("invoice_payment.paid", link)
    with account.updating(made, "invoice.updated"):
        made.update(
            status="paid",
            attempted=True,
            auto_advance=False,
            amount_paid=made["amount_due"],
            amount_remaining=0,
            next_payment_attempt=None,
        )
        made["status_transitions"]["paid_at"] = now
    account.emit("invoice.paid", made)
    account.emit("invoice.payment_succeeded", made)


def void(account: Account, made: Object) -> None:
    """Nothing more will be collected on this invoice."""
    made.update(status="void", auto_advance=False, next_payment_attempt=None)
    made["status_transitions"]["voided_at"] = account.store.now(account.clock_of(made))
    account.emit("invoice.voided", made)


def write_off(account: Account, made: Object) -> None:
    """Nobody expects this invoice's money any more."""
    made.update(status="uncollectible", auto_advance=False, next_payment_attempt=None)
    made["status_transitions"]["marked_uncollectible_at"] = account.store.now(account.clock_of(made))
    account.emit("invoice.marked_uncollectible", made)


def subscription_id(made: Object) -> str | None:
    """The subscription that an invoice is for; None for one of a one-time payment."""
    return made["parent"]["subscription_details"]["subscription"] if made["parent"] else None


def subscription_of(account: Account, made: Object) -> Object:
    """The subscription of an invoice that is for one."""
    return account.store.get("subscription", subscription_id(made) or "")


def invoices_of(account: Account, subscription: Object) -> list[Object]:
    """All invoices of a subscription, oldest first."""
    invoices = account.store.find("invoice", customer=subscription["customer"])
    return [made for made in invoices if subscription_id(made) == subscription["id"]]


def paid_by(account: Account, intent: Object) -> Object | None:
    """The invoice that a PaymentIntent is to pay, None for a payment of its own."""
    for link in account.store.find("invoice_payment"):
        if link["payment"]["payment_intent"] == intent["id"]:
            return account.store.get("invoice", link["invoice"])
    return None
