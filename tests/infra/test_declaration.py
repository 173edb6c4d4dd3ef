from collections import Counter

import pytest

from rehearsal.errors import RehearsalError
from rehearsal.graph import Graph
from rehearsal.plan import plan
from tests.infra.conftest import ROOT, Deployed, deploy

UPLOAD = "cloudflare:index/authenticatedOriginPullsHostnameCertificate"
COUNTS = {
    "aws:acm/certificate:Certificate": 1,
    "aws:acm/certificateValidation:CertificateValidation": 1,
    "aws:apigatewayv2/api:Api": 1,
    "aws:apigatewayv2/apiMapping:ApiMapping": 1,
    "aws:apigatewayv2/domainName:DomainName": 1,
    "aws:apigatewayv2/integration:Integration": 3,
    "aws:apigatewayv2/route:Route": 4,
    "aws:apigatewayv2/stage:Stage": 1,
    "aws:cloudwatch/logGroup:LogGroup": 10,
    "aws:cloudwatch/metricAlarm:MetricAlarm": 17,
    "aws:dynamodb/table:Table": 1,
    "aws:iam/role:Role": 11,
    "aws:iam/rolePolicy:RolePolicy": 11,
    "aws:lambda/eventSourceMapping:EventSourceMapping": 6,
    "aws:lambda/function:Function": 9,
    "aws:lambda/permission:Permission": 4,
    "aws:route53/healthCheck:HealthCheck": 1,
    "aws:s3/bucket:Bucket": 1,
    "aws:s3/bucketObjectv2:BucketObjectv2": 1,
    "aws:s3/bucketPolicy:BucketPolicy": 1,
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": 1,
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": 1,
    "aws:s3/bucketVersioning:BucketVersioning": 1,
    "aws:scheduler/schedule:Schedule": 2,
    "aws:secretsmanager/secret:Secret": 5,
    "aws:secretsmanager/secretVersion:SecretVersion": 5,
    "aws:sns/topic:Topic": 2,
    "aws:sns/topicSubscription:TopicSubscription": 2,
    "aws:sqs/queue:Queue": 6,
    "cloudflare:index/authenticatedOriginPulls:AuthenticatedOriginPulls": 1,
    f"{UPLOAD}:AuthenticatedOriginPullsHostnameCertificate": 1,
    "cloudflare:index/botManagement:BotManagement": 1,
    "cloudflare:index/dnsRecord:DnsRecord": 45,
    "cloudflare:index/list:List": 1,
    "cloudflare:index/ruleset:Ruleset": 9,
    "cloudflare:index/workersRoute:WorkersRoute": 5,
    "cloudflare:index/workersScript:WorkersScript": 1,
    "cloudflare:index/zeroTrustAccessApplication:ZeroTrustAccessApplication": 1,
    "cloudflare:index/zeroTrustAccessPolicy:ZeroTrustAccessPolicy": 1,
    "cloudflare:index/zone:Zone": 3,
    "cloudflare:index/zoneDnssec:ZoneDnssec": 3,
    "cloudflare:index/zoneSetting:ZoneSetting": 6,
    "pulumi-python:dynamic:Resource": 4,
    "pulumi:providers:aws": 1,
}
UNNAMED = {  # AWS and Cloudflare give these no name of ours
    "aws:acm/certificate:Certificate",
    "aws:acm/certificateValidation:CertificateValidation",
    "aws:apigatewayv2/apiMapping:ApiMapping",
    "aws:apigatewayv2/domainName:DomainName",
    "aws:apigatewayv2/integration:Integration",
    "aws:apigatewayv2/route:Route",
    "aws:lambda/eventSourceMapping:EventSourceMapping",
    "aws:lambda/permission:Permission",
    "aws:route53/healthCheck:HealthCheck",
    "aws:s3/bucket:Bucket",  # its name is `bucket`
    "aws:s3/bucketObjectv2:BucketObjectv2",
    "aws:s3/bucketPolicy:BucketPolicy",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    "aws:s3/bucketVersioning:BucketVersioning",
    "aws:secretsmanager/secretVersion:SecretVersion",
    "aws:sns/topicSubscription:TopicSubscription",
    "cloudflare:index/authenticatedOriginPulls:AuthenticatedOriginPulls",
    f"{UPLOAD}:AuthenticatedOriginPullsHostnameCertificate",
    "cloudflare:index/botManagement:BotManagement",
    "cloudflare:index/workersRoute:WorkersRoute",
    "cloudflare:index/workersScript:WorkersScript",
    "cloudflare:index/zoneDnssec:ZoneDnssec",
    "cloudflare:index/zoneSetting:ZoneSetting",
    "pulumi-python:dynamic:Resource",
    "pulumi:providers:aws",
}
PROTECTED = {
    ("aws:dynamodb/table:Table", "members-table"),
    ("aws:secretsmanager/secret:Secret", "secret-identity"),
    ("aws:secretsmanager/secret:Secret", "secret-kit"),
    ("aws:secretsmanager/secret:Secret", "secret-slack"),
    ("aws:secretsmanager/secret:Secret", "secret-stripe-read"),
    ("aws:secretsmanager/secret:Secret", "secret-stripe-signing"),
    ("cloudflare:index/zone:Zone", "zone"),
    ("cloudflare:index/zone:Zone", "zone-oldtide.example"),
    ("cloudflare:index/zone:Zone", "zone-tidewriters.net"),
}


