"""The benchmarks of faults run at a small size, find nothing wrong, and would say so if something were."""

from bench import chaos, purchases
from bench.chaos import Found


def test_after_chaos_nothing_is_lost_and_nobody_told_twice() -> None:
    pipeline, told, found = run = chaos.chaotic(people=8, faults=25, seed=3)
    lines = list(chaos.report(*run))
    assert pipeline.chaos.seen.total() == 25
    assert len(told) > 40
    assert found == Found(events_lost=0, members_wrong=0, destinations_wrong=0, told_twice=0, told_to_nobody=0)
    assert not any("WRONG" in line for line in lines)


def test_unreliable_vendors_are_brought_along_without_a_call_too_many_that_succeeded() -> None:
    pipeline, found = purchases.told_to_vendors(6, seed=2)
    kit = pipeline.kit
    assert isinstance(kit, purchases.Unreliable)
    assert not any(vars(found).values())
    assert kit.refused > 0
    assert len(list(purchases.report(pipeline, found, 6))) == 4 + len(vars(found))


def test_what_is_wrong_is_said() -> None:
    pipeline, told, _ = chaos.chaotic(people=1, faults=0, seed=1)
    wrong = Found(events_lost=2, members_wrong=0, destinations_wrong=0, told_twice=1, told_to_nobody=0)
    said = [line for line in chaos.report(pipeline, told, wrong) if line.endswith("WRONG")]
    assert [line.split("  ")[0] for line in said] == ["events lost", "told twice"]
