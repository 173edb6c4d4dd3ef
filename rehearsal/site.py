"""What a rehearsal must know of a stack's configuration before anything is deployed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from rehearsal import stackfile
from rehearsal.twins.zone.plans import Plan


@dataclass(frozen=True, kw_only=True)
class Once:
    """What is sold for one payment: `price` as the config names it, the level, for how many days (None: for ever)."""

    price: str
    level: str
    days: int | None


@dataclass(frozen=True, kw_only=True)
class Site:
    """The stack as its twins and journeys see it; `products` maps an access level to its first price.

    `once` is the product that journeys pay for once: the first one with `days`, else the last one; None where that is
    also the first level's price, which they subscribe to. `owner` is the stack that owns the zone, empty where it is
    this one.
    """

    domain: str
    region: str
    plan: Plan
    livemode: bool
    products: Mapping[str, str]
    once: Once | None
    policy: Mapping[str, Any]
    user_id_key: str
    price_key: str
    unsigned_reference: str
    kit_tags: Mapping[str, int]
    slack_channel: str
    web_hosts: tuple[str, ...]
    api_host: str
    owner: str


def read_site(project: Path, stack: str, overrides: Mapping[str, Any] | None = None) -> Site:
    """The site of `stack`, whose configuration `overrides` win over.

    Raises StackError when the configuration cannot be read; the program judges the rest.
    """
    config = stackfile.load(project, stack, overrides)

    def value(key: str) -> Any:
        return json.loads(config.values[f"{config.project}:{key}"])

    domain = config.values[f"{config.project}:domain"]
    products = value("products")
    levels: dict[str, str] = {}
    for product in products:
        levels.setdefault(product["level"], product["price"])
    destinations = value("destinations")
    return Site(
        domain=domain,
        region=config.values["aws:region"],
        plan=cast("Plan", config.values[f"{config.project}:zonePlan"]),
        livemode=value("livemode"),
        products=levels,
        once=_once(products),
        policy={**config.defaults[f"{config.project}:policy"], **value("policy")},
        user_id_key=config.values[f"{config.project}:userIdMetadataKey"],
        price_key=config.values[f"{config.project}:priceMetadataKey"],
        unsigned_reference=value("identity").get("unsignedReference", "ignore"),
        kit_tags=destinations["kit"]["tags"],
        slack_channel=destinations["slack"]["channel"],
        api_host=f"{config.values[f'{config.project}:apiHost']}.{domain}",
        owner=config.values[f"{config.project}:owner"],
        web_hosts=tuple(sorted({_full_name(host["name"], domain) for host in value("hosts")} | {f"www.{domain}"})),
    )


def _once(products: Sequence[Mapping[str, Any]]) -> Once | None:
    chosen = next((product for product in products if product.get("days")), products[-1])
    if chosen["price"] == products[0]["price"]:
        return None
    return Once(price=chosen["price"], level=chosen["level"], days=chosen.get("days"))


def _full_name(host: str, domain: str) -> str:
    return domain if host == "@" else f"{host}.{domain}"
