"""What travels on the events queue when an event is to be handled once more, though the ledger has it.

Each such run has a name, under which every event is handled once: so a message that comes twice is still one.
"""

import json
from typing import NamedTuple

from handlers.core.errors import EventError

_AGAIN = "launch_ready_again"


class Again(NamedTuple):
    """One event of a run: `body` is what its first message held, see `handlers.core.envelope`."""

    run: str
    body: str


def encode(again: Again) -> str:
    """The message for `again`."""
    return json.dumps({_AGAIN: again._asdict()})


def decode(message: str) -> Again | None:
    """What `encode` put into a message; None for a first message. EventError for a broken one."""
    if not message.startswith(f'{{"{_AGAIN}"'):
        return None
    try:
        fields = json.loads(message)[_AGAIN]
    except ValueError as error:
        raise EventError(f"the message is not JSON: {type(error).__name__}") from None
    match fields:
        case {"run": str(run), "body": str(body)} if run:
            return Again(run=run, body=body)
    raise EventError("the message holds an event of a run without run and body")
