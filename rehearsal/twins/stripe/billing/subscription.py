"""A subscription's life: start, renewal, failed payments, cancellation.

Sources: https://docs.stripe.com/billing/subscriptions/overview (statuses) and
https://docs.stripe.com/billing/subscriptions/webhooks (events).
"""

from typing import Any

from rehearsal.twins.stripe.account import Account
from rehearsal.twins.stripe.billing import invoice, methods, pausing, payment, periods
from rehearsal.twins.stripe.cards import NO_CARD, UNAUTHENTICATED, Decline
from rehearsal.twins.stripe.errors import card_error, invalid
from rehearsal.twins.stripe.objects.subscriptions import UPDATED, subscription, subscription_item
from rehearsal.twins.stripe.store import Object

ENDED = ("canceled", "incomplete_expired")
INCOMPLETE_FOR = 23 * 3600
TRIAL_NOTICE = 3 * 86_400


def start(
    account: Account,
    customer: Object,
    lines: list[tuple[Object, int]],
    params: dict[str, Any],
    payer: payment.Payer = "reachable",
) -> Object:
    """A new subscription of (price, quantity) lines with its first invoice, tried as `payment_behavior` says."""
    now = account.now_for(customer)
    trial_end = params.get("trial_end")
    behaviour = params.get("payment_behavior", "allow_incomplete")
    if not trial_end and behaviour != "default_incomplete":
        _refuse_early(account, customer, params, behaviour)
    items = [_first_item(price, quantity, now, trial_end) for price, quantity in lines]
    made = subscription(customer, items, params, created=now, livemode=account.livemode)
    account.store.add(made, trial_notice=not trial_end)
    customer["currency"] = made["currency"]
    first = _first_invoice(account, made, free=bool(trial_end))
    if trial_end:
        invoice.attempt(account, first)
        made["status"] = "trialing"
    elif behaviour != "default_incomplete" and invoice.attempt(account, first, payer=payer) is None:
        made["status"] = "active"
    account.emit("customer.subscription.created", made)
    if trial_end and trial_end - now < TRIAL_NOTICE:
        announce_trial_end(account, made)
    return made


def announce_trial_end(account: Account, made: Object) -> None:
    """Told once: three days before a trial ends, at once for a shorter one.

    Source: https://docs.stripe.com/billing/subscriptions/trials.
    """
    account.store.notes(made)["trial_notice"] = True
    account.emit("customer.subscription.trial_will_end", made)


def _first_item(price: Object, quantity: int, now: int, trial_end: int | None) -> Object:
    if price["recurring"] is None:
        message = (
            "The price specified is set to `type=one_time` but this field only accepts prices with "
            f"`type=recurring`: {price['id']}"
        )
        raise invalid(message, param="items")
    end = trial_end or periods.next_end(now, now, price["recurring"])
    return subscription_item(price, quantity, now, end, created=now)


def _refuse_early(account: Account, customer: Object, params: dict[str, Any], behaviour: str) -> None:
    """What Stripe refuses before it makes anything."""
    method = methods.chosen(account, customer, params.get("default_payment_method"))
    if method is None:
        raise invalid(NO_CARD.message, code=NO_CARD.code)
    instrument = methods.instrument(account, method)
    decline = UNAUTHENTICATED if instrument.authenticates else instrument.on_charge
    if decline and behaviour == "error_if_incomplete":
        raise card_error(decline.message, code=decline.code, decline_code=decline.decline_code, details={})


def _first_invoice(account: Account, made: Object, *, free: bool) -> Object:
    first = invoice.draft(account, made, "subscription_create", free=free)
    made["latest_invoice"] = first["id"]
    account.emit("invoice.created", first)
    invoice.finalize(account, first)
    return first


def renew(account: Account, made: Object) -> None:
    """The current period is over: cancel if that was asked, else roll the items and draft the next invoice."""
    if made["cancel_at_period_end"]:
        end(account, made, "cancellation_requested")
        return
    if made["status"] == "trialing" and _ends_with_trial(account, made):
        return
    now = account.store.now(made["test_clock"])
    paused = made["pause_collection"]
    idle = made["status"] == "unpaid" or paused is not None
    with account.updating(made, UPDATED):
        for item in made["items"]["data"]:
            start_of_period = item["current_period_end"]
            item["current_period_start"] = start_of_period
            item["current_period_end"] = periods.next_end(
                made["billing_cycle_anchor"], start_of_period, item["price"]["recurring"]
            )
        if made["status"] == "trialing":
            made["status"] = "active"
        due = invoice.draft(account, made, "subscription_cycle")
        moment = None if idle else now + invoice.DRAFT_FOR
        due.update(auto_advance=not idle, automatically_finalizes_at=moment, next_payment_attempt=moment)
        due["period_start"] = made["items"]["data"][0]["current_period_start"]
        made["latest_invoice"] = due["id"]
        account.emit("invoice.created", due)
    if paused is not None:
        pausing.set_aside(account, due, paused["behavior"])


def _ends_with_trial(account: Account, made: Object) -> bool:
    """Nobody gave a payment method during the trial: cancelled or paused, if the subscription's settings say so."""
    customer = account.store.get("customer", made["customer"])
    if methods.chosen(account, customer, made["default_payment_method"]):
        return False
    behavior = made["trial_settings"]["end_behavior"]["missing_payment_method"]
    if behavior == "pause":
        pausing.pause(account, made, "trial_end_without_payment_method")
    elif behavior == "cancel":
        end(account, made, None)  # none of the reasons that Stripe declares is this one
    return behavior != "create_invoice"


