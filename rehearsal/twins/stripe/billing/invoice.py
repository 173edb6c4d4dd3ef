"""An invoice's life: draft, finalised, tried, paid or failed.

Source: https://docs.stripe.com/invoicing/integration/workflow-transitions.
"""

from rehearsal.twins.stripe.account import Account
from rehearsal.twins.stripe.billing import methods, payment
from rehearsal.twins.stripe.cards import Decline
from rehearsal.twins.stripe.errors import invalid
from rehearsal.twins.stripe.objects.invoices import invoice, invoice_line, invoice_payment
from rehearsal.twins.stripe.store import Object, new_id

DRAFT_FOR = 3600  # a renewal's invoice stays a draft for about an hour
DAY = 86_400


def draft(account: Account, subscription: Object, reason: str, *, free: bool = False) -> Object:
    """A draft for the items' current periods; `free` for the start of a trial."""
    customer = account.store.get("customer", subscription["customer"])
    lines = []
    for item in subscription["items"]["data"]:
        amount = 0 if free else item["price"]["unit_amount"] * item["quantity"]
        period = item["current_period_start"], item["current_period_end"]
        lines.append(invoice_line(item, amount, *period, subscription))
    made = invoice(customer, subscription, lines, reason, created=account.now_for(customer))
    account.store.add(made)
    return made


def finalize(account: Account, made: Object) -> None:
    """Open a draft: it gets its number and links, and, if there is something to pay, its PaymentIntent."""
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
    if made["amount_due"]:
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


def attempt(account: Account, made: Object, method_id: str | None = None, *, automatic: bool = True) -> Decline | None:
    """Try to collect an open invoice: with `method_id`, else with the subscription's or the customer's default."""
    if not made["amount_due"]:
        _mark_paid(account, made)
        return None
    customer = account.store.get("customer", made["customer"])
    subscription = subscription_of(account, made)
    method = methods.chosen(account, customer, method_id, subscription["default_payment_method"])
    decline = payment.confirm(account, intent_of(account, made), method)
    # "Any payment attempt counts as the first attempt, and subsequently only automatic retries increment the count."
    counts = automatic or made["attempt_count"] == 0
    made.update(attempted=True, attempt_count=made["attempt_count"] + counts)
    if decline:
        if counts:
            made["next_payment_attempt"] = _next_attempt(account, made, account.now_for(customer))
        account.emit("invoice.payment_failed", made)
    else:
        _mark_paid(account, made)
    return decline


def _next_attempt(account: Account, made: Object, now: int) -> int | None:
    """When the retry schedule tries again; a first invoice is never retried on its own."""
    days = account.billing.retry_days
    if made["billing_reason"] == "subscription_create" or made["attempt_count"] > len(days):
        return None
    return now + days[made["attempt_count"] - 1] * DAY


def _mark_paid(account: Account, made: Object) -> None:
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


def subscription_of(account: Account, made: Object) -> Object:
    """The subscription that an invoice is for."""
    return account.store.get("subscription", made["parent"]["subscription_details"]["subscription"])


def invoices_of(account: Account, subscription: Object) -> list[Object]:
    """All invoices of a subscription, oldest first."""
    invoices = account.store.find("invoice", customer=subscription["customer"])
    return [made for made in invoices if subscription_of(account, made) is subscription]
