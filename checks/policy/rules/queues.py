"""Queues: what nobody can work off is kept, told, and never worked off twice at once.

Sources, under docs.aws.amazon.com: lambda/latest/dg/services-sqs-configure.html (six times the timeout, the maximum
concurrency), AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html.
"""

from _judging import NotKnown, Plan, Policy, Resource

QUEUE, MAPPING, FUNCTION, ALARM = (
    "aws_sqs_queue",
    "aws_lambda_event_source_mapping",
    "aws_lambda_function",
    "aws_cloudwatch_metric_alarm",
)
_TIMES = 6
_DEFAULT_VISIBILITY, _DEFAULT_TIMEOUT = 30, 3  # seconds, where nothing is declared
_DEPTH = ("ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage")


class DeadLetters(Policy):
    """Without a dead-letter queue a message that nobody can read comes back until it expires, and is gone."""

    ID = "CKV_LR_7"
    NAME = "A queue has a dead-letter queue"
    TYPES = (QUEUE,)

    def concerns(self, resource: Resource) -> bool:
        """Each queue that is not itself another's dead-letter queue."""
        return not resource.referred_by(QUEUE)

    def judge(self, resource: Resource) -> list[str]:
        """See Policy."""
        return [] if resource.get("redrive_policy") else ["it has no redrive_policy: name a queue for what fails"]


class QueueAlarm(Policy):
    """What lies in a queue that nobody watches is found by a customer."""

    ID = "CKV_LR_8"
    NAME = "A dead-letter queue has an alarm that tells somebody"
    TYPES = (QUEUE,)

    def concerns(self, resource: Resource) -> bool:
        """Those that hold what failed, and those from which nothing is taken away."""
        return bool(resource.referred_by(QUEUE)) or not resource.get("redrive_policy")

    def judge(self, resource: Resource) -> list[str]:
        """See Policy."""
        alarms = [one for one in resource.plan.of_type(ALARM) if _watches(one, resource)]
        if not alarms:
            return [f"no alarm on {' or '.join(_DEPTH)} has it as the dimension QueueName"]
        silent = [
            one.address for one in alarms if not (one.get("alarm_actions") and one.get("actions_enabled") is not False)
        ]
        return [f"{silent[0]} tells nobody: give it alarm_actions"] if len(silent) == len(alarms) else []


class Visibility(Policy):
    """A message that becomes visible while a function still works on it is worked on twice."""

    ID = "CKV_LR_9"
    NAME = "A queue's visibility timeout is six times its function's timeout"
    TYPES = (QUEUE,)

    def concerns(self, resource: Resource) -> bool:
        """Queues that feed a function."""
        return bool(resource.referred_by(MAPPING))

    def judge(self, resource: Resource) -> list[str]:
        """See Policy."""
        visible = int(resource.get("visibility_timeout_seconds") or _DEFAULT_VISIBILITY)
        wrong = []
        for mapping in resource.referred_by(MAPPING):
            function = _function(mapping, resource.plan)
            timeout = int(function.get("timeout") or _DEFAULT_TIMEOUT)
            if visible < _TIMES * timeout:
                least = f"at least {_TIMES * timeout} s, six times the {timeout} s of {function.address}"
                wrong.append(f"visibility_timeout_seconds is {visible}; it must be {least}")
        return wrong


class MaximumConcurrency(Policy):
    """Without it a full queue takes every execution that the account has, the webhook's too."""

    ID = "CKV_LR_10"
    NAME = "An event-source mapping of a queue has a maximum concurrency"
    TYPES = (MAPPING,)

    def concerns(self, resource: Resource) -> bool:
        """Mappings of queues: streams have shards instead."""
        return bool(resource.refers_to(QUEUE)) or ":sqs:" in str(resource.get("event_source_arn"))

    def judge(self, resource: Resource) -> list[str]:
        """See Policy."""
        found = resource.get("scaling_config", "maximum_concurrency")
        return [] if found else ["it has no scaling_config.maximum_concurrency; two is the least that AWS takes"]


def _watches(alarm: Resource, queue: Resource) -> bool:
    if alarm.get("metric_name") not in _DEPTH:
        return False
    named = alarm.get("dimensions", "QueueName")
    return named == queue.get("name") if named and alarm.known("dimensions") else queue.address in alarm.references


def _function(mapping: Resource, plan: Plan) -> Resource:
    """The function of a mapping, by reference or by name; NotKnown where it is none of the plan's."""
    named = str(mapping.get("function_name"))
    for function in plan.of_type(FUNCTION):
        own = str(function.get("function_name"))
        if function.address in mapping.references or named == own or named.endswith(f":{own}"):
            return function
    raise NotKnown(f"the function of {mapping.address} is not in the plan")


for policy in (DeadLetters, QueueAlarm, Visibility, MaximumConcurrency):
    policy()
