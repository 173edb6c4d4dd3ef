import json
import re
from pathlib import Path

import pytest

from handlers.core import policy
from handlers.destinations import registry
from handlers.settings import DESTINATIONS, Env
from rehearsal.graph import Graph
from rehearsal.plan import plan
from tests.infra.conftest import ROOT, Deployed, deploy

QUEUE = "aws:sqs/queue:Queue"
FUNCTION = "aws:lambda/function:Function"
FEED = "aws:lambda/eventSourceMapping:EventSourceMapping"
SCHEDULE = "aws:scheduler/schedule:Schedule"
COMMON = {Env.STACK, Env.TABLE_NAME, Env.POLICY}
DESTINATION = COMMON | {Env.DESTINATION, Env.DESTINATION_SECRET_ID, Env.DESTINATION_MODE, Env.DESTINATION_OPTIONS}
ENVIRONMENTS = {
    "webhook": {Env.STACK, Env.LIVEMODE, Env.EVENTS_QUEUE_URL, Env.SIGNING_SECRET_ID, Env.BAD_SIGNATURE_STATUS},
    "apply": COMMON | {Env.LIVEMODE, Env.SYNC_QUEUE_URLS, Env.STRIPE_SECRET_ID, Env.IDENTITY_SECRET_ID},
    "members": COMMON,
    "claims": COMMON | {Env.LIVEMODE, Env.SYNC_QUEUE_URLS, Env.IDENTITY_SECRET_ID},
    "sweep": COMMON
    | {Env.SYNC_QUEUE_URLS, Env.STRIPE_SECRET_ID, Env.IDENTITY_SECRET_ID, Env.CLAIM_URL, Env.CLAIM_DAYS},
    "reconcile": COMMON
    | {Env.LIVEMODE, Env.EVENTS_QUEUE_URL, Env.SYNC_QUEUE_URLS, Env.STRIPE_SECRET_ID}
    | {Env.IDENTITY_SECRET_ID, Env.DESTINATION_MODES, Env.ORIGIN_CERTIFICATE_ENDS},
    "undelivered": COMMON | {Env.SYNC_QUEUE_URLS},
    "sync-kit": DESTINATION,
    "sync-slack": DESTINATION,
}


def variables(deployed: Deployed, function: str) -> dict[str, str]:
    return dict(deployed.of_type(FUNCTION)[f"{function}-function"]["environment"]["variables"])


@pytest.mark.parametrize("function", ENVIRONMENTS)
def test_a_function_is_told_exactly_what_it_reads(deployed: Deployed, function: str) -> None:
    assert set(variables(deployed, function)) == ENVIRONMENTS[function]


def test_the_functions_read_the_policy_that_is_declared(deployed: Deployed) -> None:
    parsed = policy.parse(variables(deployed, "apply")[Env.POLICY])
    assert parsed.levels == {
        "writer_monthly": "writer",
        "writer_yearly": "writer",
        "masterclass_2026": "masterclass",
    }
    assert (parsed.grace_days, parsed.refund_full, parsed.cancel) == (7, "revoke", "period_end")


@pytest.fixture(scope="module")
def changed() -> Deployed:
    """The stack with every setting of membership other than it is by default, and nowhere to claim."""
    return deploy(
        policy={
            "graceDays": 3,
            "failedRenewal": "past_due",
            "refundFull": "keep",
            "refundPartial": "revoke",
            "disputeOpen": "revoke",
            "disputeLost": "keep",
            "cancel": "immediate",
            "cancelWindowDays": 2,
            "trial": "deny",
            "pause": "keep",
        },
        products=[
            {"price": "writer_monthly", "level": "writer"},
            {"price": "masterclass_2026", "level": "masterclass", "days": 365},
        ],
        userIdMetadataKey="uid",
        priceMetadataKey="price",
        identity={"unsignedReference": "add"},
        webhook={"badSignature": 401},
        destinations={
            "kit": {"mode": "shadow", "percent": 25, "callsPerMonth": 5000, "tags": {"member_active": 1}},
            "slack": {"mode": "off", "channel": "C1AB"},
        },
        reconcileHours=1,
        identityKey="n" * 32,
        identityKeyPrevious="o" * 32,
    )


