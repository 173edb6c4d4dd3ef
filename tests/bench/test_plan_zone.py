"""The benchmark runs and prints its line. What it measures is for whoever runs it: no figure is judged here."""

import re
import warnings

import pytest

with warnings.catch_warnings():
    # The SDKs announce, while they are imported, which resources were renamed; the program uses none of them.
    warnings.simplefilter("ignore", DeprecationWarning)
    import infra.program  # noqa: F401

from bench import plan_zone
from rehearsal.plan import plan


def test_the_zone_has_as_many_records_and_rules_as_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    graph = plan(plan_zone.PROJECT, "prod", {"zonePlan": plan_zone.PLAN, **plan_zone.large(80, 50)})
    assert len(graph.of_type(plan_zone.RECORD)) == 80
    rules = sum(len(ruleset.inputs["rules"]) for ruleset in graph.of_type(plan_zone.RULESET))
    assert rules in (49, 50)  # both phases get as many
    plan_zone.main(["--records", "60", "--rules", "40", "--rounds", "1"])
    assert re.fullmatch(r"plan pass: .* with 60 records and 40 rules: [0-9.]+ times\n", capsys.readouterr().out)
