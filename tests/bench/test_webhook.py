"""The benchmark runs and prints its table. What it measures is for whoever runs it: no figure is judged here."""

import re

from bench.table import header, line
from bench.webhook import EVENTS, report


def test_the_table_has_a_line_for_each_figure_with_ratio_target_and_verdict():
    first, *lines = report(rounds=1, calls=8, events=EVENTS[:1])
    assert "stripe + boto3" in first
    assert [re.split(r"  +", text)[0] for text in lines] == [
        "start to first ack, ms",
        "memory over a bare interpreter, MB",
        "memory, resident, MB",
        "handler p50, 0.8 kB, µs",
        "ack p50, canned SQS, 0.8 kB, µs",
    ]
    assert all(re.search(r" 0\.\d\d (met|MISSED)$", text) for text in lines)


def test_a_ratio_is_held_against_its_target():
    met, missed = (line("x", [1.0, 2.0, 9.0], [20.0, 40.0, 180.0], target) for target in (0.05, 0.04))
    assert met.endswith("0.050 (0.050 to 0.050)     0.05 met")
    assert missed.endswith("0.04 MISSED")
    assert "2.0 (1.5 to 5.5)" in met
    assert len(header("ours", "theirs")) == len(met) - len(" met")
