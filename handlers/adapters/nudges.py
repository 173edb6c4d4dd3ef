"""Messages to the sync queues: they say where to look, never what to do."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from handlers.adapters.aws import AwsError, Sqs
from handlers.adapters.logs import log

BATCH = 10  # messages of one SendMessageBatch


@dataclass(frozen=True, kw_only=True)
class Nudge:
    """Something may be due at `destination`: the state of `member`, or the notice with the key `notice`."""

    destination: str
    member: str
    notice: str | None = None

    def body(self) -> str:
        """The message: {"member"} or {"member", "notice"}."""
        fields = {"member": self.member, "notice": self.notice}
        return json.dumps({name: value for name, value in fields.items() if value is not None})

    @classmethod
    def parse(cls, destination: str, body: str) -> "Nudge | None":
        """What `body` made of a nudge, or None when the text is of something else."""
        try:
            data = json.loads(body)
        except (ValueError, RecursionError):
            return None
        match data:
            case {"member": str(member), "notice": str(notice)}:
                return cls(destination=destination, member=member, notice=notice)
            case {"member": str(member)}:
                return cls(destination=destination, member=member)
        return None


class Nudges:
    """The sync queues, by destination."""

    def __init__(self, client: Sqs, queue_urls: Mapping[str, str]) -> None:
        self._client = client
        self._queue_urls = queue_urls

    def send(self, nudges: Iterable[Nudge]) -> int:
        """Send what can be sent and return how many were not; those are found again by the sweep."""
        lost = 0
        by_destination: dict[str, list[Nudge]] = {}
        for nudge in nudges:
            by_destination.setdefault(nudge.destination, []).append(nudge)
        for destination, entries in by_destination.items():
            for start in range(0, len(entries), BATCH):
                lost += self._send(destination, entries[start : start + BATCH])
        return lost

    def _send(self, destination: str, nudges: list[Nudge]) -> int:
        messages = [{"Id": str(place), "MessageBody": nudge.body()} for place, nudge in enumerate(nudges)]
        try:
            answer = self._client.send_message_batch(QueueUrl=self._queue_urls[destination], Entries=messages)
        except AwsError as error:
            log("warning", "nudges were not sent", provider=destination, action="nudge", reason=str(error))
            return len(nudges)
        return len(answer.get("Failed", []))
