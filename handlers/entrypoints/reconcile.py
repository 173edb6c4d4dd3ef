"""The reconcile function, some times a day: Stripe against the ledger and the members, members against destinations."""

from typing import Any


def handler(event: object, context: Any) -> dict[str, int]:  # noqa: ARG001
    """Lambda's entry: the schedule's tick, or {"apply": false} for a dry run."""
    return {}
