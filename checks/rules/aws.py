"""Rules over the pipeline's AWS resources."""

from checks.contract import Contract
from checks.model import Verdict, judge
from checks.probes.aws.pipeline import LogFacts, QueueFacts
from checks.probes.aws.storage import TableFacts
from checks.probes.aws.watch import AlarmFacts, HealthFacts

VISIBILITY_TIMES = 6  # AWS Lambda, "Configuring a queue to use with Lambda"
RECEIVES_LEAST = 5  # ibid.
RETENTION_LEAST_DAYS = 7
AGE_MOST_SECONDS = 60
WAITING = "ApproximateNumberOfMessagesVisible"
# What the functions count when a person is needed: parked events, alerts, deliveries given up, lost events.
COUNTED = ("Alert", "EventParked", "ReconcileMissing", "SyncParked")


def dlq(_contract: Contract, facts: tuple[QueueFacts, ...]) -> Verdict:
    """aws.dlq: every queue of the pipeline has a dead-letter queue, and those are empty (AWS Well-Architected, REL).

    Which queues there must be is judged too: one of events, and one for each sync function. A dead-letter queue keeps
    messages no shorter than the queue that it serves, whose time has already run (AWS, SQS dead-letter queues). Those
    of events and of syncs trigger a function, which writes down what was given up and tells somebody.
    """
    problems = _missing_queues(facts)
    names = {fact.name for fact in facts if fact.exists}
    problems += _kept_too_short(facts) + _unread(facts)
    for fact in facts:
        if fact.exists and fact.purpose != "dlq" and fact.dlq_arn is None:
            problems.append(f"{fact.name} has no dead-letter queue")
        elif fact.dlq_arn and fact.dlq_arn.rpartition(":")[2] not in names:
            problems.append(f"{fact.name} fails over to {fact.dlq_arn}, which is not a declared queue")
        if fact.purpose == "dlq" and fact.waiting:
            problems.append(f"{fact.name} holds {fact.waiting} messages")
    return judge(
        "a dead-letter queue on every queue, all empty",
        seen=f"{len(names)} queues",
        problems=problems,
        evidence=tuple(f"{f.name}: dlq {f.dlq_arn or 'none'}, {f.waiting} waiting" for f in facts),
    )


def redrive(contract: Contract, facts: tuple[QueueFacts, ...]) -> Verdict:
    """aws.redrive: visibility at least six times the function's time-out, five receives at least (AWS, SQS and Lambda).

    The time-out is that of the functions which the queue really triggers; a queue that triggers none fails. A function
    that takes several messages at once reports the failed ones, or one failure loses or repeats all (ibid.). All of it
    but the receives holds for dead-letter queues that trigger functions, too.
    """
    problems = _missing_queues(facts)
    for fact in facts:
        if not fact.exists or (fact.purpose == "dlq" and not fact.consumer_timeouts):
            continue
        if not fact.consumer_timeouts:
            problems.append(f"{fact.name} triggers no function")
        problems += [f"{name} cannot give back single messages of {fact.name}" for name in fact.all_or_nothing]
        least = VISIBILITY_TIMES * max(fact.consumer_timeouts, default=0)
        if fact.visibility_seconds < least:
            problems.append(f"{fact.name}: visibility {fact.visibility_seconds} s, at least {least} s")
        if fact.dlq_arn and (fact.max_receive_count or 0) < RECEIVES_LEAST:
            problems.append(f"{fact.name}: maxReceiveCount {fact.max_receive_count}, at least {RECEIVES_LEAST}")
    return judge(
        f"visibility >= {VISIBILITY_TIMES} x time-out, maxReceiveCount >= {RECEIVES_LEAST}",
        seen=f"{len(contract.queues)} queues",
        problems=problems,
        evidence=tuple(f"{f.name}: visibility {f.visibility_seconds} s, receives {f.max_receive_count}" for f in facts),
    )


