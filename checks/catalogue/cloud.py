"""The checks of AWS: queues, functions, alarms, roles, the API."""

from checks.catalogue.checklist import entries
from checks.commands import aws, curl
from checks.model import Check
from checks.probes import api as api_probes
from checks.probes.aws import access, callers, pipeline, storage, watch
from checks.rules import access as access_rules
from checks.rules import api as api_rules
from checks.rules import aws as aws_rules
from checks.rules import callers as caller_rules


def checks() -> tuple[Check, ...]:
    """Every check of this area."""
    return (*_queues(), *_watching(), *_storage(), *_access(), *_api())


def _queues() -> tuple[Check, ...]:
    return (
        Check(
            entry=entries()["aws.dlq"],
            probe=pipeline.queues,
            rule=aws_rules.dlq,
            fix="give the queue its redrive policy and its dead letters their reader; replay what they hold",
            command=lambda scope: aws(scope, "sqs", "list-queues"),
        ),
        Check(
            entry=entries()["aws.redrive"],
            probe=pipeline.queues,
            rule=aws_rules.redrive,
            fix="set visibility to six times the function's time-out and maxReceiveCount to 5",
            command=lambda scope: aws(scope, "sqs", "list-queues"),
        ),
        Check(
            entry=entries()["aws.age"],
            probe=watch.queue_ages,
            rule=aws_rules.age,
            fix="look at the function's errors and its concurrency: it does not keep up",
            command=lambda scope: aws(scope, "cloudwatch", "describe-alarms"),
            only_live="the local AWS has no queue metrics",
        ),
        Check(
            entry=entries()["aws.logs"],
            probe=pipeline.logs,
            rule=aws_rules.logs,
            fix="declare the log group with a retention between 7 days and what the privacy notice says",
            command=lambda scope: aws(scope, "logs", "describe-log-groups"),
        ),
    )


def _watching() -> tuple[Check, ...]:
    return (
        Check(
            entry=entries()["aws.alarms"],
            probe=watch.alarms,
            rule=aws_rules.alarms,
            fix="declare an alarm with an action for each dead-letter queue, health check and metric of the functions",
            command=lambda scope: aws(scope, "cloudwatch", "describe-alarms"),
        ),
        Check(
            entry=entries()["aws.subscription"],
            probe=watch.subscriptions,
            rule=aws_rules.subscriptions,
            fix="follow the link in the mail that AWS sent to `alertEmail`",
            command=lambda scope: aws(scope, "sns", "list-subscriptions"),
            only_live="nobody receives a rehearsal's mail",
        ),
        Check(
            entry=entries()["aws.health"],
            probe=watch.health_checks,
            rule=aws_rules.health,
            fix="declare a Route 53 health check of type HTTPS on the API's health route",
            command=lambda scope: aws(scope, "route53", "list-health-checks"),
        ),
        Check(
            entry=entries()["aws.health-status"],
            probe=watch.health_status,
            rule=aws_rules.health_status,
            fix="ask the health route from outside; an edge rule may be in the checkers' way",
            command=lambda scope: curl(scope, scope.contract.endpoints.health),
            only_live="no checker of Route 53 can reach a rehearsal",
        ),
    )


def _storage() -> tuple[Check, ...]:
    return (
        Check(
            entry=entries()["aws.table"],
            probe=storage.table,
            rule=aws_rules.table,
            fix="turn on point-in-time recovery and deletion protection",
            command=lambda scope: aws(scope, "dynamodb", "describe-table", "--table-name", scope.contract.table.name),
        ),
        Check(
            entry=entries()["aws.secrets"],
            probe=storage.secrets,
            rule=aws_rules.secrets,
            fix="set the missing value with `pulumi config set --secret` and deploy",
            command=lambda scope: aws(scope, "secretsmanager", "list-secrets"),
        ),
        Check(
            entry=entries()["aws.certificate"],
            probe=storage.certificates,
            rule=aws_rules.certificates,
            fix="the validation record must be in the zone; a CAA record may forbid Amazon",
            command=lambda scope: aws(scope, "acm", "list-certificates"),
        ),
    )


def _access() -> tuple[Check, ...]:
    return (
        Check(
            entry=entries()["aws.roles"],
            probe=access.roles,
            rule=access_rules.roles,
            fix="narrow the statement to the actions and ARNs that the function's purpose needs",
            command=lambda scope: aws(scope, "iam", "list-roles"),
        ),
        Check(
            entry=entries()["aws.callers"],
            probe=callers.callers,
            rule=caller_rules.callers,
            fix="name the route or rule in the permission's source ARN; let the schedule's role call its target alone",
            command=lambda scope: aws(
                scope, "lambda", "get-policy", "--function-name", scope.contract.functions[0].name
            ),
        ),
        Check(
            entry=entries()["sec.env"],
            probe=pipeline.functions,
            rule=access_rules.environment,
            fix="move the value to Secrets Manager, put its ARN into the environment, and replace the exposed value",
            command=lambda scope: aws(scope, "lambda", "list-functions", "--query", "Functions[].FunctionName"),
        ),
    )


def _api() -> tuple[Check, ...]:
    return (
        Check(
            entry=entries()["api.health"],
            probe=api_probes.health,
            rule=api_rules.health,
            fix="follow the request: DNS, edge, custom domain, route, function",
            command=lambda scope: curl(scope, scope.contract.endpoints.health),
        ),
        Check(
            entry=entries()["api.default-endpoint"],
            probe=access.api,
            rule=api_rules.default_endpoint,
            fix="set disable_execute_api_endpoint on the API",
            command=lambda scope: aws(scope, "apigatewayv2", "get-apis"),
        ),
        Check(
            entry=entries()["api.members-auth"],
            probe=api_probes.apps_own,
            rule=api_rules.members_auth,
            fix="set authorization_type AWS_IAM on the route, then look in the API's log who has called it meanwhile",
            command=lambda scope: curl(scope, api_probes.members_url(scope.contract)),
        ),
    )
