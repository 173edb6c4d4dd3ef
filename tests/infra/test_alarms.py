from handlers.adapters.logs import METRIC_NAMESPACE
from rehearsal.graph import Graph
from tests.infra.conftest import Deployed

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"


def test_every_dead_letter_queue_has_an_alarm_on_its_first_message(deployed: Deployed) -> None:
    watched = {
        alarm["dimensions"]["QueueName"]: (alarm["threshold"], alarm["comparisonOperator"])
        for alarm in deployed.of_type(ALARM).values()
        if alarm["metricName"] == "ApproximateNumberOfMessagesVisible"
    }
    dead = {q["name"] for name, q in deployed.of_type("aws:sqs/queue:Queue").items() if name.endswith("-dlq")}
    assert watched == dict.fromkeys(dead, (0, "GreaterThanThreshold"))


def test_what_the_functions_count_for_a_person_wakes_somebody_at_the_first_one(deployed: Deployed) -> None:
    counted = {
        alarm["metricName"]: (alarm["dimensions"], alarm["statistic"], alarm["threshold"])
        for alarm in deployed.of_type(ALARM).values()
        if alarm["namespace"] == METRIC_NAMESPACE and alarm["metricName"] != "OriginCertificateDays"
    }
    ours = ({"stack": "launch-ready-prod"}, "Sum", 0)
    assert counted == {"Alert": ours, "EventParked": ours, "ReconcileMissing": ours, "SyncParked": ours}


def test_every_function_that_no_queue_of_work_calls_has_an_alarm_on_its_errors(deployed: Deployed) -> None:
    watched = {
        alarm["dimensions"]["FunctionName"].removeprefix("launch-ready-prod-")
        for alarm in deployed.of_type(ALARM).values()
        if alarm["metricName"] == "Errors"
    }
    assert watched == {"webhook", "members", "claims", "sweep", "reconcile", "undelivered"}


def test_every_alarm_tells_somebody_that_it_began_and_that_it_ended(deployed: Deployed) -> None:
    for name, alarm in deployed.of_type(ALARM).items():
        assert alarm["alarmActions"], name
        assert alarm["alarmActions"] == alarm["okActions"], name


def test_an_alarm_looks_at_a_function_or_queue_that_is_declared(deployed: Deployed) -> None:
    names = {
        v["name"]
        for kind in ("aws:sqs/queue:Queue", "aws:lambda/function:Function")
        for v in deployed.of_type(kind).values()
    }
    for alarm in deployed.of_type(ALARM).values():
        for dimension in ("QueueName", "FunctionName"):
            assert alarm["dimensions"].get(dimension) in names | {None}


def test_the_uptime_alarm_and_its_topic_live_where_route_53_writes_its_metrics(graph: Graph) -> None:
    [provider] = graph.of_type("pulumi:providers:aws")
    assert provider.inputs["region"] == "us-east-1"
    there = {resource.name for resource in graph if resource.provider == provider.urn}
    assert there == {"api-health", "uptime-alarm", "uptime-mail-topic", "uptime-mail-email"}


def test_the_health_check_asks_the_api_host_through_the_edge(deployed: Deployed) -> None:
    [check] = deployed.of_type("aws:route53/healthCheck:HealthCheck").values()
    wanted = {"type": "HTTPS", "fqdn": "api.tidewriters.example", "port": 443, "resourcePath": "/health"}
    assert {key: check[key] for key in wanted} == wanted
    assert "ipAddress" not in check


def test_both_topics_write_to_the_address_of_the_config(deployed: Deployed) -> None:
    mails = deployed.of_type("aws:sns/topicSubscription:TopicSubscription").values()
    assert [(mail["protocol"], mail["endpoint"]) for mail in mails] == [("email", "ops@tidewriters.example")] * 2
