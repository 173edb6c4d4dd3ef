from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.contract import Contract
from checks.probes.aws.access import ApiFacts, RoleFacts, Statement
from checks.probes.aws.pipeline import FunctionFacts
from checks.rules import access, api
from tests.checks.exchanges import exchange, passes

TABLE = "arn:aws:dynamodb:eu-west-1:000000000001:table/launch-ready-prod"
LOGS = "arn:aws:logs:eu-west-1:000000000001:log-group:/aws/lambda/launch-ready-prod-apply:*"
SECRETS = "arn:aws:secretsmanager:eu-west-1:000000000001:secret:launch-ready-prod/"
READ_KEY = f"{SECRETS}stripe-read-AbCdEf"
IDENTITY = f"{SECRETS}identity-AbCdEf"


def allow(actions: tuple[str, ...], *resources: str, **changes: Any) -> Statement:
    statement = Statement(effect="Allow", actions=actions, resources=resources, inverted=False)
    return replace(statement, **changes)


def role(declared: Contract, purpose: str, *statements: Statement) -> RoleFacts:
    function = next(function for function in declared.functions if function.purpose == purpose)
    return RoleFacts(function=function, statements=statements)


TAKE = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
QUEUE = "arn:aws:sqs:eu-west-1:000000000001:launch-ready-prod-events.fifo"
APPLY = (
    allow(("logs:CreateLogStream", "logs:PutLogEvents"), LOGS),
    allow(TAKE, QUEUE),
    allow(("sqs:SendMessage",), f"{QUEUE[:-11]}sync-kit"),
    allow(("dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"), TABLE),
    allow(("dynamodb:Query",), f"{TABLE}/index/*", TABLE),
    allow(("secretsmanager:GetSecretValue",), READ_KEY),
    allow(("secretsmanager:GetSecretValue",), IDENTITY),
    Statement(effect="Deny", actions=("*",), resources=("*",), inverted=False),
)


def test_what_apply_needs_is_allowed(declared):
    assert passes(access.roles(declared, (role(declared, "apply", *APPLY),)), None)


@pytest.mark.parametrize(
    ("purpose", "statement", "said"),
    [
        ("apply", allow(("dynamodb:*",), TABLE), "wildcard action dynamodb:*"),
        ("apply", allow(("dynamodb:Get?tem",), TABLE), "wildcard action dynamodb:Get?tem"),
        ("apply", allow(("dynamodb:DeleteTable",), TABLE), "dynamodb:DeleteTable is not needed by a apply function"),
        ("apply", allow(("dynamodb:GetItem",), "*"), "wildcard resource *"),
        ("apply", allow(("dynamodb:GetItem",), TABLE[:-4] + "*"), "wildcard resource arn:aws:dynamodb"),
        ("apply", allow(("logs:PutLogEvents",), LOGS.replace("launch-ready-prod-apply", "*")), "wildcard resource"),
        ("apply", allow(("secretsmanager:GetSecretValue",), f"{SECRETS}kit-AbCdEf"), "which is not its own"),
        ("sync", allow(("secretsmanager:GetSecretValue",), READ_KEY), "which is not its own"),
        ("webhook", allow(("dynamodb:PutItem",), TABLE), "dynamodb:PutItem is not needed by a webhook function"),
        ("members", allow(("dynamodb:UpdateItem",), TABLE), "dynamodb:UpdateItem is not needed"),
        ("sweep", allow(("dynamodb:GetItem",), TABLE, inverted=True), "NotAction or NotResource"),
        ("apply", allow(("dynamodb:DeleteItem",), TABLE), "dynamodb:DeleteItem is not needed by a apply function"),
        ("apply", allow(("logs:CreateLogGroup",), LOGS), "logs:CreateLogGroup is not needed"),
        ("apply", allow(("logs:PutLogEvents",), LOGS.replace("apply", "sweep")), "which is not its own"),
        ("apply", allow(("dynamodb:GetItem",), f"{TABLE}-other"), "which is not its own"),
        ("apply", allow(("dynamodb:GetItem",), f"{TABLE}-other/index/*"), "which is not its own"),
        ("apply", allow(("sqs:SendMessage",), QUEUE), "which is not its own"),
        ("apply", allow(TAKE, f"{QUEUE[:-11]}sync-kit"), "which is not its own"),
        ("sync", allow(TAKE, f"{QUEUE[:-11]}sync-slack"), "which is not its own"),
        ("webhook", allow(("sqs:SendMessage",), f"{QUEUE[:-11]}sync-kit"), "which is not its own"),
        ("claims", allow(("secretsmanager:GetSecretValue",), READ_KEY), "which is not its own"),
        ("claims", allow(TAKE, QUEUE), "sqs:ReceiveMessage is not needed by a claims function"),
        ("reconcile", allow(TAKE, QUEUE), "sqs:ReceiveMessage is not needed by a reconcile function"),
        ("reconcile", allow(("secretsmanager:GetSecretValue",), f"{SECRETS}kit-AbCdEf"), "which is not its own"),
        ("undelivered", allow(TAKE, QUEUE), "launch-ready-prod-events.fifo, which is not its own"),
        ("undelivered", allow(("secretsmanager:GetSecretValue",), READ_KEY), "is not needed by a undelivered function"),
    ],
)
def test_a_widened_role_fails(declared, purpose, statement, said):
    assert passes(access.roles(declared, (role(declared, purpose, statement),)), said)


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        (0, "logs:CreateLogStream"),
        (1, "sqs:DeleteMessage"),
        (2, "sqs:SendMessage"),
        (3, "dynamodb:BatchGetItem"),
        (5, "read the secret stripe-read"),
        (6, "read the secret identity"),
    ],
)
def test_a_role_that_lacks_a_statement_which_its_work_takes_fails(declared, gone, said):
    rest = (*APPLY[:gone], *APPLY[gone + 1 :])
    assert passes(access.roles(declared, (role(declared, "apply", *rest),)), f"may not {said}")


