"""The project's own program, in each of its variants."""

import pytest

from checks.policy import Scanner, terraform_plan
from tests.checks.policy.declared import ROOT, graphs


@pytest.mark.parametrize("variant", range(3), ids=["prod", "prod with the event bus", "staging"])
def test_the_program_is_clean_and_each_skip_has_its_reason(variant: int, scanner: Scanner) -> None:
    graph = graphs()[variant]
    found = scanner.scan(terraform_plan(graph), ROOT)
    assert found.findings == ()
    assert found.unjudged == ()
    assert found.exit_code == 0
    assert found.passed > found.resources
    assert all(skipped.reason for skipped in found.skipped)
