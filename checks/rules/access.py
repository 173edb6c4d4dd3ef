"""Rules over what the functions may do and know: roles and environments."""

import json
import math
import re
from collections import Counter

from checks.contract import Contract, Function
from checks.model import Verdict, judge
from checks.probes.aws.access import RoleFacts, Statement
from checks.probes.aws.pipeline import FunctionFacts
from checks.redaction import holds_secret

LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}  # not CreateLogGroup: what it makes keeps for ever
RECEIVE = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"}
SEND = {"sqs:SendMessage", "sqs:GetQueueUrl"}
READ = {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"}
# Transactions are allowed by the actions that they are made of. Only a destination's delivery, once told, may go.
WRITE = {"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:ConditionCheckItem"}
SECRET = {"secretsmanager:GetSecretValue"}
ALLOWED: dict[str, frozenset[str]] = {
    "webhook": frozenset(LOGS | SEND | SECRET),
    "apply": frozenset(LOGS | RECEIVE | SEND | READ | WRITE | SECRET),
    "sync": frozenset(LOGS | RECEIVE | READ | WRITE | {"dynamodb:DeleteItem"} | SECRET),
    "sweep": frozenset(LOGS | SEND | READ | WRITE | SECRET),
    "members": frozenset(LOGS | READ),
    "claims": frozenset(LOGS | SEND | READ | WRITE | SECRET),
    "bridge": frozenset(LOGS | RECEIVE | SEND),
    "reconcile": frozenset(LOGS | SEND | READ | {"dynamodb:Scan"} | WRITE | SECRET),
    "undelivered": frozenset(LOGS | RECEIVE | SEND | WRITE),
}
_TAKE = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
_CHANGE = {"dynamodb:PutItem", "dynamodb:UpdateItem"}
_RECORD = {"dynamodb:BatchGetItem"} | _CHANGE
# What a function cannot do its work without. Some of it is needed on a bad day only (an event that had to be fetched,
# a fact that nobody claims), so a launch that looks well does not show that it is missing.
NEEDED: dict[str, frozenset[str]] = {
    "webhook": frozenset(LOGS | {"sqs:SendMessage"} | SECRET),
    "apply": frozenset(LOGS | _TAKE | {"sqs:SendMessage"} | _RECORD | SECRET),
    "sync": frozenset(LOGS | _TAKE | {"dynamodb:GetItem"} | _CHANGE | SECRET),
    "sweep": frozenset(LOGS | {"sqs:SendMessage", "dynamodb:Query"} | _RECORD | SECRET),
    "members": frozenset(LOGS | {"dynamodb:GetItem"}),
    "claims": frozenset(LOGS | {"sqs:SendMessage"} | _RECORD | SECRET),
    "bridge": frozenset(LOGS | _TAKE | {"sqs:SendMessage"}),
    "reconcile": frozenset(LOGS | {"sqs:SendMessage", "dynamodb:Scan"} | _RECORD | SECRET),
    "undelivered": frozenset(LOGS | _TAKE | {"sqs:SendMessage"} | _CHANGE),
}
READ_DEAD_LETTERS = ("events", "sync")  # the purposes of the queues whose dead letters `undelivered` takes
# Which queues a function takes from and sends to, by their purpose.
TAKES_FROM = {"apply": "events", "sync": "sync", "bridge": "bridge"}
SENDS_TO = {
    **dict.fromkeys(("webhook", "bridge"), frozenset({"events"})),
    **dict.fromkeys(("apply", "claims", "sweep", "undelivered"), frozenset({"sync"})),
    "reconcile": frozenset({"events", "sync"}),
}
LAMBDA = "lambda.amazonaws.com"
STREAMS = re.compile(r"arn:aws[a-z-]*:logs:[a-z0-9-]+:[0-9]{12}:log-group:[^*]+:(?:log-stream:)?\*\Z")
INDEXES = re.compile(r"arn:aws[a-z-]*:dynamodb:[a-z0-9-]+:[0-9]{12}:table/[^*/]+/index/\*\Z")
SECRET_NAME = re.compile(r"(?:KEY|TOKEN|SECRET|PASSWORD|CREDENTIALS?)\Z")
OPAQUE = re.compile(r"[A-Za-z0-9+/=]{20,}")  # names are split by hyphens, underscores and dots; keys seldom are
# Public names of objects, and of Stripe's event source at EventBridge.
STRIPE_ID = re.compile(r"(?:(?:price|prod|plan|acct|we)_|aws\.partner/stripe\.com/ed_(?:test_)?)[A-Za-z0-9]+\Z")
ENTROPY_BITS = 3.5  # a character: random base64 of 32 characters has about 4.5, an English name under 3.3


def roles(contract: Contract, facts: tuple[RoleFacts, ...]) -> Verdict:
    """aws.roles: each function's role allows what its purpose needs, all of it and on named resources only.

    AWS, "Grant least privilege" (IAM best practices).

    No wildcard action, no inverted statement, no wildcard resource but a log group's streams and a table's indexes.
    Resources are the function's own: its log group, the stack's table, the queues that it takes from and sends to, the
    secret that is for it. Only AWS Lambda may take the role on. Conditions are not judged.
    """
    problems = [] if facts else ["no function is declared"]
    for fact in facts:
        name = fact.function.name
        problems += [f"{name}: {who} may take its role on" for who in fact.trusts if who != LAMBDA]
        if not fact.statements:
            problems.append(f"{name}: its role has no policy")
        else:
            problems += [f"{name}: may not {action}, which its work takes" for action in _lacking(fact)]
            unsent = _unsendable(contract, fact)
            problems += [f"{name}: may not send to {queue}, which its work takes" for queue in unsent]
            unread = _unreadable(contract, fact)
            problems += [f"{name}: may not read the secret {purpose}, which its work takes" for purpose in unread]
        for statement in fact.statements:
            if statement.effect == "Allow":
                problems += [f"{name}: {problem}" for problem in _statement_problems(contract, fact, statement)]
    return judge(
        "only the actions that each function's purpose needs, on named resources",
        seen=f"{len(facts)} roles",
        problems=problems,
        evidence=tuple(
            f"{fact.function.name}: {s.effect} {', '.join(s.actions)} on {', '.join(s.resources)}"
            for fact in facts
            for s in fact.statements
        ),
    )


def environment(_contract: Contract, facts: tuple[FunctionFacts, ...]) -> Verdict:
    """sec.env: the environment of a function holds references, never a secret's value (ASVS 5.0 13.3.1).

    Known shapes of keys fail anywhere; so does an opaque, random-looking value, and any value whose name says that
    it is a key, unless it is an ARN. Values are never part of the finding.
    """
    problems = [] if facts else ["no function is declared"]
    for fact in facts:
        problems += [] if fact.exists else [f"{fact.name} does not exist"]
        problems += [
            f"{fact.name}: {name} holds what looks like a secret"
            for name, value in fact.environment
            if _looks_secret(name, value)
        ]
    return judge(
        "references (ARNs, URLs, names, policies), no secret values",
        seen=f"{sum(len(fact.environment) for fact in facts)} variables in {len(facts)} functions",
        problems=problems,
        evidence=tuple(f"{fact.name}: {', '.join(name for name, _ in fact.environment)}" for fact in facts),
    )


def _lacking(fact: RoleFacts) -> list[str]:
    allowed = [s for s in fact.statements if s.effect == "Allow" and not s.inverted]
    granted = {action for statement in allowed for action in statement.actions}
    return sorted(NEEDED.get(fact.function.purpose, frozenset()) - granted)


def _unsendable(contract: Contract, fact: RoleFacts) -> list[str]:
    """The names of the queues that the function sends to and may not."""
    targets, reached = SENDS_TO.get(fact.function.purpose, frozenset()), _reached(fact, {"sqs:SendMessage"})
    return sorted(queue.name for queue in contract.queues if queue.purpose in targets and queue.arn not in reached)


def _unreadable(contract: Contract, fact: RoleFacts) -> list[str]:
    """The purposes of the secrets that the function cannot do its work without and may not read."""
    readable = _reached(fact, SECRET)
    held = {secret.purpose for secret in contract.secrets if secret.arn in readable}
    return sorted(needed_secrets(contract, fact.function) - held)


def _reached(fact: RoleFacts, actions: set[str]) -> set[str]:
    """The resources on which the role allows any of `actions`."""
    return {
        resource
        for statement in fact.statements
        if statement.effect == "Allow" and actions & set(statement.actions)
        for resource in statement.resources
    }


def needed_secrets(contract: Contract, function: Function) -> frozenset[str]:
    """The purposes of the secrets that the function reads; the sweep signs claim links, where there are any."""
    match function.purpose:
        case "webhook":
            return frozenset({"stripe-signing"})
        case "apply" | "reconcile":
            return frozenset({"stripe-read", "identity"})
        case "claims":
            return frozenset({"identity"})
        case "sweep":
            return frozenset({"stripe-read", "identity"} if contract.claims else {"stripe-read"})
    return frozenset({function.destination} if function.destination else ())


def _statement_problems(contract: Contract, fact: RoleFacts, statement: Statement) -> list[str]:
    allowed = ALLOWED.get(fact.function.purpose, frozenset())
    problems = ["NotAction or NotResource allows what nobody listed"] if statement.inverted else []
    for action in statement.actions:
        if "*" in action or "?" in action:
            problems.append(f"wildcard action {action}")
        elif action not in allowed:
            problems.append(f"{action} is not needed by a {fact.function.purpose} function")
    for resource in statement.resources:
        if _is_wild(resource):
            problems.append(f"wildcard resource {resource}")
        elif not _is_own(contract, fact.function, statement, resource):
            problems.append(f"{', '.join(statement.actions)} on {resource}, which is not its own")
    return problems


def _is_wild(resource: str) -> bool:
    return "*" in resource and not STREAMS.match(resource) and not INDEXES.match(resource)


def _is_own(contract: Contract, function: Function, statement: Statement, resource: str) -> bool:
    service = resource.split(":", 3)[2] if resource.count(":") >= 5 else ""
    if service == "logs":
        return f":log-group:{function.log_group}:" in resource
    if service == "dynamodb":
        return resource == contract.table.arn or resource.startswith(f"{contract.table.arn}/index/")
    if service == "sqs":
        return resource in _queues(contract, function, set(statement.actions))
    return service == "secretsmanager" and resource in _own_secrets(contract, function)


def _queues(contract: Contract, function: Function, actions: set[str]) -> set[str]:
    """The queues that the function's purpose takes from and sends to, as far as `actions` do either."""
    source, targets = TAKES_FROM.get(function.purpose), SENDS_TO.get(function.purpose, frozenset())
    own = {
        queue.arn
        for queue in contract.queues
        if queue.purpose == source and (source == "events" or queue.destination == function.destination)
    }
    if function.purpose == "undelivered":
        own = {queue.dlq for queue in contract.queues if queue.dlq and queue.purpose in READ_DEAD_LETTERS}
    sent = {queue.arn for queue in contract.queues if queue.purpose in targets}
    return (own if actions & RECEIVE else set()) | (sent if actions & SEND else set())


def _own_secrets(contract: Contract, function: Function) -> set[str]:
    wanted = needed_secrets(contract, function)
    return {secret.arn for secret in contract.secrets if secret.purpose in wanted}


def _looks_secret(name: str, value: str) -> bool:
    if holds_secret(value):
        return True
    if value.startswith("arn:") or not value:
        return False
    if SECRET_NAME.search(name):
        return True
    return any(_is_random(text) for text in _texts(value))


def _is_random(text: str) -> bool:
    if STRIPE_ID.match(text) or "://" in text:
        return False
    return any(_entropy(run) >= ENTROPY_BITS for run in OPAQUE.findall(text))


def _texts(value: str) -> list[str]:
    """The single values in an environment variable: those of a JSON document, or itself."""
    try:
        document = json.loads(value)
    except json.JSONDecodeError:
        return [value]
    pending, found = [document], []
    while pending:
        one = pending.pop()
        if isinstance(one, dict):
            pending += one.values()
        elif isinstance(one, list):
            pending += one
        elif isinstance(one, str):
            found.append(one)
    return found


def _entropy(text: str) -> float:
    """Shannon entropy in bits a character."""
    counts = Counter(text)
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values())