def test_reconcile_sends_to_both_kinds_of_queues_and_undelivered_takes_all_dead_letters_of_ours(declared):
    events, sync = QUEUE, f"{QUEUE[:-11]}sync-kit"
    dead = (f"{QUEUE[:-5]}-dlq.fifo", f"{sync}-dlq")
    for gone, name in ((events, "sync-kit"), (sync, "events.fifo")):
        rest = role(declared, "reconcile", allow(("sqs:SendMessage",), gone))
        assert passes(access.roles(declared, (rest,)), f"may not send to launch-ready-prod-{name}")
    both = access.roles(declared, (role(declared, "reconcile", allow(("sqs:SendMessage",), events, sync)),))
    taking = access.roles(declared, (role(declared, "undelivered", allow(TAKE, *dead)),))
    assert "send to" not in both.actual
    assert "not its own" not in both.actual + taking.actual


def test_the_sweep_reads_the_identity_keys_where_there_are_claim_links_and_nowhere_else(declared):
    without = declared.model_copy(update={"claims": None})
    reading = role(declared, "sweep", allow(("secretsmanager:GetSecretValue",), READ_KEY, IDENTITY))
    not_reading = role(declared, "sweep", allow(("secretsmanager:GetSecretValue",), READ_KEY))

    assert passes(access.roles(declared, (not_reading,)), "may not read the secret identity")
    assert passes(access.roles(without, (reading,)), "which is not its own")
    assert "identity" not in access.roles(declared, (reading,)).actual
    assert "secret" not in access.roles(without, (not_reading,)).actual


@pytest.mark.parametrize("who", ["*", "AWS:*", "AWS:arn:aws:iam::000000000002:root", "ec2.amazonaws.com"])
def test_a_role_that_others_may_take_on_fails(declared, who):
    facts = replace(role(declared, "apply", *APPLY), trusts=("lambda.amazonaws.com", who))

    assert passes(access.roles(declared, (facts,)), f"{who} may take its role on")


def test_a_role_without_policy_and_a_launch_without_functions_fail(declared):
    assert passes(access.roles(declared, (role(declared, "apply"),)), "its role has no policy")
    assert passes(access.roles(declared, ()), "no function is declared")


def environment(**variables: str) -> tuple[FunctionFacts, ...]:
    return (FunctionFacts(name="f", exists=True, timeout_seconds=5, environment=tuple(variables.items())),)


POLICY = '{"products": [{"price": "price_1QabcDEFghiJKLmnOPQrstuv", "level": "pro"}], "user_id_key": "user_id"}'
QUEUES = '{"kit": "https://sqs.eu-west-1.amazonaws.com/000000000001/launch-ready-prod-sync-kit"}'


