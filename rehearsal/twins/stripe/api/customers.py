"""/v1/customers and /v1/payment_methods."""

from typing import Any

from rehearsal.twins.stripe.account import Account
from rehearsal.twins.stripe.billing import methods, subscription
from rehearsal.twins.stripe.errors import invalid
from rehearsal.twins.stripe.listing import list_spec, matching, page
from rehearsal.twins.stripe.objects import customers
from rehearsal.twins.stripe.params import Spec, choice, merge_metadata, metadata, moments, new_metadata, record, text
from rehearsal.twins.stripe.router import Route
from rehearsal.twins.stripe.store import Object, stub

_SIMPLE = ("name", "phone", "description")
_FIELDS = {
    **{name: text(clear=True) for name in _SIMPLE},
    "email": text(clear=True, limit=512),
    "metadata": metadata(),
    "invoice_settings": record({"default_payment_method": text(clear=True)}),
}


def create(account: Account, params: dict[str, Any]) -> Object:
    """A customer, in a test clock's time if one is named, with a saved payment method if one is named."""
    clock_id = params.get("test_clock")
    if clock_id:
        account.store.get("test_helpers.test_clock", clock_id, "test_clock")
    made = customers.customer(params, created=account.store.now(clock_id), livemode=account.livemode)
    account.store.add(made)
    if "payment_method" in params:
        method = methods.attach(account, methods.from_id(account, params["payment_method"], made), made)
        if params.get("invoice_settings", {}).get("default_payment_method") == params["payment_method"]:
            params["invoice_settings"] = {"default_payment_method": method["id"]}
    _set_default(account, made, params)
    account.emit("customer.created", made)
    return made


def retrieve(account: Account, _params: dict[str, Any], customer_id: str) -> Object:
    """The customer; of a deleted one only that it was deleted."""
    gone = account.store.removed(customer_id)
    return stub(gone) if gone else account.store.get("customer", customer_id)


def update(account: Account, params: dict[str, Any], customer_id: str) -> Object:
    """Change what is given."""
    item = account.store.get("customer", customer_id)
    with account.updating(item, "customer.updated"):
        _set_default(account, item, params)
        item.update({name: params[name] for name in (*_SIMPLE, "email") if name in params})
        if "metadata" in params:
            item["metadata"] = merge_metadata(item["metadata"], params["metadata"])
    return item


def _set_default(account: Account, item: Object, params: dict[str, Any]) -> None:
    settings = params.get("invoice_settings", {})
    if "default_payment_method" in settings:
        method_id = settings["default_payment_method"]
        item["invoice_settings"]["default_payment_method"] = (
            methods.owned(account, method_id, item)["id"] if method_id else None
        )


def delete(account: Account, _params: dict[str, Any], customer_id: str) -> Object:
    """Delete a customer: what they subscribed to is cancelled at once."""
    item = account.store.get("customer", customer_id)
    for made in account.store.find("subscription", customer=customer_id):
        if made["status"] not in subscription.ENDED:
            subscription.end(account, made, "cancellation_requested")
    account.emit("customer.deleted", item)
    return account.store.remove(item)


def list_customers(account: Account, params: dict[str, Any]) -> Object:
    """Customers, by e-mail if wanted (exact, case-sensitive); those of a test clock only when it is named."""
    wanted = {"test_clock": None, **params}
    return page(matching(account.store.find("customer"), wanted, "email", "test_clock"), params, "/v1/customers")


def attach(account: Account, params: dict[str, Any], method_id: str) -> Object:
    """Save a payment method with a customer."""
    customer = account.store.get("customer", params["customer"], "customer")
    return methods.attach(account, methods.from_id(account, method_id, customer), customer)


def detach(account: Account, _params: dict[str, Any], method_id: str) -> Object:
    """Take a payment method from its customer."""
    method = account.store.get("payment_method", method_id)
    if not method["customer"]:
        raise invalid("The payment method you provided is not attached to a customer so detachment is impossible.")
    owner = account.store.get("customer", method["customer"])
    if owner["invoice_settings"]["default_payment_method"] == method_id:
        owner["invoice_settings"]["default_payment_method"] = None
    with account.updating(method, "payment_method.detached"):
        method["customer"] = None
    return method


def retrieve_method(account: Account, _params: dict[str, Any], method_id: str) -> Object:
    """A payment method that was made from a test id."""
    return account.store.get("payment_method", method_id)


def list_methods(account: Account, params: dict[str, Any], customer_id: str | None = None) -> Object:
    """The payment methods of a customer."""
    owner = customer_id or params["customer"]
    account.store.get("customer", owner, None if customer_id else "customer")
    url = f"/v1/customers/{owner}/payment_methods" if customer_id else "/v1/payment_methods"
    return page(account.store.find("payment_method", customer=owner), params, url)


_LIST_METHODS = list_spec(customer=text(), type=choice("card"))

ROUTES = (
    Route(
        "POST",
        "/v1/customers",
        create,
        Spec({**_FIELDS, "metadata": new_metadata(), "test_clock": text(), "payment_method": text()}),
    ),
    Route("GET", "/v1/customers", list_customers, list_spec(email=text(), created=moments(), test_clock=text())),
    Route("GET", "/v1/customers/{id}", retrieve),
    Route("POST", "/v1/customers/{id}", update, Spec(_FIELDS)),
    Route("DELETE", "/v1/customers/{id}", delete),
    Route("GET", "/v1/customers/{id}/payment_methods", list_methods, list_spec(type=choice("card"))),
    Route("GET", "/v1/payment_methods", list_methods, Spec(_LIST_METHODS.fields, required=("customer",))),
    Route("GET", "/v1/payment_methods/{id}", retrieve_method),
    Route("POST", "/v1/payment_methods/{id}/attach", attach, Spec({"customer": text()}, required=("customer",))),
    Route("POST", "/v1/payment_methods/{id}/detach", detach),
)
