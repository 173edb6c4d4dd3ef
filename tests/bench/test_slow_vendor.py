"""The benchmark runs and prints its table. What it measures is for whoever runs it: no figure is judged here."""

from bench.slow_vendor import measured, report


def test_the_table_has_both_kinds_of_round_and_their_ratio() -> None:
    quick, late = measured(rounds=1, members=3, seconds=0.2)
    assert (len(quick), len(late)) == (3, 3)
    assert [line.split("  ")[0] for line in report(quick, late, 0.2)] == [
        "Kit, from event to shown, ms",
        "Slack quick",
        "Slack takes 0 s",
        "ratio",
    ]
