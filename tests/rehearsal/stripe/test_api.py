"""What holds for every call: keys, errors, parameters, pages, expansion, idempotency."""

import threading
from typing import Any

import pytest
import stripe
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


def client(twin: Any, recording: Any, key: str, **more: Any) -> Any:
    return stripe.StripeClient(key, base_addresses={"api": twin.url}, http_client=recording, **more).v1


def test_a_wrong_key_is_401_and_is_not_shown(twin: Any, recording: Any) -> None:
    wrong = "sk_live_notourkeyatall1234"
    with pytest.raises(stripe.AuthenticationError) as refused:
        client(twin, recording, wrong).customers.list()
    assert refused.value.http_status == 401
    assert "Invalid API Key provided: sk_live_" in str(refused.value)
    assert wrong not in str(refused.value)


def test_no_key_is_401_and_curls_basic_form_is_a_key(twin: Any, browser: Any) -> None:
    assert browser.get(f"{twin.url}/v1/customers").status_code == 401
    assert browser.get(f"{twin.url}/v1/customers", auth=(twin.api_key, "")).status_code == 200


def test_a_restricted_key_reads_and_does_not_write(twin: Any, recording: Any) -> None:
    reader = client(twin, recording, twin.read_key)
    assert reader.customers.list().data == []
    with pytest.raises(stripe.PermissionError) as refused:
        reader.customers.create({"email": "a@example.com"})
    assert refused.value.http_status == 403
    assert twin.events() == ()


def test_another_api_version_is_refused(twin: Any, recording: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=f"speaks {stripe.api_version} only"):
        client(twin, recording, twin.api_key, stripe_version="2022-11-15").customers.list()


MISSING, UNKNOWN, ABSENT, NUMBER = (
    "resource_missing",
    "parameter_unknown",
    "parameter_missing",
    "parameter_invalid_integer",
)
MANY = {str(number): "v" for number in range(51)}
LONG = "k" * 41
ITEMS = [{"price": "price_none"}]
REFUSED = [
    (lambda sdk: sdk.customers.retrieve("cus_none"), 404, MISSING, "id"),
    (lambda sdk: sdk.subscriptions.create({"customer": "cus_none", "items": ITEMS}), 400, MISSING, "customer"),
    (lambda sdk: sdk.subscriptions.create({"items": ITEMS}), 400, ABSENT, "customer"),
    (lambda sdk: sdk.prices.create({"currency": "eur", "unit_amount": 5}), 400, ABSENT, "product"),
    (lambda sdk: sdk.customers.create({"e_mail": "a"}), 400, UNKNOWN, "e_mail"),
    (lambda sdk: sdk.customers.create({"invoice_settings": {"pdf": "a"}}), 400, UNKNOWN, "invoice_settings[pdf]"),
    (lambda sdk: sdk.customers.list({"limit": 101}), 400, NUMBER, "limit"),
    (lambda sdk: sdk.customers.list({"limit": "many"}), 400, NUMBER, "limit"),
    (lambda sdk: sdk.products.create({"name": ""}), 400, ABSENT, "name"),
    (lambda sdk: sdk.products.create({"name": "n", "active": "maybe"}), 400, None, "active"),
    (lambda sdk: sdk.products.create({"name": "n", "metadata": {LONG: "v"}}), 400, None, f"metadata[{LONG}]"),
    (lambda sdk: sdk.products.create({"name": "n", "metadata": MANY}), 400, None, "metadata"),
    (lambda sdk: sdk.products.create({"name": "n", "metadata": {"k": "v" * 501}}), 400, None, "metadata[k]"),
    (lambda sdk: sdk.customers.list({"starting_after": "cus_none"}), 400, MISSING, "starting_after"),
    (lambda sdk: sdk.customers.list({"expand": ["data.email.domain"]}), 400, None, "expand"),
]


@pytest.mark.parametrize(("call", "status", "code", "param"), REFUSED)
def test_errors_have_stripes_shape(sdk: Any, shop: Any, call: Any, status: int, code: str | None, param: str) -> None:
    shop.customer(None)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        call(sdk)
    error: Any = refused.value
    assert (error.http_status, error.code, error.param) == (status, code, param)
    assert error.error.type == "invalid_request_error"
    assert error.request_id.startswith("req_")


