"""What is told of one purchase, in as few transactions as may be: facts commute, so several can be told as one."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from handlers.core.events import CustomerFact, Facts
from handlers.core.facts import PaymentFact, join_payments, latest

_SINGLE = ("subscription", "invoice", "session", "claimed")  # of which one transaction takes one


def together(parts: Iterable[Facts]) -> Iterator[Facts]:
    """`parts`, which are all about one purchase, with as many joined as one transaction takes."""
    held: Facts | None = None
    for part in parts:
        if held is None:
            held = part
        elif _clash(held, part):
            yield held
            held = part
        else:
            held = _joined(held, part)
    if held is not None:
        yield held


def _clash(held: Facts, part: Facts) -> bool:
    return any(getattr(held, name) is not None and getattr(part, name) is not None for name in _SINGLE)


def _joined(held: Facts, part: Facts) -> Facts:
    return replace(
        held,
        subscription=held.subscription or part.subscription,
        subscription_id=held.subscription_id or part.subscription_id,
        trial_ending=held.trial_ending or part.trial_ending,
        invoice=held.invoice or part.invoice,
        payments=_payments((*held.payments, *part.payments)),
        claimed=held.claimed or part.claimed,
        session=held.session or part.session,
        customers=_customers((*held.customers, *part.customers)),
        email=latest(held.email, part.email),
        user_hint=held.user_hint or part.user_hint,
    )


def _payments(told: Iterable[PaymentFact]) -> tuple[PaymentFact, ...]:
    joined: dict[str, PaymentFact] = {}
    for fact in told:
        joined[fact.id] = join_payments(joined[fact.id], fact) if fact.id in joined else fact
    return tuple(joined.values())


def _customers(told: Iterable[CustomerFact]) -> tuple[CustomerFact, ...]:
    return tuple(dict.fromkeys(told))
