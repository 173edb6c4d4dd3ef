"""Each policy of ours, over two real Pulumi programs: one that it passes, one that it finds fault with, on its line."""

import pytest

from checks.policy import chosen
from tests.checks.policy.conftest import HEAD, Programs, line_of

ZONE = """
zone = cf.Zone("zone", account=cf.ZoneAccountArgs(id="a" * 32), name="shop.example")


def record(resource, name, type_, content, proxied=False):
    cf.DnsRecord(resource, zone_id=zone.id, name=name, type=type_, content=content, proxied=proxied, ttl=1)


def setting(name, value):
    cf.ZoneSetting(name, zone_id=zone.id, setting_id=name, value=value)

"""
MAIL = """
record("mx", "shop.example", "MX", "mx.mail.example")
record("spf", "shop.example", "TXT", '"v=spf1 include:mail.example" " -all"')
record("dkim", "one._domainkey.shop.example", "CNAME", "one.dkim.mail.example")
record("dmarc", "_dmarc.shop.example", "TXT", '"v=DMARC1; p=none; rua=mailto:d@shop.example"')
"""
WEB = 'record("web", "shop.example", "A", "203.0.113.9", proxied=True)\n'
API = """
record("api", "api.shop.example", "CNAME", "gateway.example", proxied=True)
configuration = aws.apigatewayv2.DomainNameDomainNameConfigurationArgs(
    certificate_arn="arn:aws:acm:eu-west-1:1:certificate/c", endpoint_type="REGIONAL", security_policy="TLS_1_2"
)
aws.apigatewayv2.DomainName("api", domain_name="api.shop.example", domain_name_configuration=configuration)
"""
CHALLENGE = """
rules = [{"action": "managed_challenge", "expression": '(http.host eq "www.shop.example")', "enabled": True}]
cf.Ruleset("firewall", zone_id=zone.id, kind="zone", name="f", phase="http_request_firewall_custom", rules=rules)
"""
TRUST = """
WHO = {"Service": "lambda.amazonaws.com"}
TRUST = json.dumps({"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": WHO}]})
"""
QUEUES = """
dead = aws.sqs.Queue("dead", name="dead", sqs_managed_sse_enabled=True)
redrive = dead.arn.apply(lambda arn: json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 5}))
work = aws.sqs.Queue("work", name="work", visibility_timeout_seconds=60, redrive_policy=redrive)
aws.cloudwatch.MetricAlarm("dead", name="dead", comparison_operator="GreaterThanThreshold", evaluation_periods=1,
    metric_name="ApproximateAgeOfOldestMessage", dimensions={"QueueName": "dead"}, alarm_actions=["arn:aws:sns:::t"])
"""
SECOND = 'aws.sqs.Queue("second", name="second", redrive_policy=redrive)\n'
FUNCTION = (
    TRUST
    + """
key = aws.secretsmanager.Secret("key", name="key", description="Rolled by hand once a year")
other = aws.secretsmanager.Secret("other", name="other", description="Rolled by hand once a year")
aws.cloudwatch.LogGroup("logs", name="/aws/lambda/apply", retention_in_days=30)
role = aws.iam.Role("role", name="apply", assume_role_policy=TRUST)
READ = ["secretsmanager:GetSecretValue"]
STATEMENT = {"Effect": "Allow", "Action": READ}
policy = key.arn.apply(lambda arn: json.dumps({"Statement": [{**STATEMENT, "Resource": [arn]}]}))
aws.iam.RolePolicy("policy", name="apply", role=role.name, policy=policy)
environment = aws.lambda_.FunctionEnvironmentArgs(variables={"KEY_SECRET_ID": key.arn, "MODE": "live"})
apply = aws.lambda_.Function("apply", name="apply", role=role.arn, runtime="python3.12", handler="a.b", timeout=10,
    code=pulumi.AssetArchive({"a.py": pulumi.StringAsset("")}), environment=environment)
"""
)
MAPPING = """
scaling = aws.lambda_.EventSourceMappingScalingConfigArgs(maximum_concurrency=2)
aws.lambda_.EventSourceMapping("feed", event_source_arn=work.arn, function_name=apply.name, scaling_config=scaling)
"""
TABLE = """
recovery = aws.dynamodb.TablePointInTimeRecoveryArgs(enabled=True)
aws.dynamodb.Table("table", name="t", billing_mode="PAY_PER_REQUEST", hash_key="pk",
    attributes=[aws.dynamodb.TableAttributeArgs(name="pk", type="S")], point_in_time_recovery=recovery)
"""
BUCKET = """
bucket = aws.s3.Bucket("bucket", bucket="files-of-shop")
aws.s3.BucketPublicAccessBlock("private", bucket=bucket.bucket, block_public_acls=True, block_public_policy=True,
    ignore_public_acls=True, restrict_public_buckets=True)
"""
RULES = """
rules = [{"action": "block", "expression": f'(http.request.uri.path eq "/{n}")', "enabled": True} for n in range(5)]
cf.Ruleset("firewall", zone_id=zone.id, kind="zone", name="f", phase="http_request_firewall_custom", rules=rules)
"""
RECORDS = """
for number in range(200):
    record(f"r{number}", f"_r{number}.shop.example", "TXT", '"x"')
"""

