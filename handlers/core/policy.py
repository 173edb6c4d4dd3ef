"""The stack's membership policy: which price opens which level, and what happens when money stops or goes back."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from handlers.core.errors import LaunchError
from handlers.core.facts import Item
from handlers.core.reading import Reading

MAX_GRACE_DAYS = 60
DAY_SECONDS = 86_400

MAX_WINDOW_DAYS = 60
MAX_TERM_DAYS = 36_500
MAX_METADATA_KEY = 40  # characters, Stripe's limit

_CHOICES: dict[str, tuple[str, ...]] = {
    "failed_renewal": ("grace_period", "past_due"),
    "refund_full": ("revoke", "keep"),
    "refund_partial": ("keep", "revoke"),
    "dispute_open": ("keep", "revoke"),
    "dispute_lost": ("revoke", "keep"),
    "cancel": ("period_end", "immediate"),
    "trial": ("grant", "deny"),
    "pause": ("by_behavior", "revoke", "keep"),
    "unsigned_reference": ("ignore", "add"),
}
_DAYS = {"grace_days": MAX_GRACE_DAYS, "cancel_window_days": MAX_WINDOW_DAYS}
_METADATA_KEYS = ("user_id_key", "price_key")
_KEYS = frozenset({"products", *_DAYS, *_METADATA_KEYS, *_CHOICES})


class PolicyError(LaunchError):
    """The policy cannot be used; the message lists everything that is wrong with it."""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What the stack's config says of memberships; docs/membership.md has the reason for each default."""

    levels: Mapping[str, str]  # price id or lookup key -> access level
    terms: Mapping[str, int] = field(default_factory=dict)  # price id or lookup key -> days that one payment buys
    default_level: str | None = None  # of a price that config does not name: only to see what history would have done
    grace_days: int = 7
    failed_renewal: Literal["grace_period", "past_due"] = "grace_period"
    refund_full: Literal["revoke", "keep"] = "revoke"
    refund_partial: Literal["keep", "revoke"] = "keep"
    dispute_open: Literal["keep", "revoke"] = "keep"
    dispute_lost: Literal["revoke", "keep"] = "revoke"
    cancel: Literal["period_end", "immediate"] = "period_end"
    cancel_window_days: int = 0
    trial: Literal["grant", "deny"] = "grant"
    pause: Literal["by_behavior", "revoke", "keep"] = "by_behavior"
    user_id_key: str = "user_id"
    price_key: str = "price_id"
    unsigned_reference: Literal["ignore", "add"] = "ignore"

    @property
    def grace_seconds(self) -> int:
        """How long access outlives a failed renewal."""
        return self.grace_days * DAY_SECONDS

    @property
    def cancel_window_seconds(self) -> int:
        """How long access outlives a cancellation that took effect."""
        return self.cancel_window_days * DAY_SECONDS

    def level(self, item: Item) -> str | None:
        """The level that `item` opens; None for a price that config does not name."""
        return self.levels.get(item.price) or self.levels.get(item.lookup_key or "") or self.default_level

    def levels_of(self, items: Iterable[Item]) -> tuple[str, ...]:
        """The levels that `items` open together, sorted; what was bought for no known price may have a default."""
        named = list(items)
        if not named:
            return (self.default_level,) if self.default_level else ()
        return tuple(sorted({level for item in named if (level := self.level(item)) is not None}))

    def term_seconds(self, item: Item) -> int | None:
        """How long one payment for `item` gives access; None for ever."""
        days = self.terms.get(item.price) or self.terms.get(item.lookup_key or "")
        return days * DAY_SECONDS if days else None

    def reading(self, reference_keys: tuple[str, ...] = ()) -> Reading:
        """How this stack reads Stripe's objects; `reference_keys` verify a signed client_reference_id."""
        return Reading(
            user_key=self.user_id_key,
            price_key=self.price_key,
            reference_keys=reference_keys,
            unsigned=self.unsigned_reference == "add",
        )


def parse(document: str) -> Policy:
    """The policy in the JSON text `document`. PolicyError names every key with its value and what it must be.

    Shape: {"products": [{"price", "level", "days"}], ...} with the fields of Policy; all but `products` may be left
    out, and so may a product's `days`.
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
    products = data["products"]
    return Policy(
        levels={product["price"]: product["level"] for product in products},
        terms={product["price"]: product["days"] for product in products if "days" in product},
        **{key: value for key, value in data.items() if key != "products"},
    )


def _unknown(data: Mapping[str, Any]) -> list[str]:
    return [f"{key}: unknown key, known are {', '.join(sorted(_KEYS))}" for key in sorted(data.keys() - _KEYS)]


def _products_problems(data: Mapping[str, Any]) -> list[str]:
    products = data.get("products")
    if not isinstance(products, list) or not products:
        return [f'products: must be a list of at least one {{"price", "level"}}, got {products!r}']
    problems = [
        f'products[{place}]: must be {{"price", "level"}}, both non-empty texts, and "days", if it is there, a whole '
        f"number of 1 to {MAX_TERM_DAYS}, got {product!r}"
        for place, product in enumerate(products)
        if not _is_product(product)
    ]
    prices = [product["price"] for product in products if _is_product(product)]
    twice = sorted({price for price in prices if prices.count(price) > 1})
    return problems + [f"products: price {price!r} is named more than once" for price in twice]


def _is_product(product: object) -> bool:
    return (
        isinstance(product, dict)
        and product.keys() - {"days"} == {"price", "level"}
        and all(isinstance(product[name], str) and product[name] for name in ("price", "level"))
        and ("days" not in product or _is_whole(product["days"], 1, MAX_TERM_DAYS))
    )


def _value_problems(data: Mapping[str, Any]) -> list[str]:
    problems = [
        f"{key}: must be {' or '.join(choices)}, got {data[key]!r}"
        for key, choices in _CHOICES.items()
        if key in data and data[key] not in choices
    ]
    problems += [
        f"{key}: must be a whole number of days, 0 to {most}, got {data[key]!r}"
        for key, most in _DAYS.items()
        if key in data and not _is_whole(data[key], 0, most)
    ]
    problems += [
        f"{key}: must be 1 to {MAX_METADATA_KEY} characters (Stripe's limit for metadata keys), got {data[key]!r}"
        for key in _METADATA_KEYS
        if key in data and not (isinstance(data[key], str) and 1 <= len(data[key]) <= MAX_METADATA_KEY)
    ]
    return problems


def _is_whole(value: object, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