@pytest.mark.parametrize(
    "variables",
    [
        {"SIGNING_SECRET_ID": READ_KEY, "LAUNCH_LIVEMODE": "true"},
        {"SYNC_QUEUE_URLS": QUEUES, "TABLE_NAME": "launch-ready-prod", "LAUNCH_STACK": "prod"},
        {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566", "KIT_API_BASE": "http://127.0.0.1:1234/v4"},
        {"DESTINATION_OPTIONS": '{"tags": {"member_active": 1, "level:pro": 2}}', "DESTINATION": "kit"},
        {"DESTINATION_OPTIONS": '{"channel": "C0123456789"}'},
        {"MEMBERSHIP_POLICY": POLICY},
        {"TABLE_NAME": "launch-ready-acceptance-staging-eu-2"},
        {"EVENT_SOURCE": "aws.partner/stripe.com/ed_61TEN0dErlaWJQzTZ16Qafnx2xSQhCzmf0WoqI1pgQSG"},
    ],
)
def test_references_and_policies_may_be_in_an_environment(declared, variables):
    assert passes(access.environment(declared, environment(**variables)), None)


@pytest.mark.parametrize(
    "variables",
    [
        {"X": "sk_live_51Habcdefghijkl"},
        {"X": "rk_test_51Habcdefghijkl"},
        {"X": "whsec_5f3c9ab1d2e4f6a7"},
        {"OPTIONS": '{"slack": {"token": "xoxb-123456789012-abcdefgh"}}'},
        {"KIT_API_KEY": "short"},
        {"X": "q7Gk2PzV9xLw4TnB8sRd6YhJ3mCf5EaU"},
        {"OPTIONS": '{"nested": ["q7Gk2PzV9xLw4TnB8sRd6YhJ3mCf5EaU"]}'},
        {"X": "-----BEGIN PRIVATE KEY-----\nMIIB"},
    ],
)
def test_a_secret_in_an_environment_fails_and_is_not_told(declared, variables):
    verdict = access.environment(declared, environment(**variables))

    assert passes(verdict, "holds what looks like a secret")
    assert not any(value in f"{verdict.actual} {verdict.evidence}" for value in variables.values())


@given(st.text(st.sampled_from("ABCDEFGHJKMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz23456789"), min_size=32, max_size=32))
def test_random_keys_are_seen(key):
    spread = len(set(key))
    if spread < 16:  # Hypothesis also draws "AAAA…", which is no key
        return
    assert access._looks_secret("X", key)


def test_a_function_that_is_not_there_fails(declared):
    assert passes(access.environment(declared, (FunctionFacts(name="f", exists=False),)), "f does not exist")


MEMBERS = "https://api.tidewriters.example/v1/members/launch-ready-probe"
CLAIMS = "https://api.tidewriters.example/v1/claims"
API = ApiFacts(
    domain="api.tidewriters.example",
    api_id="a1",
    default_endpoint_disabled=True,
    routes=(
        ("GET /v1/members/{user_id}", "AWS_IAM"),
        ("POST /v1/claims", "AWS_IAM"),
        ("POST /webhooks/stripe", "NONE"),
    ),
)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (API, None),
        (replace(API, default_endpoint_disabled=False), "the default endpoint of API a1 is enabled"),
        (replace(API, api_id=None), "no API is mapped to api.tidewriters.example"),
    ],
)
def test_default_endpoint(declared, facts, said):
    assert passes(api.default_endpoint(declared, facts), said)


@pytest.mark.parametrize(
    ("routes", "statuses", "said"),
    [
        (API.routes, (403, 403), None),
        (API.routes, (401, 401), None),
        (API.routes, (404, 403), "unsigned GET"),
        (API.routes, (200, 403), "unsigned GET"),
        (API.routes, (403, 400), "unsigned POST"),
        ((("GET /v1/members/{user_id}", "NONE"), *API.routes[1:]), (403, 403), "has authorization NONE"),
        ((API.routes[0], ("POST /v1/claims", "NONE")), (403, 403), "route POST /v1/claims has authorization NONE"),
        ((*API.routes, ("$default", "NONE")), (403, 403), "route $default has authorization NONE"),
        (API.routes[1:], (403, 403), "no route for /v1/members/"),
        (API.routes[:1], (403, 403), "no route for /v1/claims"),
    ],
)
def test_members_auth(declared, routes, statuses, said):
    answers = (exchange(MEMBERS, statuses[0]), exchange(CLAIMS, statuses[1], method="POST"))
    assert passes(api.members_auth(declared, (replace(API, routes=routes), answers)), said)


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, '{"status": "ok"}', None),
        (503, '{"status": "ok"}', "-> 503"),
        (301, "", "-> 301"),
        (200, '{"services": {}}', "services"),
        (200, "<h1>Welcome</h1>", "Welcome"),
        (200, '["ok"]', "ok"),
    ],
)
def test_api_health(declared, status, body, said):
    answered = replace(exchange("https://api.tidewriters.example/health", status), body=body)
    assert passes(api.health(declared, answered), said)
