from dataclasses import replace

import pytest

from checks.probes.aws.access import Statement
from checks.probes.aws.callers import CallerFacts, Grant, ScheduleFacts
from checks.rules import callers
from tests.checks.exchanges import passes

ROUTE = "arn:aws:execute-api:eu-west-1:000000000001:a1b2c3/*/POST/webhooks/stripe"
SWEEP = "arn:aws:lambda:eu-west-1:000000000001:function:launch-ready-prod-sweep"
GATEWAY = Grant(principal="apigateway.amazonaws.com", sources=(ROUTE,))
CALL = Statement(effect="Allow", actions=("lambda:InvokeFunction",), resources=(SWEEP,), inverted=False)
RECONCILE = SWEEP.replace("sweep", "reconcile")
SCHEDULE = ScheduleFacts(
    name="sweep", enabled=True, target=SWEEP, trusts=("scheduler.amazonaws.com",), statements=(CALL,)
)


def facts(declared, *grants: Grant, schedules: tuple[ScheduleFacts, ...] = (SCHEDULE,)) -> tuple[CallerFacts, ...]:
    """The webhook with its grants, the sweep with its schedules, and reconcile with its own."""
    own = replace(SCHEDULE, name="reconcile", target=RECONCILE, statements=(replace(CALL, resources=(RECONCILE,)),))
    named = {function.purpose: function for function in declared.functions}
    return (
        CallerFacts(function=named["webhook"], grants=grants),
        CallerFacts(function=named["sweep"], grants=(), schedules=schedules),
        CallerFacts(function=named["reconcile"], grants=(), schedules=(own,)),
    )


@pytest.mark.parametrize(
    ("grant", "said"),
    [
        (GATEWAY, None),
        (replace(GATEWAY, sources=("000000000001",)), None),
        (replace(GATEWAY, sources=()), "on behalf of anybody: no source is named"),
        (replace(GATEWAY, sources=(ROUTE.replace("a1b2c3", "*"),)), "may call it for arn:aws:execute-api"),
        (replace(GATEWAY, sources=("*",)), "may call it for *"),
        (replace(GATEWAY, principal="*"), "launch-ready-prod-webhook: * may call it"),
        (replace(GATEWAY, principal="AWS:arn:aws:iam::000000000002:root"), "AWS:arn:aws:iam::000000000002:root may"),
    ],
)
def test_who_a_functions_policy_lets_in(declared, grant, said):
    assert passes(callers.callers(declared, facts(declared, grant)), said)


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        (replace(SCHEDULE, enabled=False), "launch-ready-prod-sweep: no schedule that is on calls it"),
        (replace(SCHEDULE, trusts=("scheduler.amazonaws.com", "AWS:*")), "AWS:* may take its role on"),
        (replace(SCHEDULE, statements=(replace(CALL, resources=("*",)),)), "its role may call *"),
        (replace(SCHEDULE, statements=(replace(CALL, actions=("lambda:*",)),)), "its role may do lambda:*"),
        (replace(SCHEDULE, statements=(replace(CALL, inverted=True),)), "its role may do lambda:InvokeFunction"),
    ],
)
def test_what_a_schedule_may_call(declared, schedule, said):
    assert passes(callers.callers(declared, facts(declared, GATEWAY, schedules=(schedule,))), said)


def test_what_a_schedule_is_denied_is_no_problem(declared):
    denied = replace(CALL, effect="Deny", actions=("*",), resources=("*",))
    schedule = replace(SCHEDULE, statements=(CALL, denied))

    assert passes(callers.callers(declared, facts(declared, GATEWAY, schedules=(schedule,))), None)


def test_a_sweep_without_a_schedule_and_a_launch_without_functions_fail(declared):
    assert passes(callers.callers(declared, facts(declared, GATEWAY, schedules=())), "no schedule that is on calls it")
    assert passes(callers.callers(declared, ()), "no function is declared")


def test_reconcile_needs_a_schedule_too(declared):
    *others, reconcile = facts(declared, GATEWAY)

    told = callers.callers(declared, (*others, replace(reconcile, schedules=())))

    assert passes(told, "launch-ready-prod-reconcile: no schedule that is on calls it")
