"""/v1/invoices and /v1/invoice_payments."""

from typing import Any

from rehearsal.twins.stripe.account import Account
from rehearsal.twins.stripe.billing import invoice, methods, subscription
from rehearsal.twins.stripe.errors import invalid
from rehearsal.twins.stripe.listing import list_spec, matching, page
from rehearsal.twins.stripe.params import Spec, boolean, choice, moments, record, text
from rehearsal.twins.stripe.router import Route
from rehearsal.twins.stripe.store import Object


def retrieve(account: Account, _params: dict[str, Any], invoice_id: str) -> Object:
    """The invoice; its payments only when expanded."""
    return account.store.get("invoice", invoice_id)


def list_invoices(account: Account, params: dict[str, Any]) -> Object:
    """Invoices, of one customer or subscription if wanted."""
    found = matching(account.store.find("invoice"), params, "customer", "status")
    wanted = params.get("subscription")
    if wanted:
        found = [item for item in found if invoice.subscription_id(item) == wanted]
    return page(found, params, "/v1/invoices")


def pay(account: Account, params: dict[str, Any], invoice_id: str) -> Object:
    """Collect an invoice now. ApiError 402 if the issuer refuses, 400 if there is nothing to collect."""
    item = account.store.get("invoice", invoice_id)
    if item["status"] not in ("draft", "open"):
        raise invalid(f"Invoice is already {item['status']}: it cannot be paid.", code="invoice_not_editable")
    method_id = params.get("payment_method")
    if method_id:
        customer = account.store.get("customer", item["customer"])
        methods.owned(account, method_id, customer, "payment_method")
    subscription.pay_now(account, item, method_id)
    return item


def lines(account: Account, params: dict[str, Any], invoice_id: str) -> Object:
    """The invoice's lines."""
    item = account.store.get("invoice", invoice_id)
    return page(item["lines"]["data"][::-1], params, item["lines"]["url"])


def retrieve_payment(account: Account, _params: dict[str, Any], payment_id: str) -> Object:
    """The link between an invoice and what paid it."""
    return account.store.get("invoice_payment", payment_id)


def list_payments(account: Account, params: dict[str, Any]) -> Object:
    """Links by invoice, or by the PaymentIntent that paid: the way from a refund to its invoice."""
    found = matching(account.store.find("invoice_payment"), params, "invoice", "status")
    payment = params.get("payment")
    if payment is not None and "payment_intent" in payment:
        found = [item for item in found if item["payment"]["payment_intent"] == payment["payment_intent"]]
    return page(found, params, "/v1/invoice_payments")


_PAYMENT = record({"type": choice("payment_intent"), "payment_intent": text()}, "type")

ROUTES = (
    Route(
        "GET",
        "/v1/invoices",
        list_invoices,
        list_spec(
            customer=text(),
            subscription=text(),
            status=choice("draft", "open", "paid", "uncollectible", "void"),
            created=moments(),
        ),
    ),
    Route("GET", "/v1/invoices/{id}", retrieve),
    Route("GET", "/v1/invoices/{id}/lines", lines, list_spec()),
    Route(
        "POST",
        "/v1/invoices/{id}/pay",
        pay,
        Spec({"payment_method": text(), "off_session": boolean()}),
    ),
    Route(
        "GET",
        "/v1/invoice_payments",
        list_payments,
        list_spec(invoice=text(), status=choice("open", "paid", "canceled"), payment=_PAYMENT, created=moments()),
    ),
    Route("GET", "/v1/invoice_payments/{id}", retrieve_payment),
)
