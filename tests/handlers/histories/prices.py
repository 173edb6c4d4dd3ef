"""What is sold, and the policy that says what it opens."""

from typing import Any

from tests.handlers.story import PRICE

MEMBER, LIFETIME, PASS, UNKNOWN = PRICE, "price_lifetime", "price_pass", "price_nobody_maps"
PRO = "pro_monthly"  # a lookup key
SEASON = "price_season"
PRODUCTS = [
    {"price": MEMBER, "level": "member"},
    {"price": PRO, "level": "pro"},
    {"price": LIFETIME, "level": "lifetime"},
    {"price": PASS, "level": "pass", "days": 30},
    {"price": SEASON, "level": "season", "days": 90},
]
POLICY: dict[str, Any] = {"products": PRODUCTS}
