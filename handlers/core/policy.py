"""The stack's membership policy: which price opens which level, and what happens when money stops or goes back."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from handlers.core.errors import LaunchError
from handlers.core.facts import Item

MAX_GRACE_DAYS = 60
DAY_SECONDS = 86_400

_CHOICES: dict[str, tuple[str, ...]] = {
    "refund_full": ("revoke", "keep"),
    "refund_partial": ("keep", "revoke"),
    "cancel": ("period_end", "immediate"),
}
_KEYS = frozenset({"products", "grace_days", "user_id_key", *_CHOICES})


class PolicyError(LaunchError):
    """The policy cannot be used; the message lists everything that is wrong with it."""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What the stack's config says of memberships."""

    levels: Mapping[str, str]  # price id or lookup key -> access level
    grace_days: int = 7
    refund_full: Literal["revoke", "keep"] = "revoke"
    refund_partial: Literal["keep", "revoke"] = "keep"
    cancel: Literal["period_end", "immediate"] = "period_end"
    user_id_key: str = "user_id"

    @property
    def grace_seconds(self) -> int:
        """How long access outlives a failed renewal."""
        return self.grace_days * DAY_SECONDS

    def level(self, item: Item) -> str | None:
        """The level that a line of a subscription opens; None for a price that config does not name."""
        return self.levels.get(item.price) or self.levels.get(item.lookup_key or "")


def parse(document: str) -> Policy:
    """The policy in the JSON text `document`. PolicyError names every key with its value and what it must be.

    Shape: {"products": [{"price", "level"}], "grace_days", "refund_full", "refund_partial", "cancel", "user_id_key"};
    all but `products` may be left out.
    """
    try:
        data = json.loads(document)
    except ValueError as error:
        raise PolicyError(f"the membership policy is not JSON: {error}") from None
    if not isinstance(data, dict):
        raise PolicyError(f"the membership policy must be an object, got {type(data).__name__}")
    problems = [*_unknown(data), *_products_problems(data), *_value_problems(data)]
    if problems:
        raise PolicyError("the membership policy is wrong: " + "; ".join(problems))
    return Policy(
        levels={product["price"]: product["level"] for product in data["products"]},
        **{key: value for key, value in data.items() if key != "products"},
    )


def _unknown(data: Mapping[str, Any]) -> list[str]:
    return [f"{key}: unknown key, known are {', '.join(sorted(_KEYS))}" for key in sorted(data.keys() - _KEYS)]


def _products_problems(data: Mapping[str, Any]) -> list[str]:
    products = data.get("products")
    if not isinstance(products, list) or not products:
        return [f'products: must be a list of at least one {{"price", "level"}}, got {products!r}']
    problems = [
        f'products[{place}]: must be {{"price", "level"}}, both non-empty texts, got {product!r}'
        for place, product in enumerate(products)
        if not _is_product(product)
    ]
    prices = [product["price"] for product in products if _is_product(product)]
    twice = sorted({price for price in prices if prices.count(price) > 1})
    return problems + [f"products: price {price!r} is named more than once" for price in twice]


def _is_product(product: object) -> bool:
    return (
        isinstance(product, dict)
        and product.keys() == {"price", "level"}
        and all(isinstance(value, str) and value for value in product.values())
    )


def _value_problems(data: Mapping[str, Any]) -> list[str]:
    problems = [
        f"{key}: must be {' or '.join(choices)}, got {data[key]!r}"
        for key, choices in _CHOICES.items()
        if key in data and data[key] not in choices
    ]
    days = data.get("grace_days", 0)
    if not isinstance(days, int) or isinstance(days, bool) or not 0 <= days <= MAX_GRACE_DAYS:
        problems.append(f"grace_days: must be a whole number of days, 0 to {MAX_GRACE_DAYS}, got {days!r}")
    key = data.get("user_id_key", "user_id")
    if not isinstance(key, str) or not 1 <= len(key) <= 40:
        problems.append(f"user_id_key: must be 1 to 40 characters (Stripe's limit for metadata keys), got {key!r}")
    return problems