# id: (a program that passes, what is changed in it, into what, a part of the line that the finding is on)
CASES: dict[str, tuple[str, str, str, str]] = {
    "CKV_LR_1": (ZONE + MAIL, "v=spf1", "v=spf2", 'record("mx"'),
    "CKV_LR_2": (ZONE + MAIL, "one._domainkey", "one._domainkeys", 'record("mx"'),
    "CKV_LR_3": (ZONE + MAIL, '"_dmarc.shop', '"dmarc.shop', 'record("mx"'),
    "CKV_LR_4": (ZONE + WEB + 'setting("ssl", "strict")\n', '"strict"', '"full"', 'setting("ssl"'),
    "CKV_LR_5": (ZONE + WEB, "proxied=True", "proxied=False", 'record("web"'),
    "CKV_LR_6": (ZONE + API + CHALLENGE, '(http.host eq "www.shop.example")', "true", "cf.Ruleset("),
    "CKV_LR_7": (QUEUES + SECOND, 'name="second", redrive_policy=redrive', 'name="second"', '"second"'),
    "CKV_LR_8": (QUEUES, '{"QueueName": "dead"}', '{"QueueName": "work"}', "dead = aws"),
    "CKV_LR_9": (FUNCTION + QUEUES + MAPPING, "timeout=10", "timeout=11", "work = aws"),
    "CKV_LR_10": (FUNCTION + QUEUES + MAPPING, ", scaling_config=scaling", "", '"feed"'),
    "CKV_LR_11": (FUNCTION, '"MODE": "live"', '"STRIPE_KEY": "rk_live_" + "0" * 24', "apply = aws.lambda_.Function("),
    "CKV_LR_12": (FUNCTION, "policy = key.arn", "policy = other.arn", '"policy", name'),
    "CKV_LR_13": (FUNCTION, '"secretsmanager:GetSecretValue"', '"secretsmanager:*"', '"policy", name'),
    "CKV_LR_14": (FUNCTION, ", retention_in_days=30", "", '"logs"'),
    "CKV_LR_15": (BUCKET, "block_public_policy=True", "block_public_policy=False", "bucket = aws"),
    "CKV_LR_16": (FUNCTION, 'name="key", description="Rolled by hand once a year"', 'name="key"', "key = aws"),
    "CKV_LR_17": (ZONE + RULES, "range(5)", "range(6)", "cf.Ruleset("),
    "CKV_LR_18": (ZONE + RECORDS, "range(200)", "range(201)", "zone = cf"),
    "CKV2_LR_1": (ZONE + 'setting("min_tls_version", "1.2")\n', '"1.2"', '"1.1"', 'setting("min_tls'),
    "CKV2_LR_2": (ZONE + API, '"TLS_1_2"', '"TLS_1_0"', 'aws.apigatewayv2.DomainName("api"'),
    "CKV2_LR_3": (TABLE, "enabled=True", "enabled=False", 'aws.dynamodb.Table("table"'),
}


def test_every_policy_of_ours_has_its_programs() -> None:
    assert set(CASES) == chosen.load().ours


@pytest.mark.parametrize("id_", CASES)
def test_a_policy_passes_one_program_and_finds_the_fault_in_another(id_: str, programs: Programs) -> None:
    good, part, instead, where = CASES[id_]
    passed = programs.scan(good)
    assert [f for f in passed.findings if f.id == id_] == []
    assert passed.unjudged == ()
    assert good.count(part) == 1
    bad = good.replace(part, instead)
    [finding] = [f for f in programs.scan(bad).findings if f.id == id_]
    assert (finding.place.file, finding.place.start) == ("__main__.py", line_of(HEAD + bad.strip(), where))
    assert finding.details or id_.startswith("CKV2_")


@pytest.mark.parametrize(
    ("id_", "program"),
    [
        ("CKV_LR_4", ZONE + WEB),  # no setting at all
        ("CKV_LR_6", ZONE + API + 'cf.BotManagement("bots", zone_id=zone.id, fight_mode=True)\n'),
        ("CKV_LR_6", ZONE + API + 'setting("security_level", "under_attack")\n'),
        ("CKV_LR_11", FUNCTION.replace('"live"', 'pulumi.Output.secret("sesame")')),
        ("CKV_LR_12", FUNCTION.replace('"Resource": [arn]', '"Resource": "*"')),
        ("CKV_LR_13", FUNCTION.replace('"Action": READ', '"NotAction": READ')),
        ("CKV_LR_14", FUNCTION.replace("/aws/lambda/apply", "/aws/lambda/aply")),
        ("CKV_LR_15", BUCKET.split("aws.s3.BucketPublic")[0]),
        ("CKV_LR_9", (FUNCTION + QUEUES + MAPPING).replace("visibility_timeout_seconds=60, ", "")),
    ],
)
def test_another_way_to_the_same_fault(id_: str, program: str, programs: Programs) -> None:
    assert id_ in {finding.id for finding in programs.scan(program).findings}


@pytest.mark.parametrize(
    ("id_", "program"),
    [
        ("CKV_LR_1", ZONE + MAIL.replace("mx.mail.example", ".").replace("v=spf1", "x")),  # a null MX receives nothing
        ("CKV_LR_4", ZONE + WEB.replace("203.0.113.9", "192.0.2.1")),  # the edge answers itself
        (
            "CKV_LR_5",
            ZONE + WEB.replace("True", "False") + 'record("p", "_acme-challenge.shop.example", "CNAME", "x.y")\n',
        ),
        ("CKV_LR_6", ZONE + CHALLENGE.replace("http.host eq", "http.host ne")),  # no API to be challenged
    ],
)
def test_what_is_no_fault(id_: str, program: str, programs: Programs) -> None:
    assert id_ not in {finding.id for finding in programs.scan(program).findings}


def test_what_only_the_deployment_tells_is_not_judged_and_not_clean(programs: Programs) -> None:
    found = programs.scan(FUNCTION, assume_arns=False)
    assert found.findings == ()
    assert found.exit_code == 2
    assert found.unjudged == (
        "CKV_LR_12 [aws_iam_role_policy.policy]: policy is known only after the deployment",
        "CKV_LR_13 [aws_iam_role_policy.policy]: policy is known only after the deployment",
    )