def test_a_call_that_the_twin_does_not_implement_says_so(sdk: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="twin does not implement") as refused:
        sdk.coupons.list()
    assert refused.value.http_status == 404


def test_metadata_is_merged_removed_and_cleared(sdk: Any) -> None:
    made = sdk.customers.create({"metadata": {"a": "1", "b": "2", "none": ""}})
    assert made.metadata.to_dict() == {"a": "1", "b": "2"}
    changed = sdk.customers.update(made.id, {"metadata": {"b": "", "c": "3"}})
    assert changed.metadata.to_dict() == {"a": "1", "c": "3"}
    assert sdk.customers.update(made.id, {"metadata": ""}).metadata.to_dict() == {}


def test_an_update_that_changes_nothing_tells_nothing(sdk: Any, twin: Any) -> None:
    made = sdk.customers.create({"name": "Ada"})
    sdk.customers.update(made.id, {"name": "Ada"})
    assert [event["type"] for event in twin.events()] == ["customer.created"]


def test_pages_follow_each_other_newest_first(sdk: Any) -> None:
    ids = [sdk.customers.create({"name": str(number)}).id for number in range(7)][::-1]
    first = sdk.customers.list({"limit": 3})
    assert ([one.id for one in first.data], first.has_more) == (ids[:3], True)
    last = sdk.customers.list({"limit": 3, "starting_after": ids[3]})
    assert ([one.id for one in last.data], last.has_more) == (ids[4:], False)
    before = sdk.customers.list({"limit": 2, "ending_before": ids[3]})
    assert ([one.id for one in before.data], before.has_more) == (ids[1:3], True)
    assert [one.id for one in sdk.customers.list({"limit": 2}).auto_paging_iter()] == ids


def test_lists_are_filtered(sdk: Any, shop: Any) -> None:
    clock = shop.clock()
    then = sdk.customers.create({"email": "a@example.com", "test_clock": clock.id})
    now = sdk.customers.create({"email": "a@example.com"})
    sdk.customers.create({"email": "b@example.com"})
    assert [one.id for one in sdk.customers.list({"email": "a@example.com"}).data] == [now.id]
    early = {"test_clock": clock.id, "created": {"lt": shop.start + 1, "gte": shop.start}}
    assert [one.id for one in sdk.customers.list(early).data] == [then.id]
    assert sdk.customers.list({"test_clock": clock.id, "created": {"gt": shop.start}}).data == []


def test_prices_are_found_by_lookup_key_which_moves_only_on_request(sdk: Any, shop: Any) -> None:
    old = shop.price(lookup_key="membership")
    assert [price.id for price in sdk.prices.list({"lookup_keys": ["membership", "other"]}).data] == [old.id]
    with pytest.raises(stripe.InvalidRequestError, match="transfer_lookup_key"):
        shop.price(lookup_key="membership")
    new = shop.price(2900, lookup_key="membership", transfer_lookup_key=True)
    assert [price.id for price in sdk.prices.list({"lookup_keys": ["membership"]}).data] == [new.id]
    assert sdk.prices.retrieve(old.id).lookup_key is None


def test_products_and_prices_change_what_may_change(sdk: Any) -> None:
    product = sdk.products.create({"id": "prod_tide", "name": "Tide", "metadata": {"a": "1"}})
    with pytest.raises(stripe.InvalidRequestError, match="already exists"):
        sdk.products.create({"id": "prod_tide", "name": "Again"})
    price = sdk.prices.create({"product": product.id, "currency": "eur", "unit_amount": 5})
    assert sdk.products.update(product.id, {"active": False}).active is False
    assert sdk.prices.update(price.id, {"active": False, "nickname": "old"}).nickname == "old"
    with pytest.raises(stripe.InvalidRequestError, match="unit_amount"):
        sdk.prices.update(price.id, {"unit_amount": 6})
    assert sdk.products.list({"active": True}).data == []
    assert [found.id for found in sdk.prices.list({"product": product.id, "active": False}).data] == [price.id]


