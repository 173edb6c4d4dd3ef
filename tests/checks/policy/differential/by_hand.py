"""The same as program.txt, written by hand as Terraform has it: type, name, values, references."""

from typing import Any

TRUST = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"lambda.amazonaws.com"}}]}'  # noqa: E501 # one document
ADMIN = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
READ = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject"],'
    '"Resource":["arn:aws:s3:::files-private/*"]}]}'
)
KEY, ROLE, BUCKET, API = "aws_kms_key.key", "aws_iam_role.worker", "aws_s3_bucket.private", "aws_apigatewayv2_api.api"
LEAKED = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
BLOCKED = {
    "block_public_acls": True,
    "block_public_policy": True,
    "ignore_public_acls": True,
    "restrict_public_buckets": True,
}
PK = [{"name": "pk", "type": "S"}]
SSH = {"from_port": 22, "to_port": 22, "protocol": "tcp", "cidr_blocks": ["0.0.0.0/0"], "description": "ssh"}

RESOURCES: list[tuple[str, str, dict[str, Any], dict[str, str]]] = [
    ("aws_kms_key", "key", {"description": "k", "enable_key_rotation": True, "deletion_window_in_days": 7}, {}),
    (
        "aws_sqs_queue",
        "dead",
        {"name": "dead", "message_retention_seconds": 1209600, "sqs_managed_sse_enabled": True},
        {},
    ),
    ("aws_sqs_queue", "work", {"name": "work", "visibility_timeout_seconds": 60}, {"kms_master_key_id": KEY}),
    ("aws_sqs_queue", "bare", {"name": "bare"}, {}),
    ("aws_sns_topic", "alarms", {"name": "alarms", "kms_master_key_id": "alias/aws/sns"}, {}),
    ("aws_sns_topic", "plain", {"name": "plain"}, {}),
    (
        "aws_sns_topic_subscription",
        "mail",
        {"protocol": "email", "endpoint": "ops@shop.example"},
        {"topic_arn": "aws_sns_topic.alarms"},
    ),
    ("aws_cloudwatch_log_group", "kept", {"name": "kept", "retention_in_days": 400}, {"kms_key_id": KEY}),
    ("aws_cloudwatch_log_group", "forever", {"name": "forever"}, {}),
    ("aws_iam_role", "worker", {"name": "worker", "assume_role_policy": TRUST}, {}),
    ("aws_iam_role_policy", "admin", {"name": "admin", "policy": ADMIN}, {"role": ROLE}),
    ("aws_iam_role_policy", "read", {"name": "read", "policy": READ}, {"role": ROLE}),
    (
        "aws_lambda_function",
        "traced",
        {
            "function_name": "traced",
            "runtime": "python3.12",
            "handler": "a.b",
            "timeout": 10,
            "reserved_concurrent_executions": 2,
            "filename": "a.zip",
            "tracing_config": [{"mode": "Active"}],
            "dead_letter_config": [{}],
        },
        {"role": ROLE, "dead_letter_config.target_arn": "aws_sqs_queue.dead"},
    ),
    (
        "aws_lambda_function",
        "leaky",
        {
            "function_name": "leaky",
            "runtime": "python3.8",
            "handler": "a.b",
            "filename": "a.zip",
            "environment": [{"variables": LEAKED}],
        },
        {"role": ROLE},
    ),
    (
        "aws_lambda_permission",
        "open",
        {"function_name": "leaky", "action": "lambda:InvokeFunction", "principal": "apigateway.amazonaws.com"},
        {},
    ),
    (
        "aws_dynamodb_table",
        "safe",
        {
            "name": "safe",
            "billing_mode": "PAY_PER_REQUEST",
            "hash_key": "pk",
            "attribute": PK,
            "point_in_time_recovery": [{"enabled": True}],
            "server_side_encryption": [{"enabled": True}],
        },
        {"server_side_encryption.kms_key_arn": KEY},
    ),
    (
        "aws_dynamodb_table",
        "loose",
        {
            "name": "loose",
            "billing_mode": "PROVISIONED",
            "read_capacity": 1,
            "write_capacity": 1,
            "hash_key": "pk",
            "attribute": PK,
        },
        {},
    ),
    ("aws_s3_bucket", "private", {"bucket": "files-private"}, {}),
    ("aws_s3_bucket", "public", {"bucket": "files-public"}, {}),
    ("aws_s3_bucket_public_access_block", "private", BLOCKED, {"bucket": BUCKET}),
    (
        "aws_s3_bucket_versioning",
        "private",
        {"versioning_configuration": [{"status": "Enabled"}]},
        {"bucket": BUCKET},
    ),
    (
        "aws_s3_bucket_server_side_encryption_configuration",
        "private",
        {"rule": [{"apply_server_side_encryption_by_default": [{"sse_algorithm": "aws:kms"}]}]},
        {"bucket": BUCKET},
    ),
    ("aws_secretsmanager_secret", "sealed", {"name": "sealed"}, {"kms_key_id": KEY}),
    ("aws_secretsmanager_secret", "default", {"name": "default"}, {}),
    (
        "aws_secretsmanager_secret_version",
        "sealed",
        {"secret_string": "sesame"},
        {"secret_id": "aws_secretsmanager_secret.sealed"},
    ),
    ("aws_apigatewayv2_api", "api", {"name": "api", "protocol_type": "HTTP"}, {}),
    ("aws_apigatewayv2_stage", "live", {"name": "$default", "auto_deploy": True}, {"api_id": API}),
    ("aws_apigatewayv2_route", "open", {"route_key": "GET /", "authorization_type": "NONE"}, {"api_id": API}),
    ("aws_apigatewayv2_route", "closed", {"route_key": "GET /me", "authorization_type": "AWS_IAM"}, {"api_id": API}),
    (
        "aws_cloudwatch_metric_alarm",
        "silent",
        {
            "alarm_name": "silent",
            "comparison_operator": "GreaterThanThreshold",
            "evaluation_periods": 1,
            "metric_name": "Errors",
            "namespace": "AWS/Lambda",
            "period": 60,
            "statistic": "Sum",
            "threshold": 0,
            "actions_enabled": False,
        },
        {},
    ),
    ("aws_ebs_volume", "clear", {"availability_zone": "eu-west-1a", "size": 10, "encrypted": False}, {}),
    (
        "aws_ecr_repository",
        "images",
        {
            "name": "images",
            "image_tag_mutability": "MUTABLE",
            "image_scanning_configuration": [{"scan_on_push": True}],
        },
        {},
    ),
    ("aws_security_group", "open", {"name": "open", "description": "d", "ingress": [SSH]}, {}),
    (
        "cloudflare_dns_record",
        "web",
        {
            "zone_id": "z" * 32,
            "name": "shop.example",
            "type": "A",
            "content": "203.0.113.9",
            "proxied": True,
            "ttl": 1,
        },
        {},
    ),
]


def plan() -> dict[str, Any]:
    """As `terraform show -json` prints it: a reference inside a block is unknown inside the block."""
    heads = [{"address": f"{t}.{n}", "mode": "managed", "type": t, "name": n} for t, n, _, _ in RESOURCES]
    each = list(zip(heads, RESOURCES, strict=True))
    return {
        "format_version": "1.2",
        "terraform_version": "1.9.0",
        "planned_values": {"root_module": {"resources": [{**head, "values": one[2]} for head, one in each]}},
        "resource_changes": [
            {
                **head,
                "change": {
                    "actions": ["create"],
                    "before": None,
                    "after": one[2],
                    "after_unknown": _nested(one[3], lambda _: True),
                },
            }
            for head, one in each
        ],
        "configuration": {
            "root_module": {
                "resources": [
                    {
                        **head,
                        "expressions": _nested(one[3], lambda address: {"references": [f"{address}.arn", address]}),
                    }
                    for head, one in each
                ]
            }
        },
    }


def _nested(references: dict[str, str], leaf: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path, address in references.items():
        block, _, key = path.rpartition(".")
        if block:
            found[block] = [{key: leaf(address)}]
        else:
            found[key] = leaf(address)
    return found
