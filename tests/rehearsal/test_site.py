"""What journeys are told of a stack's configuration."""

from pathlib import Path
from typing import Any

import pytest

from rehearsal.site import Once, Site, read_site

PROJECT = Path(__file__).resolve().parents[2]
WEEKLY = {"price": "weekly", "level": "reader"}
LIFETIME = {"price": "lifetime", "level": "reader"}
PASS = {"price": "pass", "level": "guest", "days": 30}


def site(**config: Any) -> Site:
    return read_site(PROJECT, "prod", config)


@pytest.mark.parametrize(
    ("products", "once"),
    [
        ([WEEKLY], None),
        ([WEEKLY, LIFETIME], Once(price="lifetime", level="reader", days=None)),
        ([WEEKLY, PASS, LIFETIME], Once(price="pass", level="guest", days=30)),
        ([PASS], None),
    ],
)
def test_what_is_paid_for_once_is_no_price_that_journeys_subscribe_to(products: list[Any], once: Once | None) -> None:
    assert site(products=products).once == once


def test_a_policy_that_leaves_settings_out_has_their_defaults() -> None:
    policy = site(policy={"graceDays": 3}).policy
    assert (policy["graceDays"], policy["refundFull"], policy["pause"]) == (3, "revoke", "by_behavior")


def test_what_an_unsigned_reference_may_do_is_nothing_unless_said() -> None:
    assert site(identity={"claimDays": 5}).unsigned_reference == "ignore"
    assert site(identity={"unsignedReference": "add"}).unsigned_reference == "add"
