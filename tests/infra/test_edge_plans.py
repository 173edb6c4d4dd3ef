"""One app on each plan: what is declared is what the zone twin, with its own copy of the limits, takes on that plan."""

import pytest

from rehearsal.twins.zone.plans import LIMITS, Plan
from rehearsal.twins.zone.refusals import CloudflareError
from rehearsal.twins.zone.rulesets import parse_ruleset
from rehearsal.twins.zone.settings import check_setting
from tests.infra.conftest import Deployed, deploy
from tests.infra.test_edge import RULESET, SETTING
from tests.infra.test_edge_rules import BY_PLAN

PLANS: tuple[Plan, ...] = ("free", "pro", "business")
OnAPlan = tuple[Plan, Deployed]
SMALLER: dict[Plan, Plan] = {"pro": "free", "business": "pro"}


@pytest.fixture(scope="module", params=PLANS)
def on_a_plan(request: pytest.FixtureRequest) -> OnAPlan:
    """The app on a plan: its limits, the ruleset against floods, managed rules, a setting that the plan has."""
    plan = request.param
    settings = {"early_hints": "on"} if plan == "free" else {"polish": "lossless"}
    return plan, deploy(zonePlan=plan, settings=settings, **BY_PLAN[plan])


def test_every_ruleset_is_within_the_plan(on_a_plan: OnAPlan) -> None:
    plan, deployed = on_a_plan
    taken = [parse_ruleset(ruleset, LIMITS[plan]) for ruleset in deployed.of_type(RULESET).values()]
    assert len(taken) >= 8


def test_every_setting_is_within_the_plan(on_a_plan: OnAPlan) -> None:
    plan, deployed = on_a_plan
    for setting in deployed.of_type(SETTING).values():
        check_setting(setting["settingId"], setting["value"], plan)


def test_what_a_larger_plan_limits_is_more_than_a_smaller_one_takes(on_a_plan: OnAPlan) -> None:
    plan, deployed = on_a_plan
    if plan in SMALLER:
        with pytest.raises(CloudflareError):
            parse_ruleset(deployed.inputs[RULESET, "rate-limits"], LIMITS[SMALLER[plan]])
    left_out = {"free": 2, "pro": 1, "business": 0}[plan]
    assert len(deployed.contract["edge"]["unprotected"]) == left_out