def test_expansion_goes_through_lists_and_levels(sdk: Any, shop: Any) -> None:
    made = shop.subscribed(shop.clock())
    expand = [
        "data.latest_invoice.payments.data.payment.payment_intent",
        "data.customer",
        "data.items.data.price.product",
    ]
    wide = sdk.subscriptions.list({"customer": made.customer, "expand": expand[1:]}).data[0]
    assert wide.customer.email == "ada@example.com"
    assert wide["items"].data[0].price.product.name == "Membership"
    deep = sdk.subscriptions.list({"customer": made.customer, "expand": expand[:1]}).data[0]
    assert deep.latest_invoice.payments.data[0].payment.payment_intent.status == "succeeded"
    with pytest.raises(stripe.InvalidRequestError, match="up to 4 levels"):
        sdk.subscriptions.retrieve(made.id, {"expand": ["latest_invoice.customer.x.y.z"]})
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        sdk.subscriptions.retrieve(made.id, {"expand": ["status"]})


def test_an_expanded_deleted_customer_is_only_that(sdk: Any, shop: Any) -> None:
    made = shop.subscribed(shop.clock())
    sdk.customers.delete(made.customer)
    assert sdk.subscriptions.retrieve(made.id, {"expand": ["customer"]}).customer.deleted is True


def test_the_same_idempotency_key_is_answered_once(sdk: Any, twin: Any, recording: Any) -> None:
    options = {"idempotency_key": "order-7"}
    first = sdk.customers.create({"name": "Ada"}, options)
    assert "idempotent-replayed" not in recording.last_headers
    again = sdk.customers.create({"name": "Ada"}, options)
    assert again.id == first.id
    assert recording.last_headers["idempotent-replayed"] == "true"
    assert len(twin.events("customer.created")) == 1
    assert twin.events()[0]["request"]["idempotency_key"] == "order-7"


def test_an_idempotency_key_serves_one_request_only(sdk: Any) -> None:
    options = {"idempotency_key": "order-8"}
    sdk.customers.create({"name": "Ada"}, options)
    with pytest.raises(stripe.IdempotencyError, match="same parameters") as refused:
        sdk.customers.create({"name": "Bea"}, options)
    assert refused.value.http_status == 400
    with pytest.raises(stripe.IdempotencyError, match="same endpoint"):
        sdk.products.create({"name": "Ada"}, options)
    with pytest.raises(stripe.InvalidRequestError, match="at most 255"):
        sdk.customers.create({"name": "Ada"}, {"idempotency_key": "k" * 256})


def test_a_refused_card_is_kept_and_refused_parameters_are_not(sdk: Any, twin: Any) -> None:
    declined = {"amount": 5, "currency": "eur", "confirm": True, "payment_method": "pm_card_visa_chargeDeclined"}
    ids = set()
    for _ in range(2):
        with pytest.raises(stripe.CardError) as refused:
            sdk.payment_intents.create(declined, {"idempotency_key": "pay-1"})
        error: Any = refused.value.error
        ids.add(error.payment_intent.id)
    assert len(ids) == len(twin.events("payment_intent.payment_failed")) == 1
    with pytest.raises(stripe.InvalidRequestError):
        sdk.customers.create({"nome": "Ada"}, {"idempotency_key": "order-9"})
    assert sdk.customers.create({"name": "Ada"}, {"idempotency_key": "order-9"}).name == "Ada"


def test_ten_threads_with_one_key_make_one_customer(sdk: Any, twin: Any) -> None:
    together = threading.Barrier(10)

    def create() -> None:
        together.wait()
        sdk.customers.create({"name": "Ada"}, {"idempotency_key": "race"})

    threads = [threading.Thread(target=create) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(twin.events("customer.created")) == 1


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=500))
def test_any_text_comes_back_as_it_was_sent(sdk: Any, value: str) -> None:
    assert sdk.customers.create({"metadata": {"note": value}}).metadata["note"] == value


def test_the_account_is_the_keys_own(sdk: Any) -> None:
    account = sdk.accounts.retrieve_current()
    assert account.id.startswith("acct_")
    assert account.charges_enabled


def test_keys_are_not_in_the_twins_repr(twin: Any) -> None:
    assert twin.api_key not in repr(vars(twin))
    assert twin.read_key not in repr(vars(twin))


def test_a_body_that_is_too_large_is_refused(twin: Any, browser: Any) -> None:
    answer = browser.post(f"{twin.url}/v1/customers", content=b"a" * 1_000_001, auth=(twin.api_key, ""))
    assert answer.status_code == 413
