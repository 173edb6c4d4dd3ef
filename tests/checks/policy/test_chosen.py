"""The list of checks: every built-in check that applies to what the program declares is allowed, or left out."""

import json
import subprocess
from pathlib import Path

import pytest

from checks.policy import PolicyError, chosen
from checks.policy.chosen import Chosen
from tests.checks.policy.declared import used_types

APPLYING = """
import json, sys
from checkov.common.checks_infra.registry import get_graph_checks_registry
from checkov.terraform.checks.resource.registry import resource_registry
import checkov.terraform.plan_runner

types, graph_checks = set(json.load(sys.stdin)), get_graph_checks_registry("terraform")
graph_checks.load_checks()
found = {check.id for type_ in types for check in resource_registry.checks.get(type_, [])}


def of(check):
    return set(check.resource_types or []).union(*map(of, check.sub_checks or []))


# A check of "all" resources names what it is about by a filter; those of a whole provider are about other types.
found |= {check.id for check in graph_checks.checks if of(check) & types and len(of(check)) < 500}
print(json.dumps(sorted(found)))
"""


def test_each_built_in_check_that_applies_is_allowed_or_left_out_with_its_reason(policy_python: Path) -> None:
    types = json.dumps(sorted(used_types()))
    ran = subprocess.run([policy_python, "-I", "-c", APPLYING], input=types, capture_output=True, text=True, check=True)
    known = chosen.load()
    decided = known.allowed | set(known.left_out)
    assert set(json.loads(ran.stdout.splitlines()[-1])) - decided == set()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('allowed = ["A"]\nours = []\n[left-out]\nA = "no"\n', "allowed and left out"),
        ('allowed = []\nours = []\n[left-out]\nA = " "\n', "left out without a reason"),
        ("allowed = []\n", "cannot be read"),
        ("allowed = [", "cannot be read"),
    ],
)
def test_a_list_that_contradicts_itself_is_refused(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "checks.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError, match=said):
        chosen.load(file)


def test_the_list_is_read() -> None:
    assert isinstance(chosen.load(), Chosen)
    assert not chosen.load().allowed & chosen.load().ours
