"""How long each function may take, how often at once it reads dead letters, and what follows from it."""

from dataclasses import dataclass

VISIBILITY_FACTOR = 6  # AWS Lambda, "Using Lambda with Amazon SQS": at least six times the function's timeout
DEAD_LETTER_CONCURRENCY = 2  # batches of one dead-letter queue at once: the fewest that Lambda can be limited to


@dataclass(frozen=True)
class Timing:
    """A function's timeout in seconds."""

    timeout_seconds: int

    @property
    def visibility_seconds(self) -> int:
        """How long its queue hides a message that was taken: retries of a throttled call fit in."""
        return VISIBILITY_FACTOR * self.timeout_seconds


WEBHOOK = Timing(10)
APPLY = Timing(5)
MEMBERS = Timing(5)
CLAIMS = Timing(10)  # a person waits for it, and a conflict is worth another try
BRIDGE = Timing(10)
SYNC = Timing(30)
SWEEP = Timing(30)
RECONCILE = Timing(300)  # a run that is cut off goes on where it stopped with the next
UNDELIVERED = Timing(30)
