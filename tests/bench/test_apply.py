"""The benchmarks of apply run and print their tables. No time is judged here; the round trips are held where they are
made, in tests/handlers/pipeline."""

import json
from itertools import islice

import pytest

from bench import apply_batch, apply_curve, apply_trips, long_life
from bench.known_members import POLICY
from bench.memory_table import MemoryTable
from bench.worlds import local_aws
from handlers.adapters.aws import AwsError
from handlers.adapters.items import key


def test_round_trips_are_counted_for_each_type_of_event() -> None:
    with local_aws(POLICY) as world:
        told, moved = apply_trips.rows(world, orders=1, kinds=["invoice.paid"])
    assert (told.kind, told.cases, told.reads, told.writes, told.most) == ("invoice.paid", 12, 2, 1, 3)
    assert told.line.split()[:6] == ["invoice.paid", "12", "2", "1", "3", "3"]
    assert moved.met


def test_what_takes_too_many_is_said_to_miss_the_target() -> None:
    row = apply_trips.Row("invoice.paid")
    assert not row.met
    row.add({"batch_get_item": 3, "transact_write_items": 1}, "a subscription")
    assert row.line.endswith("3 MISSED  a subscription")


def test_the_curve_has_a_row_for_each_part_of_the_members_life() -> None:
    header, first, second, local, verdict = apply_curve.report(2, 3, once=False, local=1)
    assert header.startswith("events of the old member")
    assert first.startswith("     1 to 89 ")
    assert "in memory" in second
    assert "local AWS" in local
    assert verdict.endswith((": met", ": MISSED"))


def test_an_item_or_a_row_beyond_its_target_is_said_to_miss_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apply_curve, "ITEM_LIMIT", 100)
    *_, verdict = apply_curve.report(1, 1, once=False, local=0)
    assert verdict.endswith("of 100 bytes: MISSED")


def test_a_long_life_has_the_same_kinds_of_event_again_after_a_cycle() -> None:
    life = list(islice(long_life.chapters("ada", once=True), 2 * long_life.CYCLE))
    kinds = [[event["type"] for event in chapter] for chapter in life]
    assert kinds[: long_life.CYCLE] == kinds[long_life.CYCLE :]
    assert 900 < sum(map(len, kinds[: long_life.CYCLE])) < 1100


def test_batches_of_ten_are_taken_whole() -> None:
    header, *rows = apply_batch.report(batches=2)
    assert "events/s" in header
    assert [row[:12].strip() for row in rows] == ["ten members", "one member"]


def test_the_table_in_memory_writes_all_or_nothing() -> None:
    table = MemoryTable()
    new = {"TableName": "t", "Item": key("A", "A"), "ConditionExpression": "attribute_not_exists(pk)"}
    table.transact_write_items(TransactItems=[{"Put": new}])
    with pytest.raises(AwsError) as refused:
        table.transact_write_items(TransactItems=[{"Put": {**new, "Item": key("B", "B")}}, {"Put": new}])
    assert refused.value.reasons == ("None", "ConditionalCheckFailed")
    assert list(table.items.values()) == [json.dumps(key("A", "A"))]
