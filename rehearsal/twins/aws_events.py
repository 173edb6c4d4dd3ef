"""EventBridge inside ministack's process: partners' events reach their bus, and targets let in whom they name.

ministack answers PutPartnerEvents and drops the events, and delivers to queues and functions whatever their policies
say. On AWS a partner's event comes to the bus of the source's name, and what a target's policy does not allow is not
delivered (EventBridge User Guide, "Receiving events from a SaaS partner", "Using resource-based policies").
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from ministack.core import responses
from ministack.services import eventbridge, sqs

from rehearsal.twins import aws_roles

EVENTS_SERVICE = "events.amazonaws.com"

Answer = tuple[int, dict[str, str], bytes]


def apply(calls: aws_roles.RoleCalls) -> None:
    """Patch this process."""
    eventbridge._put_partner_events = put_partner_events  # noqa: SLF001 # ty: ignore[invalid-assignment]
    _ask_before_delivering(calls)


def put_partner_events(request: Mapping[str, Any]) -> Answer:
    """PutPartnerEvents: an event whose source has no bus of its name fails, as one that nobody has taken."""
    results = [_put(entry) for entry in request.get("Entries", [])]
    failed = sum("ErrorCode" in result for result in results)
    return responses.json_response({"FailedEntryCount": failed, "Entries": results})


def _put(entry: Mapping[str, Any]) -> dict[str, Any]:
    source = entry.get("Source", "")
    if source not in eventbridge._event_buses:  # noqa: SLF001 # ministack has no public way to its state
        return {"ErrorCode": "ResourceNotFoundException", "ErrorMessage": f"no event bus takes {source}"}
    arn = f"arn:aws:events:{responses.get_region()}::event-source/{source}"
    sent = {**entry, "EventBusName": source, "Resources": [arn]}
    _, _, body = eventbridge._put_events({"Entries": [sent]}, allow_aws_source=True)  # noqa: SLF001
    return json.loads(body)["Entries"][0]


def _ask_before_delivering(calls: aws_roles.RoleCalls) -> None:
    """A queue's or function's own policy must let the rule in."""
    invoke: Callable[..., None] = eventbridge._invoke_target  # noqa: SLF001

    def asking(target: Mapping[str, Any], event: Any, rule: Mapping[str, Any], *rest: Any) -> None:
        arn = target.get("Arn", "")
        action = "sqs:SendMessage" if ":sqs:" in arn else "lambda:InvokeFunction"
        lets = _lets(arn, rule["Arn"])
        calls.add(aws_roles.RoleCall(EVENTS_SERVICE, action, arn), allowed=lets)
        if lets:
            invoke(target, event, rule, *rest)

    eventbridge._invoke_target = asking  # noqa: SLF001 # ty: ignore[invalid-assignment]


def _lets(arn: str, rule_arn: str) -> bool:
    if ":sqs:" in arn:
        return sqs.queue_policy_allows(arn, EVENTS_SERVICE, rule_arn, responses.get_account_id())
    return aws_roles.policy_lets(arn, EVENTS_SERVICE, rule_arn)
