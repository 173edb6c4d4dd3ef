"""Rules over aggregate reports: whether the next rung of DMARC is safe."""

from collections import Counter
from dataclasses import dataclass

from checks.contract import Contract, Sender
from checks.model import Verdict, judge
from checks.probes.dmarc_reports import ReportFacts, Row, recent

WINDOW_DAYS = 30
DAYS_LEAST = 14  # two weeks, so that each sender's weekly mail was seen twice
MESSAGES_LEAST = 100  # of each sender: below, one message is more than a percent
ALIGNED_LEAST = 0.98
RUNGS = ("none", "quarantine", "reject")


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """What the reports say of one sender's mail."""

    sender: Sender
    messages: int
    aligned: int
    days: int

    @property
    def rate(self) -> float:
        return self.aligned / self.messages if self.messages else 0.0

    def faults(self) -> list[str]:
        """Why the next rung is not safe for this sender."""
        name = f"{self.sender.via} at {self.sender.domain}"
        if self.messages < MESSAGES_LEAST or self.days < DAYS_LEAST:
            seen = f"{self.messages} messages on {self.days} days"
            return [f"{name}: {seen}, at least {MESSAGES_LEAST} on {DAYS_LEAST} needed"]
        return [f"{name}: {self.rate:.1%} aligned, at least {ALIGNED_LEAST:.0%} needed"] if self.too_low else []

    @property
    def too_low(self) -> bool:
        """Whether too much of it would be refused."""
        return self.messages >= MESSAGES_LEAST and self.rate < ALIGNED_LEAST


def next_rung(contract: Contract, facts: ReportFacts) -> Verdict:
    """mail.dmarc-safe: the next rung is safe when each sender's mail aligns in at least 98 % (RFC 9989 section 7).

    Of the last 30 days, at least 100 messages on 14 days of each declared sender, and of all that somebody
    authenticated under our name. A sender's mail is what its selectors signed, or what has its envelope. Too little
    aligned mail warns while nothing is refused for it, and fails once it is.
    """
    rows = list(recent(facts, WINDOW_DAYS))
    seen = [_of(contract, sender, rows) for sender in contract.mail.senders]
    faults = [fault for one in seen for fault in one.faults()] + _strangers(rows)
    said = _climb(contract)
    lost = [fault for one in seen if one.too_low for fault in one.faults()] if _enforced(contract) else []
    return judge(
        f"each sender at least {ALIGNED_LEAST:.0%} aligned, {MESSAGES_LEAST} messages on {DAYS_LEAST} days",
        seen=f"{said}: " + ", ".join(f"{one.sender.via} {one.rate:.1%} of {one.messages}" for one in seen),
        problems=lost,
        warnings=[f"stay where it is: {fault}" for fault in faults],
        evidence=(f"{facts.reports} reports, {len(rows)} rows of the last {WINDOW_DAYS} days", *facts.refused[:20]),
    )


def _of(contract: Contract, sender: Sender, rows: list[Row]) -> _Seen:
    selectors = {
        (key.domain, key.selector) for key in contract.mail.dkim if (key.domain, key.via) == (sender.domain, sender.via)
    }
    alone = [one.via for one in contract.mail.senders if one.envelope == sender.envelope] == [sender.via]
    mine = [row for row in rows if selectors & set(row.named) or (alone and sender.envelope in row.envelopes)]
    return _Seen(
        sender=sender,
        messages=sum(row.count for row in mine),
        aligned=sum(row.count for row in mine if row.aligned),
        days=len({row.day for row in mine}),
    )


def _strangers(rows: list[Row]) -> list[str]:
    """Sources that were authenticated, not as us: forgotten senders. Forgers authenticate as nobody."""
    proven = [row for row in rows if row.aligned or row.signed or row.passed]
    total = sum(row.count for row in proven)
    others: Counter[str] = Counter()
    for row in proven:
        if not row.aligned:
            others[next((domain for domain, _ in row.signed), next(iter(row.passed), row.source))] += row.count
    if not total or sum(others.values()) / total <= 1 - ALIGNED_LEAST:
        return []
    named = ", ".join(f"{name} ({count})" for name, count in others.most_common(5))
    return [f"others send as this domain, and would be refused: {named}"]


def _enforced(contract: Contract) -> bool:
    return any(one.policy != "none" and not one.testing for one in contract.mail.dmarc)


def _climb(contract: Contract) -> str:
    """Which step the reports allow."""
    own = next((one for one in contract.mail.dmarc if one.domain == contract.domain), None)
    if own is None:
        return "no policy is declared"
    if own.testing:
        return f"safe to leave testing at {own.policy}"
    last = RUNGS.index(own.policy) + 1 >= len(RUNGS)
    return f"{own.policy} is the last rung" if last else f"safe to go on to {RUNGS[RUNGS.index(own.policy) + 1]}"