def logs(_contract: Contract, facts: tuple[LogFacts, ...]) -> Verdict:
    """aws.logs: each function's and the API's log group keeps for 7 days or more, not for ever (handover checklist)."""
    problems = [] if facts else ["no function is declared"]
    for fact in facts:
        if not fact.exists:
            problems.append(f"{fact.group} does not exist: AWS would make one that keeps for ever")
        elif fact.retention_days is None:
            problems.append(f"{fact.group} keeps for ever")
        elif fact.retention_days < RETENTION_LEAST_DAYS:
            problems.append(f"{fact.group} keeps {fact.retention_days} days, at least {RETENTION_LEAST_DAYS}")
    return judge(
        f"at least {RETENTION_LEAST_DAYS} days, not for ever",
        seen=f"{len(facts)} log groups",
        problems=problems,
        evidence=tuple(f"{fact.group}: {fact.retention_days or 'for ever'}" for fact in facts),
    )


def alarms(contract: Contract, facts: tuple[AlarmFacts, ...]) -> Verdict:
    """aws.alarms: every declared alarm exists; each dead-letter queue and health check has one that tells.

    An alarm counts when its actions are enabled and name a target, and it is not in ALARM (Well-Architected, OPS).
    What the functions count when a person is needed has one for this stack. A dead-letter queue's, and these, must fire
    on the first message. The topics of declared alarms have a subscriber; whether
    a person has confirmed the subscription is aws.subscription.
    """
    names = {fact.name for fact in facts}
    problems = [f"{alarm.name} ({alarm.region}) does not exist" for alarm in contract.alarms if alarm.name not in names]
    for queue in contract.queues:
        if queue.purpose == "dlq":
            watching = _watching(facts, WAITING, "QueueName", queue.name)
            problems += _watch_problems(watching, f"dead-letter queue {queue.name}")
            problems += [f"{fact.name} does not fire on the first message" for fact in watching if not _first(fact)]
    for metric in COUNTED:
        watching = _watching(facts, metric, "stack", f"{contract.project}-{contract.stack}")
        problems += _watch_problems(watching, f"metric {metric}")
        problems += [f"{fact.name} does not fire on the first one" for fact in watching if not _first(fact)]
    for check in contract.health_checks:
        watching = _watching(facts, "HealthCheckStatus", "HealthCheckId", check.id)
        problems += _watch_problems(watching, f"health check of {check.host}")
    ours = {alarm.name for alarm in contract.alarms}
    problems += [f"{fact.name} is in ALARM" for fact in facts if fact.name in ours and fact.state == "ALARM"]
    return judge(
        "an alarm with an enabled action on every dead-letter queue, health check and metric that needs a person",
        seen=f"{len(contract.alarms)} alarms",
        problems=problems,
        evidence=tuple(f"{f.name} ({f.region}): {f.namespace} {f.metric}, {f.state}" for f in facts if f.name in ours),
    )


def subscriptions(_contract: Contract, facts: dict[str, tuple[str, ...]]) -> Verdict:
    """aws.subscription: every topic that an alarm notifies has a confirmed subscription (AWS, SNS)."""
    problems = [
        f"{topic.rpartition(':')[2]} tells nobody: no confirmed subscription"
        for topic, arns in facts.items()
        if not any(arn.startswith("arn:") for arn in arns)
    ]
    return judge(
        "a confirmed subscription on each alarm topic",
        seen=f"{len(facts)} topics",
        problems=problems or ([] if facts else ["no alarm notifies a topic"]),
    )


def health(contract: Contract, facts: tuple[HealthFacts, ...]) -> Verdict:
    """aws.health: a Route 53 health check asks the API's health route through the edge, over https.

    What the checkers see at the moment is aws.health-status.
    """
    host = contract.endpoints.health.split("/")[2]
    path = "/" + contract.endpoints.health.split("/", 3)[3]
    problems = [f"health check {fact.id} does not exist" for fact in facts if not fact.exists]
    good = [f for f in facts if f.exists and (f.host, f.path) == (host, path) and f.type.startswith("HTTPS")]
    problems += [] if good else [f"no health check asks https://{host}{path}"]
    return judge(
        f"a health check of https://{host}{path}",
        seen=f"{len(facts)} health checks",
        problems=problems,
        evidence=tuple(f"{fact.id}: {fact.type} {fact.host}{fact.path}" for fact in facts),
    )


def health_status(_contract: Contract, facts: tuple[HealthFacts, ...]) -> Verdict:
    """aws.health-status: most of Route 53's checkers see each health check as healthy (handover checklist).

    18 % is Route 53's own threshold for healthy; more than half is ours.
    """
    said = [f"{fact.host}: {fact.healthy} of {fact.checkers} checkers see it healthy" for fact in facts]
    bad = [line for line, f in zip(said, facts, strict=True) if 2 * (f.healthy or 0) <= (f.checkers or 0)]
    return judge("healthy", seen="; ".join(said), problems=bad or ([] if facts else ["no health check is declared"]))


