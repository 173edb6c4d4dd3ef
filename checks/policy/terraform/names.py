"""What Terraform calls the types and properties that Pulumi's SDKs for AWS and Cloudflare have.

Pulumi generates these SDKs from the Terraform providers, by rules: `aws:sqs/queue:Queue` is `aws_sqs_queue`, and the
list of blocks `attributes` is the block `attribute`. What the rules do not reach stands in the tables, which hold what
the program uses. Whether rules and tables are right is what tests/checks/policy compares with the providers' own
schemas.
"""

import re

from checks.policy.errors import PolicyError

PROVIDERS = ("aws", "cloudflare")
DYNAMIC = "pulumi-python:dynamic:Resource"

# A dynamic resource's provider is code of the program: Terraform has no type for it but the one for data of any kind.
_TYPES = {
    DYNAMIC: "terraform_data",
    "aws:s3/bucketObjectv2:BucketObjectv2": "aws_s3_object",
    "aws:lb/loadBalancer:LoadBalancer": "aws_lb",
    "aws:alb/loadBalancer:LoadBalancer": "aws_alb",
    "aws:elb/loadBalancer:LoadBalancer": "aws_elb",
    "aws:cloudtrail/trail:Trail": "aws_cloudtrail",
    "aws:rds/instance:Instance": "aws_db_instance",
    "cloudflare:index/record:Record": "cloudflare_dns_record",
}
# Modules of the SDK whose resources do not bear the module's name in Terraform, or bear another one.
_UNNAMED_MODULES = frozenset({"ec2", "elb", "index"})
_MODULES = {
    "apigateway": "api_gateway",
    "cfg": "config",
    "amp": "prometheus",
    "bedrockmodel": "bedrock_model",
    "cloudhsmv2": "cloudhsm_v2",
    "costexplorer": "ce",
    "directconnect": "dx",
    "directoryservice": "directory_service",
    "ec2clientvpn": "ec2_client_vpn",
    "ec2transitgateway": "ec2_transit_gateway",
    "elasticbeanstalk": "elastic_beanstalk",
    "macie": "macie2",
    "mediastore": "media_store",
    "resourceexplorer": "resourceexplorer2",
    "route53recoverycontrol": "route53recoverycontrolconfig",
    "servicediscovery": "service_discovery",
}
_PROPERTIES = {
    ("aws_lambda_function", "name"): "function_name",
    ("aws_lambda_function", "code"): "filename",
    ("aws_lambda_permission", "function"): "function_name",
    ("aws_sns_topic_subscription", "topic"): "topic_arn",
    ("aws_cloudwatch_metric_alarm", "name"): "alarm_name",
    ("cloudflare_zero_trust_access_policy", "includes"): "include",
    ("cloudflare_zero_trust_access_policy", "excludes"): "exclude",
    ("cloudflare_zero_trust_access_policy", "requires"): "require",
    ("cloudflare_authenticated_origin_pulls", "configs"): "config",
}
_PLURAL_BLOCKS = frozenset({"route_settings", "response_parameters", "placement_constraints", "run_command_targets"})


def terraform_type(token: str) -> str:
    """The Terraform type of a Pulumi type token; PolicyError for a provider that is not known."""
    if token in _TYPES:
        return _TYPES[token]
    provider, module, _ = token.split(":")
    if provider not in PROVIDERS:
        known = " and ".join(PROVIDERS)
        raise PolicyError(
            f"no Terraform type is known for {token}: its provider is none of {known}; "
            "add it to the tables in checks/policy/terraform/names.py"
        )
    group, _, leaf = module.partition("/")
    name = snake(leaf or group)
    if group in _UNNAMED_MODULES or not leaf:
        return f"{provider}_{name}"
    return f"{provider}_{_MODULES.get(group, group)}_{name}"


def terraform_property(terraform_type: str, name: str, *, many_blocks: bool) -> str:
    """The attribute or block that a camelCase property is; `many_blocks` says that it is a list of objects."""
    snaked = snake(name)
    listed = _PROPERTIES.get((terraform_type, snaked))
    if listed:
        return listed
    if many_blocks and terraform_type.startswith("aws_") and snaked not in _PLURAL_BLOCKS:
        return _singular(snaked)
    return snaked


def snake(name: str) -> str:
    """CamelCase as snake_case: `rangeKey` is range_key, `enableSNI` is enable_sni."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def _singular(name: str) -> str:
    for ending, instead in (("ies", "y"), ("sses", "ss"), ("xes", "x"), ("ches", "ch"), ("ss", "ss"), ("s", "")):
        if name.endswith(ending):
            return name[: -len(ending)] + instead
    return name