def collect(account: Account, due: Object, method_id: str | None = None, *, automatic: bool = True) -> Decline | None:
    """Try to pay an invoice (finalised first if it is a draft) and bring its subscription in line with the outcome."""
    if due["status"] == "draft":
        invoice.finalize(account, due)
    decline = invoice.attempt(account, due, method_id, automatic=automatic)
    made = invoice.subscription_of(account, due)
    if decline is None:
        paid(account, made, due)
    elif automatic:
        _failed(account, made, due)
    return decline


def paid(account: Account, made: Object, due: Object) -> None:
    """The money of one of its invoices came."""
    if due is pausing.resumption(account, made):
        pausing.resume(account, made, anchor=due["lines"]["data"][0]["period"]["start"])
    elif made["latest_invoice"] == due["id"] and made["status"] in ("past_due", "unpaid", "incomplete"):
        with account.updating(made, UPDATED):
            made["status"] = "active"
    _show_delinquency(account, made)


def _failed(account: Account, made: Object, due: Object) -> None:
    if made["status"] == "active":
        with account.updating(made, UPDATED):
            made["status"] = "past_due"
    _show_delinquency(account, made)
    if due["next_payment_attempt"] is None and made["status"] == "past_due":
        _give_up(account, made)


def _give_up(account: Account, made: Object) -> None:
    """The last retry failed: as the account's settings say."""
    if account.billing.after_retries == "cancel":
        end(account, made, "payment_failed")
    elif account.billing.after_retries == "unpaid":
        with account.updating(made, UPDATED):
            made["status"] = "unpaid"


def _show_delinquency(account: Account, made: Object) -> None:
    customer = account.store.get("customer", made["customer"])
    latest = account.store.get("invoice", made["latest_invoice"])
    with account.updating(customer, "customer.updated"):
        customer["delinquent"] = latest["status"] == "open" and latest["attempted"]


def end(account: Account, made: Object, reason: str | None, details: dict[str, Any] | None = None) -> None:
    """Cancel now; what is still open is no longer collected."""
    now = account.store.now(made["test_clock"])
    made.update(status="canceled", ended_at=now, canceled_at=made["canceled_at"] or now)
    made["cancellation_details"].update({"reason": reason, **(details or {})})
    account.emit("customer.subscription.deleted", made)
    for due in invoice.invoices_of(account, made):
        if due["status"] in ("draft", "open"):
            with account.updating(due, "invoice.updated"):
                due.update(auto_advance=False, automatically_finalizes_at=None, next_payment_attempt=None)


def expire_incomplete(account: Account, made: Object) -> None:
    """The first payment did not come within 23 hours."""
    with account.updating(made, UPDATED):
        made.update(status="incomplete_expired", ended_at=account.store.now(made["test_clock"]))
    invoice.void(account, account.store.get("invoice", made["latest_invoice"]))


def cancel_at_period_end(account: Account, made: Object, *, wanted: bool) -> None:
    """Ask for the end with the period, or take that back. The caller emits the update."""
    last = max(item["current_period_end"] for item in made["items"]["data"])
    made.update(
        cancel_at_period_end=wanted,
        cancel_at=last if wanted else None,
        canceled_at=account.store.now(made["test_clock"]) if wanted else None,
    )
    made["cancellation_details"]["reason"] = "cancellation_requested" if wanted else None


def pay_now(account: Account, due: Object, method_id: str | None) -> None:
    """An API caller pays an open invoice; ApiError 402 if the issuer refuses or wants the payer's word."""
    decline = collect(account, due, method_id, automatic=False)
    if decline is None:
        return
    made = invoice.subscription_of(account, due)
    if due is pausing.resumption(account, made):  # the try alone brings it back, to owe what it costs
        pausing.resume(account, made, anchor=due["lines"]["data"][0]["period"]["start"], status="past_due")
    if decline is UNAUTHENTICATED:
        message = "This payment requires additional user action before it can be completed successfully."
        raise card_error(message, code="invoice_payment_intent_requires_action", decline_code=None, details={})
    raise payment.declined(invoice.intent_of(account, due), decline)


def authenticate(account: Account, intent: Object) -> None:
    """The payer says yes to the bank, on Stripe's page or in the app; what the PaymentIntent was to pay is paid."""
    payment.authenticate(account, intent)
    due = invoice.paid_by(account, intent)
    if due is not None:
        invoice.mark_paid(account, due)
        paid(account, invoice.subscription_of(account, due), due)


def resume(account: Account, made: Object, *, keep_cycle: bool, on_success: bool) -> None:
    """Bring a paused subscription back: in its old cycle at once, or in a new one with its invoice.

    That invoice is tried now, and again later, with `on_success`; else somebody has to pay it through the API.
    Source: https://docs.stripe.com/changelog/dahlia/2026-05-27/pause-subscriptions (payment_behavior).
    """
    if keep_cycle:
        pausing.resume(account, made, anchor=None)
        return
    due = pausing.bill_resumption(account, made)
    if on_success:
        due["auto_advance"] = True
        collect(account, due)
