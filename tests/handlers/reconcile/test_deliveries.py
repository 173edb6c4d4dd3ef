"""Members against destinations: what nobody would try again by itself."""

from typing import Any

import pytest

from handlers.adapters.items import delivery_key
from handlers.core.switch import Mode, Switch
from tests.handlers.reconcile.conftest import DAY, Shop

KEY = ("MEMBER#user_ada", "DELIVERY#kit")


@pytest.fixture
def member(shop: Shop) -> Shop:
    """A member whom the destination was asked to show."""
    shop.subscription()
    shop.deliver()
    assert delivery(shop) is not None
    return shop


def delivery(shop: Shop) -> dict[str, Any] | None:
    return shop.world.item(*KEY)


def change(shop: Shop, expression: str, **values: Any) -> None:
    """What a worker, or a mistake, did to the record."""
    told = {f":{name}": {"N": str(value)} for name, value in values.items()}
    shop.world.connect("dynamodb").update_item(
        TableName=shop.world.name,
        Key=delivery_key("user_ada", "kit"),
        UpdateExpression=expression,
        **({"ExpressionAttributeValues": told} if told else {}),
    )


def found(shop: Shop) -> list[tuple[str, str]]:
    return [(one.id, one.what) for one in shop.found if one.kind == "delivery"]


def test_what_is_due_anyway_is_left_to_the_sweep(member: Shop) -> None:
    assert member.reconcile().behind == 0


def test_a_record_that_fell_off_the_index_is_due_again(member: Shop) -> None:
    change(member, "REMOVE due_at, due_shard")
    outcome = member.reconcile()
    assert (outcome.behind, outcome.missing, found(member)) == (1, 0, [("user_ada", "kit")])
    after = delivery(member)
    assert after is not None
    assert after["due_at"] == int(member.world.clock())
    assert member.reconcile().behind == 0


def test_a_member_whose_record_is_gone_is_carried_again(member: Shop) -> None:
    before = delivery(member)
    member.world.connect("dynamodb").delete_item(TableName=member.world.name, Key=delivery_key("user_ada", "kit"))
    assert member.reconcile().behind == 1
    after = delivery(member)
    assert (before is None, after is None) == (False, False)
    assert member.world.sweep.run(lambda: 30_000)["nudged"] == 1


def test_what_was_delivered_is_done(member: Shop) -> None:
    shown = delivery(member)
    assert shown is not None
    change(member, "SET delivered_version = :v REMOVE due_at, due_shard", v=shown["desired_version"])
    assert member.reconcile().behind == 0


def test_what_was_parked_waits_for_the_person_who_was_told(member: Shop) -> None:
    change(member, "SET parked = :now REMOVE due_at, due_shard", now=1)
    assert member.reconcile().behind == 0


@pytest.mark.parametrize(
    ("switch", "behind"),
    [
        (Switch(mode=Mode.OFF), 0),
        (Switch(mode=Mode.SHADOW), 0),
        (Switch(percent=0), 0),
        (Switch(), 1),
    ],
)
def test_what_a_switch_withheld_is_carried_once_it_is_on(member: Shop, switch: Switch, behind: int) -> None:
    change(member, "SET withheld = :now REMOVE due_at, due_shard", now=1)
    member.switches["kit"] = switch
    assert member.reconcile().behind == behind
    after = delivery(member)
    assert after is not None
    assert ("due_at" in after) == bool(behind)


def test_somebody_who_was_never_shown_anywhere_is_not_carried(shop: Shop) -> None:
    shop.customer()
    shop.deliver()
    assert shop.world.member() is not None
    assert shop.reconcile().behind == 0


def test_a_dry_run_leaves_them(member: Shop) -> None:
    change(member, "REMOVE due_at, due_shard")
    before = member.rows()
    assert member.reconcile(heal=False).behind == 1
    assert member.rows() == before


def test_members_are_read_page_by_page_and_gone_on_with(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ada", "bob", "cyd"):
        shop.subscription(user=f"user_{name}", name=name)
    shop.deliver()
    for item in ("user_ada", "user_bob", "user_cyd"):
        shop.world.connect("dynamodb").delete_item(TableName=shop.world.name, Key=delivery_key(item, "kit"))
    real = shop.world.dynamodb.scan
    monkeypatch.setattr(shop.world.dynamodb, "scan", lambda **request: real(**request, Limit=7))
    runs, behind = 1, 0
    while True:
        outcome = shop.reconcile(left_ms=lambda: 0)
        behind += outcome.behind
        if outcome.complete or runs > 60:
            break
        runs += 1
    assert (behind, runs > 5) == (3, True)
    shop.later(DAY)
    assert shop.reconcile().behind == 0