def test_exactly_these_resources_are_declared(graph: Graph) -> None:
    assert Counter(resource.type for resource in graph if resource.custom) == COUNTS


def test_every_resource_that_can_has_a_physical_name_of_ours(graph: Graph) -> None:
    for resource in graph:
        if resource.custom and resource.type not in UNNAMED:
            assert resource.inputs.get("name"), str(resource)


def test_destroy_of_a_protected_stack_would_lose_the_table_the_zone_and_the_secrets(graph: Graph) -> None:
    protected = {(resource.type, resource.name) for resource in graph if resource.options.get("protect")}
    assert protected == PROTECTED
    assert graph.get("aws:dynamodb/table:Table", "members-table").inputs["deletionProtectionEnabled"] is True


def test_an_unprotected_stack_can_be_destroyed_and_made_again() -> None:
    graph = plan(ROOT, "prod", {"protect": False})
    assert not [resource for resource in graph if resource.options.get("protect")]
    assert graph.get("aws:dynamodb/table:Table", "members-table").inputs["deletionProtectionEnabled"] is False
    assert {secret.inputs["recoveryWindowInDays"] for secret in graph.of_type("aws:secretsmanager/secret:Secret")} == {
        0
    }


def test_a_second_run_declares_the_same(graph: Graph, deployed: Deployed) -> None:
    assert plan(ROOT, "prod").to_json() == graph.to_json()
    assert deploy() == deployed


def test_every_secret_is_marked_and_stands_nowhere_else(graph: Graph, deployed: Deployed) -> None:
    marked = {(resource.name, path) for resource in graph for path in resource.secrets if path != "__provider"}
    assert marked == {
        ("origin-pull-2026-11", "privateKey"),
        ("secret-identity-value", "secretString"),
        ("secret-kit-value", "secretString"),
        ("secret-slack-value", "secretString"),
        ("secret-stripe-read-value", "secretString"),
        ("secret-stripe-signing-value", "secretString"),
        ("stripe-endpoint", "api_key"),
        ("stripe-retired-endpoints", "api_key"),
    }
    secrets = {
        str(values["secretString"])
        for values in deployed.of_type("aws:secretsmanager/secretVersion:SecretVersion").values()
    }
    for (kind, name), values in deployed.inputs.items():
        if kind not in ("aws:secretsmanager/secretVersion:SecretVersion", "pulumi-python:dynamic:Resource"):
            assert not [secret for secret in secrets if secret in str(values)], name


def test_a_wrong_configuration_ends_the_run_before_anything_is_declared() -> None:
    with pytest.raises(RehearsalError) as caught:
        plan(ROOT, "prod", {"alertEmail": "ops", "domain": "x"})
    assert "2 problems" in str(caught.value)
    assert "Traceback" not in str(caught.value)
