import json
from typing import Any

import pytest

from handlers.core import policy
from handlers.core.facts import Item
from handlers.core.policy import PolicyError

GOOD: dict[str, Any] = {"products": [{"price": "price_1", "level": "member"}, {"price": "pro_yearly", "level": "pro"}]}


def parse(**changes: Any) -> policy.Policy:
    return policy.parse(json.dumps({**GOOD, **changes}))


def test_what_is_left_out_has_its_default() -> None:
    assert parse() == policy.Policy(levels={"price_1": "member", "pro_yearly": "pro"})
    assert parse().grace_seconds == 7 * 86_400


def test_every_key_is_read() -> None:
    got = parse(grace_days=0, refund_full="keep", refund_partial="revoke", cancel="immediate", user_id_key="uid")
    assert got == policy.Policy(
        levels={"price_1": "member", "pro_yearly": "pro"},
        grace_days=0,
        refund_full="keep",
        refund_partial="revoke",
        cancel="immediate",
        user_id_key="uid",
    )


def test_a_price_is_named_by_its_id_or_its_lookup_key() -> None:
    rules = parse()
    assert rules.level(Item(price="price_1")) == "member"
    assert rules.level(Item(price="price_2", lookup_key="pro_yearly")) == "pro"
    assert rules.level(Item(price="price_2", lookup_key="other")) is None
    assert rules.level(Item(price="price_2")) is None


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"products": []}, "products: must be a list of at least one"),
        ({"products": [{"price": "price_1"}]}, r"products\[0\]: must be"),
        ({"products": [{"price": "", "level": "member"}]}, r"products\[0\]: must be"),
        ({"products": GOOD["products"] * 2}, "price 'price_1' is named more than once"),
        ({"grace_days": -1}, "grace_days: must be a whole number of days, 0 to 60, got -1"),
        ({"grace_days": 61}, "0 to 60, got 61"),
        ({"grace_days": True}, "0 to 60, got True"),
        ({"grace_days": 1.5}, "0 to 60, got 1.5"),
        ({"refund_full": "maybe"}, "refund_full: must be revoke or keep, got 'maybe'"),
        ({"refund_partial": None}, "refund_partial: must be keep or revoke, got None"),
        ({"cancel": "later"}, "cancel: must be period_end or immediate, got 'later'"),
        ({"user_id_key": ""}, "user_id_key: must be 1 to 40 characters"),
        ({"graceDays": 7}, "graceDays: unknown key"),
    ],
)
def test_what_is_wrong_is_named_with_its_value_and_limit(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(PolicyError, match=problem):
        parse(**changes)


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(PolicyError, match=r"grace_days.*user_id_key") as error:
        parse(products=None, grace_days=99, user_id_key=5)
    assert str(error.value).count(";") == 2


@pytest.mark.parametrize("document", ["", "[]", "{", "7"])
def test_what_is_no_object_is_refused(document: str) -> None:
    with pytest.raises(PolicyError, match="the membership policy"):
        policy.parse(document)
