"""Handlers of the AWS resource types that the declaration uses, one file a service."""

from rehearsal.resources.aws import (
    acm,
    apigateway,
    cloudwatch,
    custom_domains,
    dynamodb,
    event_sources,
    eventbridge,
    functions,
    iam,
    route53,
    s3,
    scheduler,
    secretsmanager,
    sns,
    sqs,
)
from rehearsal.resources.handler import ResourceHandler

HANDLERS: tuple[ResourceHandler, ...] = (
    *acm.HANDLERS,
    *apigateway.HANDLERS,
    *cloudwatch.HANDLERS,
    *custom_domains.HANDLERS,
    *dynamodb.HANDLERS,
    *event_sources.HANDLERS,
    *eventbridge.HANDLERS,
    *functions.HANDLERS,
    *iam.HANDLERS,
    *route53.HANDLERS,
    *s3.HANDLERS,
    *scheduler.HANDLERS,
    *secretsmanager.HANDLERS,
    *sns.HANDLERS,
    *sqs.HANDLERS,
)
