from dataclasses import replace

import pytest

from checks.probes.http import Exchange
from checks.rules import webhook
from tests.checks.exchanges import exchange, passes

ACK = exchange("https://api.tidewriters.example/webhooks/stripe", method="POST")


def answers(*late: float, of: int) -> tuple[Exchange, ...]:
    """So many answers, the first ones after `late` seconds and the others in time."""
    return tuple(replace(ACK, seconds=late[number] if number < len(late) else 0.1) for number in range(of))


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (answers(of=59), None),
        (answers(0.4999, of=59), None),
        (answers(0.5, of=59), "1 of 59 took 500 ms or longer"),
        (answers(0.5, of=93), None),
        (answers(0.5, of=92), "1 of 92 took 500 ms or longer"),
        (answers(0.5, 3.0, of=93), "2 of 93 took 500 ms or longer"),
        (answers(of=58), "only 58 answers were timed"),
        ((*answers(of=58), replace(ACK, status=503)), "-> 503"),
        ((*answers(of=58), replace(ACK, status=400)), "-> 400"),
    ],
)
def test_ack(declared, facts, said):
    assert passes(webhook.ack(declared, facts), said)


def test_ack_goes_by_the_declared_threshold(declared):
    strict = declared.model_copy(update={"thresholds": declared.thresholds.model_copy(update={"ack_p95_ms": 100})})

    assert passes(webhook.ack(strict, answers(of=59)), "59 of 59 took 100 ms or longer")
