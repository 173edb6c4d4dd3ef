"""What happens at AWS beside events: a schedule's time comes, a secret is stored, instances of a function end."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from rehearsal.twins.aws import AwsTwin
from rehearsal.twins.schedules import Schedules


@dataclass(frozen=True, kw_only=True)
class Operations:
    """The deployed stack from its operator's side. `functions` are names by purpose, as in the contract."""

    aws: AwsTwin
    schedules: Schedules
    functions: Mapping[str, str]
    signing_secret: str  # its ARN

    def run_scheduled(self, purpose: str) -> None:
        """Let the clock call a function now; nobody waits for it. A schedule has the name of its function."""
        self.schedules.fire(self.functions[purpose])

    def end_instances(self, purpose: str) -> None:
        """No instance of a function goes on with what it has read; the next request starts a new one."""
        self.aws.end_workers(self.functions[purpose])

    def store_signing_secret(self, current: str, previous: str) -> None:
        """Hold both of Stripe's signing secrets, as `launch-ready roll stripe-signing` stores them."""
        held = json.dumps({"current": current, "previous": previous})
        self.aws.client("secretsmanager").put_secret_value(SecretId=self.signing_secret, SecretString=held)