def test_every_setting_of_the_policy_reaches_the_functions_which_know_it(changed: Deployed) -> None:
    told = variables(changed, "apply")[Env.POLICY]
    assert json.loads(told) == {
        "products": [
            {"price": "writer_monthly", "level": "writer"},
            {"price": "masterclass_2026", "level": "masterclass", "days": 365},
        ],
        "grace_days": 3,
        "failed_renewal": "past_due",
        "refund_full": "keep",
        "refund_partial": "revoke",
        "dispute_open": "revoke",
        "dispute_lost": "keep",
        "cancel": "immediate",
        "cancel_window_days": 2,
        "trial": "deny",
        "pause": "keep",
        "user_id_key": "uid",
        "price_key": "price",
        "unsigned_reference": "add",
    }
    assert policy.parse(told).grace_days == 3


def test_without_a_page_for_claims_the_sweep_has_nothing_to_sign_links_with(changed: Deployed) -> None:
    assert not {Env.CLAIM_URL, Env.CLAIM_DAYS, Env.IDENTITY_SECRET_ID} & set(variables(changed, "sweep"))
    assert "identity" not in changed.of_type("aws:iam/rolePolicy:RolePolicy")["sweep-policy"]["policy"]
    assert changed.contract["claims"] is None


def test_links_to_claim_are_made_as_the_config_says(deployed: Deployed) -> None:
    told = variables(deployed, "sweep")
    assert (told[Env.CLAIM_URL], told[Env.CLAIM_DAYS]) == ("https://app.tidewriters.example/claim", "30")
    assert deployed.contract["claims"] == {"url": "https://app.tidewriters.example/claim", "days": 30}


def test_the_webhook_is_told_what_to_answer_to_a_bad_signature(deployed: Deployed, changed: Deployed) -> None:
    assert variables(deployed, "webhook")[Env.BAD_SIGNATURE_STATUS] == "400"
    assert variables(changed, "webhook")[Env.BAD_SIGNATURE_STATUS] == "401"
    assert changed.contract["webhook"] == {"bad_signature_status": 401}


def test_both_identity_keys_are_held_while_one_is_rolled(deployed: Deployed, changed: Deployed) -> None:
    def held(stack: Deployed) -> dict[str, str | None]:
        return json.loads(
            stack.of_type("aws:secretsmanager/secretVersion:SecretVersion")["secret-identity-value"]["secretString"]
        )

    assert held(changed) == {"current": "n" * 32, "previous": "o" * 32}
    assert held(deployed)["previous"] is None


@pytest.mark.parametrize("spec", DESTINATIONS, ids=lambda spec: spec.name)
def test_a_destination_takes_the_options_that_are_declared(deployed: Deployed, spec) -> None:
    options = json.loads(variables(deployed, f"sync-{spec.name}")[Env.DESTINATION_OPTIONS])
    assert registry.load(spec.name, secret="made-up", options=options, base_url=spec.base_url).name == spec.name


def test_a_destination_is_on_for_everybody_unless_the_config_says_otherwise(deployed: Deployed) -> None:
    for name in ("kit", "slack"):
        told = json.loads(variables(deployed, f"sync-{name}")[Env.DESTINATION_MODE])
        assert told == {"mode": "on", "percent": 100, "calls_per_month": None}


def test_a_destinations_switch_reaches_its_function_and_reconcile(changed: Deployed) -> None:
    kit, slack = (variables(changed, f"sync-{name}") for name in ("kit", "slack"))
    told = {"kit": json.loads(kit[Env.DESTINATION_MODE]), "slack": json.loads(slack[Env.DESTINATION_MODE])}
    assert json.loads(variables(changed, "reconcile")[Env.DESTINATION_MODES]) == told
    assert json.loads(kit[Env.DESTINATION_MODE]) == {"mode": "shadow", "percent": 25, "calls_per_month": 5000}
    assert json.loads(kit[Env.DESTINATION_OPTIONS]) == {"tags": {"member_active": 1}}
    assert json.loads(slack[Env.DESTINATION_MODE]) == {"mode": "off", "percent": 100, "calls_per_month": None}
    assert json.loads(slack[Env.DESTINATION_OPTIONS]) == {"channel": "C1AB"}


