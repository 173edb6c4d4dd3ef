"""/v1/products and /v1/prices."""

from typing import Any

from rehearsal.twins.stripe.account import Account
from rehearsal.twins.stripe.errors import invalid, missing_param
from rehearsal.twins.stripe.listing import list_spec, matching, page
from rehearsal.twins.stripe.objects import catalog
from rehearsal.twins.stripe.params import (
    Spec,
    array,
    boolean,
    choice,
    integer,
    merge_metadata,
    metadata,
    moments,
    new_metadata,
    record,
    text,
)
from rehearsal.twins.stripe.router import Route
from rehearsal.twins.stripe.store import Object

CURRENCIES = ("aud", "cad", "chf", "dkk", "eur", "gbp", "jpy", "nok", "nzd", "pln", "sek", "usd")
PRODUCT_DATA = record({"name": text(), "metadata": new_metadata()}, "name")
RECURRING = record({"interval": choice("day", "week", "month", "year"), "interval_count": integer(1, 156)}, "interval")


def create_product(account: Account, params: dict[str, Any]) -> Object:
    """A product; `id` may be chosen, once."""
    if account.store.find("product", id=params.get("id", "")):
        raise invalid("Product already exists.", param="id", code="resource_already_exists")
    made = catalog.product(params, created=account.store.now(), livemode=account.livemode)
    account.store.add(made)
    account.emit("product.created", made)
    return made


def retrieve_product(account: Account, _params: dict[str, Any], product_id: str) -> Object:
    """The product."""
    return account.store.get("product", product_id)


def update_product(account: Account, params: dict[str, Any], product_id: str) -> Object:
    """Change what is given."""
    item = account.store.get("product", product_id)
    with account.updating(item, "product.updated"):
        _change(item, params)
        item["updated"] = account.store.now()
    return item


def list_products(account: Account, params: dict[str, Any]) -> Object:
    """Products."""
    return page(matching(account.store.find("product"), params, "active"), params, "/v1/products")


def create_price(account: Account, params: dict[str, Any]) -> Object:
    """A price of an existing product, or of one made from `product_data`."""
    if "product" not in params and "product_data" not in params:
        raise missing_param("product")
    key = params.get("lookup_key")
    if key:
        _free_lookup_key(account, key, transfer=params.get("transfer_lookup_key", False))
    if "product" in params:
        product = account.store.get("product", params["product"], "product")
    else:
        product = create_product(account, params["product_data"])
    made = catalog.price(params, product["id"], created=account.store.now(), livemode=account.livemode)
    account.store.add(made)
    account.emit("price.created", made)
    return made


def _free_lookup_key(account: Account, key: str, *, transfer: bool) -> None:
    """A lookup key belongs to one price; it moves only if asked to."""
    for holder in account.store.find("price", lookup_key=key):
        if not transfer:
            message = (
                f"A price (`{holder['id']}`) already uses that lookup key. To transfer it, set `transfer_lookup_key`."
            )
            raise invalid(message, param="lookup_key", code="resource_already_exists")
        with account.updating(holder, "price.updated"):
            holder["lookup_key"] = None


def retrieve_price(account: Account, _params: dict[str, Any], price_id: str) -> Object:
    """The price."""
    return account.store.get("price", price_id)


def update_price(account: Account, params: dict[str, Any], price_id: str) -> Object:
    """Change what may change: never the amount."""
    item = account.store.get("price", price_id)
    key = params.get("lookup_key")
    if key and key != item["lookup_key"]:
        _free_lookup_key(account, key, transfer=params.pop("transfer_lookup_key", False))
    with account.updating(item, "price.updated"):
        _change(item, params)
    return item


def _change(item: Object, params: dict[str, Any]) -> None:
    simple = {name: value for name, value in params.items() if name in item and name != "metadata"}
    item.update(simple)
    if "metadata" in params:
        item["metadata"] = merge_metadata(item["metadata"], params["metadata"])


def list_prices(account: Account, params: dict[str, Any]) -> Object:
    """Prices, by `lookup_keys` among others."""
    found = matching(account.store.find("price"), params, "active", "product", "currency", "type")
    keys = params.get("lookup_keys")
    if keys is not None:
        found = [item for item in found if item["lookup_key"] in keys]
    return page(found, params, "/v1/prices")


_PRODUCT = {"name": text(), "active": boolean(), "description": text(clear=True), "metadata": metadata()}
_PRICE = {
    "active": boolean(),
    "lookup_key": text(clear=True, limit=200),
    "metadata": metadata(),
    "nickname": text(clear=True),
    "transfer_lookup_key": boolean(),
}
_NEW_PRICE = {
    **_PRICE,
    "metadata": new_metadata(),
    "currency": choice(*CURRENCIES),
    "unit_amount": integer(),
    "product": text(),
    "product_data": PRODUCT_DATA,
    "recurring": RECURRING,
}

ROUTES = (
    Route(
        "POST",
        "/v1/products",
        create_product,
        Spec({**_PRODUCT, "metadata": new_metadata(), "id": text()}, required=("name",)),
    ),
    Route("GET", "/v1/products", list_products, list_spec(active=boolean(), created=moments())),
    Route("GET", "/v1/products/{id}", retrieve_product),
    Route("POST", "/v1/products/{id}", update_product, Spec(_PRODUCT)),
    Route("POST", "/v1/prices", create_price, Spec(_NEW_PRICE, required=("currency", "unit_amount"))),
    Route(
        "GET",
        "/v1/prices",
        list_prices,
        list_spec(
            active=boolean(),
            product=text(),
            currency=choice(*CURRENCIES),
            type=choice("one_time", "recurring"),
            lookup_keys=array(text(), limit=10),
            created=moments(),
        ),
    ),
    Route("GET", "/v1/prices/{id}", retrieve_price),
    Route("POST", "/v1/prices/{id}", update_price, Spec(_PRICE)),
)