def table(_contract: Contract, facts: TableFacts) -> Verdict:
    """aws.table: the table has point-in-time recovery and deletion protection (AWS, DynamoDB best practices)."""
    problems = [] if facts.exists else [f"{facts.name} does not exist"]
    if facts.exists and not facts.deletion_protection:
        problems.append("deletion protection is off")
    if facts.exists and not facts.point_in_time_recovery:
        problems.append("point-in-time recovery is off")
    return judge("point-in-time recovery and deletion protection on", seen=facts.name, problems=problems)


def certificates(_contract: Contract, facts: tuple[tuple[str, str], ...]) -> Verdict:
    """aws.certificate: every certificate of the custom domains is issued (AWS Certificate Manager)."""
    problems = [f"{domain} is {status}" for domain, status in facts if status != "ISSUED"]
    return judge(
        "ISSUED",
        seen=f"{len(facts)} certificates",
        problems=problems or ([] if facts else ["no certificate is declared"]),
    )


def secrets(_contract: Contract, facts: tuple[tuple[str, bool], ...]) -> Verdict:
    """aws.secrets: every declared secret exists and has a current value (AWS Secrets Manager). No value is read."""
    problems = [f"{name} has no current value" for name, current in facts if not current]
    return judge(
        "a current value in each secret",
        seen=f"{len(facts)} secrets",
        problems=problems or ([] if facts else ["no secret is declared"]),
    )


def age(_contract: Contract, facts: dict[str, float]) -> Verdict:
    """aws.age: no queue's oldest message is older than 60 s (handover checklist). A queue without data is empty."""
    problems = [f"{name}: oldest message {age:.0f} s" for name, age in facts.items() if age >= AGE_MOST_SECONDS]
    return judge(f"oldest message < {AGE_MOST_SECONDS} s", seen=f"{len(facts)} queues", problems=problems)


def _missing_queues(facts: tuple[QueueFacts, ...]) -> list[str]:
    problems = [f"{fact.name} does not exist" for fact in facts if not fact.exists]
    purposes = {fact.purpose for fact in facts}
    return problems + [
        f"no queue of {purpose} is declared" for purpose in ("events", "sync") if purpose not in purposes
    ]


def _kept_too_short(facts: tuple[QueueFacts, ...]) -> list[str]:
    kept = {fact.name: fact.retention_seconds for fact in facts if fact.exists}
    pairs = [(fact, (fact.dlq_arn or "").rpartition(":")[2]) for fact in facts if fact.exists]
    return [
        f"{dead} keeps messages {kept[dead]} s, {fact.name} {fact.retention_seconds} s"
        for fact, dead in pairs
        if dead in kept and kept[dead] < fact.retention_seconds
    ]


def _unread(facts: tuple[QueueFacts, ...]) -> list[str]:
    """Dead-letter queues of events and syncs that trigger no function; other dead letters are for a person to read."""
    ours = {(fact.dlq_arn or "").rpartition(":")[2] for fact in facts if fact.purpose in ("events", "sync")}
    return [
        f"{fact.name} triggers no function: nobody reads what was given up"
        for fact in facts
        if fact.exists and fact.name in ours and not fact.consumer_timeouts
    ]


def _watching(facts: tuple[AlarmFacts, ...], metric: str, dimension: str, value: str) -> list[AlarmFacts]:
    return [fact for fact in facts if fact.metric == metric and (dimension, value) in fact.dimensions]


def _watch_problems(watching: list[AlarmFacts], what: str) -> list[str]:
    if not watching:
        return [f"no alarm on the {what}"]
    if not any(fact.actions and fact.actions_enabled for fact in watching):
        return [f"the alarm on the {what} tells nobody: no enabled action"]
    if all(fact.listeners == 0 for fact in watching):
        return [f"the alarm on the {what} tells nobody: no subscriber"]
    return []


def _first(fact: AlarmFacts) -> bool:
    """Whether one message is enough."""
    if fact.comparison == "GreaterThanThreshold":
        return fact.threshold < 1
    return fact.comparison == "GreaterThanOrEqualToThreshold" and fact.threshold <= 1