def test_stripes_address_is_told_only_where_it_is_not_the_public_one() -> None:
    graph = plan(ROOT, "prod", {"stripeApiBase": "http://127.0.0.1:12111"})
    for function in graph.of_type(FUNCTION):
        told = function.inputs["environment"]["variables"].get(Env.STRIPE_API_BASE)
        asks = function.name in ("apply-function", "sweep-function", "reconcile-function")
        assert told == ("http://127.0.0.1:12111" if asks else None), function.name


def test_a_queue_hides_a_message_six_times_as_long_as_its_function_may_take(deployed: Deployed) -> None:
    queues, functions = deployed.of_type(QUEUE), deployed.of_type(FUNCTION)
    for feed in ("apply", "sync-kit", "sync-slack"):
        queue = queues["events-queue" if feed == "apply" else f"{feed}-queue"]
        assert queue["visibilityTimeoutSeconds"] == 6 * functions[f"{feed}-function"]["timeout"]
    for name in ("events", "sync-kit", "sync-slack"):
        assert queues[f"{name}-dlq"]["visibilityTimeoutSeconds"] == 6 * functions["undelivered-function"]["timeout"]


def test_every_queue_gives_up_after_five_tries_to_its_own_dead_letters(deployed: Deployed) -> None:
    queues = deployed.of_type(QUEUE)
    for name in ("events", "sync-kit", "sync-slack"):
        redrive = json.loads(queues[f"{name}-queue"]["redrivePolicy"])
        dead = queues[f"{name}-dlq"]["name"]
        assert redrive["maxReceiveCount"] == 5
        assert redrive["deadLetterTargetArn"].endswith(f":{dead}")
        assert "redrivePolicy" not in queues[f"{name}-dlq"]


def test_only_events_are_in_order(deployed: Deployed) -> None:
    for name, queue in deployed.of_type(QUEUE).items():
        fifo = name.startswith("events")
        assert (queue.get("fifoQueue") is True, queue["name"].endswith(".fifo")) == (fifo, fifo)
    events = deployed.of_type(QUEUE)["events-queue"]
    assert (events["deduplicationScope"], events["fifoThroughputLimit"]) == ("messageGroup", "perMessageGroupId")


def test_batches_report_what_failed_and_have_a_maximum_concurrency(deployed: Deployed) -> None:
    feeds = deployed.of_type(FEED)
    for feed in feeds.values():
        assert feed["functionResponseTypes"] == ["ReportBatchItemFailures"]
        assert feed["batchSize"] == 10
    assert {name: feed["scalingConfig"]["maximumConcurrency"] for name, feed in feeds.items()} == {
        "apply-feed": 5,
        "sync-kit-feed": 2,
        "sync-slack-feed": 2,
        "undelivered-events-feed": 2,
        "undelivered-sync-kit-feed": 2,
        "undelivered-sync-slack-feed": 2,
    }


def test_every_queues_dead_letters_are_read_by_one_function(deployed: Deployed) -> None:
    feeds, queues = deployed.of_type(FEED), deployed.of_type(QUEUE)
    for name in ("events", "sync-kit", "sync-slack"):
        feed = feeds[f"undelivered-{name}-feed"]
        assert feed["eventSourceArn"].endswith(f":{queues[f'{name}-dlq']['name']}")
        assert feed["functionName"] == "launch-ready-prod-undelivered"


def test_concurrency_is_reserved_only_when_asked_for(graph: Graph) -> None:
    assert not [f for f in graph.of_type(FUNCTION) if "reservedConcurrentExecutions" in f.inputs]
    asked = plan(ROOT, "prod", {"reservedConcurrency": {"apply": 6}})
    reserved = {f.name: f.inputs.get("reservedConcurrentExecutions") for f in asked.of_type(FUNCTION)}
    assert reserved.pop("apply-function") == 6
    assert set(reserved.values()) == {None}


def test_the_api_is_reached_through_its_host_alone(deployed: Deployed) -> None:
    [api] = deployed.of_type("aws:apigatewayv2/api:Api").values()
    [domain] = deployed.of_type("aws:apigatewayv2/domainName:DomainName").values()
    assert api["disableExecuteApiEndpoint"] is True
    assert domain["domainName"] == "api.tidewriters.example"
    assert domain["domainNameConfiguration"]["securityPolicy"] == "TLS_1_2"


def test_only_the_apps_own_routes_ask_for_a_signature_of_aws(deployed: Deployed) -> None:
    routes = deployed.of_type("aws:apigatewayv2/route:Route").values()
    assert {route["routeKey"]: route["authorizationType"] for route in routes} == {
        "POST /webhooks/stripe": "NONE",
        "GET /health": "NONE",
        "GET /v1/members/{user_id}": "AWS_IAM",
        "POST /v1/claims": "AWS_IAM",
    }


def test_logs_are_kept_for_the_declared_time_and_exist_before_the_function(graph: Graph) -> None:
    groups = {group.urn: group.inputs["retentionInDays"] for group in graph.of_type("aws:cloudwatch/logGroup:LogGroup")}
    assert set(groups.values()) == {30}
    for function in graph.of_type(FUNCTION):
        assert set(function.dependencies) & set(groups), str(function)


def test_the_access_log_names_no_member(deployed: Deployed) -> None:
    [stage] = deployed.of_type("aws:apigatewayv2/stage:Stage").values()
    line = stage["accessLogSettings"]["format"]
    assert "$context.routeKey" in line
    assert not [field for field in ("$context.path", "sourceIp", "$context.identity") if field in line]


def test_a_line_of_the_access_log_is_json_whatever_stands_for_its_variables(deployed: Deployed) -> None:
    [stage] = deployed.of_type("aws:apigatewayv2/stage:Stage").values()
    line = stage["accessLogSettings"]["format"]
    assert "messageString" not in line  # AWS puts this one in quotes itself
    assert json.loads(re.sub(r"\$context[.\w]+", "x", line))


def test_the_sweep_runs_each_minute_and_is_not_repeated(deployed: Deployed) -> None:
    schedule = deployed.of_type(SCHEDULE)["sweep-schedule"]
    assert schedule["scheduleExpression"] == "rate(1 minute)"
    assert schedule["target"]["retryPolicy"] == {"maximumRetryAttempts": 0}


def test_reconcile_runs_as_often_as_the_config_says(deployed: Deployed, changed: Deployed) -> None:
    rates = [stack.of_type(SCHEDULE)["reconcile-schedule"]["scheduleExpression"] for stack in (deployed, changed)]
    assert rates == ["rate(6 hours)", "rate(1 hour)"]  # AWS tells one from many
    assert deployed.of_type(SCHEDULE)["reconcile-schedule"]["target"]["arn"].endswith(":launch-ready-prod-reconcile")


def test_the_first_run_of_reconcile_finds_its_keys(graph: Graph) -> None:
    [reconcile] = [function for function in graph.of_type(FUNCTION) if function.name == "reconcile-function"]
    kinds = {urn.rpartition("::")[2] for urn in reconcile.dependencies}
    assert kinds >= {"secret-stripe-read-value", "secret-identity-value"}


def test_the_stripe_endpoint_waits_for_names_certificate_and_routes(graph: Graph) -> None:
    endpoint = graph.get("pulumi-python:dynamic:Resource", "stripe-endpoint")
    kinds = {urn.split("::")[2].rpartition("$")[2] for urn in endpoint.dependencies}
    assert kinds == {
        "cloudflare:index/dnsRecord:DnsRecord",
        "aws:apigatewayv2/route:Route",
        "aws:lambda/permission:Permission",
        "aws:apigatewayv2/apiMapping:ApiMapping",
    }
    assert set(endpoint.options["additionalSecretOutputs"]) == {"api_key", "signing"}


def test_the_code_is_named_relative_to_the_project(deployed: Deployed) -> None:
    for function in deployed.of_type(FUNCTION).values():
        path = Path(function["code"]["$archive"]["path"])
        assert path.parts[0] == ".build"
        assert (ROOT / path).is_file()
