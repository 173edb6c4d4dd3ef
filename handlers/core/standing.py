"""What one grant amounts to at one moment: its state, whether it gives access and until when, and why."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from handlers.core.facts import Dispute, DisputeStatus, Refunded, SubscriptionFact
from handlers.core.grants import Grant, InvoiceMark, Purchase
from handlers.core.policy import DAY_SECONDS, Policy

# How long a renewal that nobody told us of is waited for: Stripe delivers events for three days.
RENEWAL_NEWS_SECONDS = 3 * DAY_SECONDS


class State(StrEnum):
    """The states of a grant and, as the best one, of a member; best first."""

    ACTIVE = "active"
    TRIALING = "trialing"
    GRACE_PERIOD = "grace_period"
    PENDING = "pending"
    PAST_DUE = "past_due"
    UNPAID = "unpaid"
    PAUSED = "paused"
    REFUNDED = "refunded"
    CANCELED = "canceled"
    LEAD = "lead"  # a member without a grant that opens anything


# Reasons that destinations are told of.
TRIAL_OVER = frozenset({"trial_ended", "trial_ended_without_payment_method"})
DISPUTED = frozenset({"dispute_lost", "dispute_open"})


@dataclass(frozen=True, kw_only=True)
class Standing:
    """State, access, its end and why, before the price is looked at.

    `until` is when access ends or ended (Unix seconds), None where no end is known.
    """

    state: State
    until: int | None
    reason: str
    access: bool = False
    needs_support: bool = False


def standing(grant: Grant, policy: Policy, now: int) -> Standing | None:
    """The standing of `grant` at `now` (Unix seconds); None while the subscription itself has not been seen."""
    if grant.purchase is not None:
        return _of_purchase(grant, grant.purchase, policy, now)
    if grant.subscription is not None:
        return _of_subscription(grant, grant.subscription, policy, now)
    return None


def moments(grant: Grant, policy: Policy) -> Iterable[int]:
    """Every moment at which time alone can change what `grant` amounts to."""
    if grant.purchase is not None:
        end = _term_end(grant.purchase, policy)
        if end is not None:
            yield end
    fact = grant.subscription
    if fact is None:
        return
    if fact.final:
        yield _ended(fact) + policy.cancel_window_seconds
    if fact.cancel_at is not None:
        yield fact.cancel_at
        yield fact.cancel_at + policy.cancel_window_seconds
    if fact.canceled_at is not None:
        yield fact.canceled_at + policy.cancel_window_seconds
    if fact.resumes_at is not None:
        yield fact.resumes_at
    if fact.period_end is not None:
        yield fact.period_end + _patience(policy)
    failing = _failing(grant, fact)
    if failing is not None:
        yield failing.at + policy.grace_seconds


def _of_purchase(grant: Grant, purchase: Purchase, policy: Policy, now: int) -> Standing:
    """Paid once: money that went back decides first, then whether it was paid, then the price's term."""
    disputed = _disputed(grant, purchase.paid_at)
    taken = _taken(disputed, policy) or _refunded(purchase.refunded, purchase.amount, policy)
    support = _dispute_open(grant)
    if taken is not None:
        return _flagged(taken, support)
    if purchase.paid_at is None:
        return _flagged(_unpaid(purchase), support)
    end = _term_end(purchase, policy)
    if end is not None and now >= end:
        return Standing(state=State.CANCELED, until=end, reason="term_over", needs_support=support)
    return Standing(state=State.ACTIVE, until=end, reason="paid_once", access=True, needs_support=support)


def _unpaid(purchase: Purchase) -> Standing:
    if purchase.failed_at is not None:
        return Standing(state=State.CANCELED, until=purchase.failed_at, reason="payment_failed")
    return Standing(state=State.PENDING, until=None, reason="payment_pending")


def _term_end(purchase: Purchase, policy: Policy) -> int | None:
    """When what was paid for once ends: the longest term among the prices; None for ever, or while it is not paid."""
    terms = [policy.term_seconds(item) for item in purchase.items if policy.level(item) is not None]
    lasting = [term for term in terms if term is not None]
    if purchase.paid_at is None or not lasting or len(lasting) < len(terms):
        return None
    return purchase.paid_at + max(lasting)


def _of_subscription(grant: Grant, fact: SubscriptionFact, policy: Policy, now: int) -> Standing:
    """Money that went back decides first, then Stripe's status: all eight of them."""
    support = _dispute_open(grant)
    disputed = _disputed(grant, grant.paid.at if grant.paid else None)
    paid = grant.paid
    taken = _taken(disputed, policy) or (_refunded(paid.refunded, paid.amount, policy) if paid else None)
    if taken is not None:
        # Stripe goes on billing for what we no longer give: a person has to decide.
        billed = fact.status in {"active", "trialing", "past_due"} and fact.cancel_at is None
        return _flagged(taken, support or billed)
    return _flagged(_by_status(grant, fact, policy, now), support)


def _disputed(grant: Grant, paid_at: int | None) -> Dispute | None:
    """The newest dispute that money has moved for, unless somebody has paid since it was opened."""
    moved = [told for told in grant.disputes.values() if told.status >= DisputeStatus.OPEN]
    if not moved:
        return None
    newest = max(moved, key=lambda told: (told.created, told.status, told.at))
    return None if paid_at is not None and paid_at > newest.created else newest


def _taken(dispute: Dispute | None, policy: Policy) -> Standing | None:
    """The standing of a grant whose money the payer's bank has taken back, where policy minds."""
    if dispute is None:
        return None
    if dispute.status == DisputeStatus.LOST and policy.dispute_lost == "revoke":
        return Standing(state=State.REFUNDED, until=dispute.at, reason="dispute_lost")
    if dispute.status == DisputeStatus.OPEN and policy.dispute_open == "revoke":
        return Standing(state=State.REFUNDED, until=dispute.created, reason="dispute_open")
    return None


def _dispute_open(grant: Grant) -> bool:
    """Whether somebody has to answer a bank."""
    return any(told.status in {DisputeStatus.INQUIRY, DisputeStatus.OPEN} for told in grant.disputes.values())


def _refunded(refunded: Refunded | None, paid: int | None, policy: Policy) -> Standing | None:
    """The standing of a grant whose newest payment went back, where policy takes access away for that."""
    if refunded is None:
        return None
    full = paid is not None and refunded.amount >= paid
    if (policy.refund_full if full else policy.refund_partial) == "keep":
        return None
    reason = "refunded_in_full" if full else "refunded_in_part"
    return Standing(state=State.REFUNDED, until=refunded.at, reason=reason)


def _by_status(grant: Grant, fact: SubscriptionFact, policy: Policy, now: int) -> Standing:
    match fact.status:
        case "canceled":
            reason = "trial_ended" if _unpaid_trial(grant, fact) else "subscription_canceled"
            return _over(_ended(fact), reason, policy, now)
        case "incomplete_expired":
            return Standing(state=State.CANCELED, until=_ended(fact), reason="first_payment_never_made")
        case "incomplete":
            return Standing(state=State.PENDING, until=None, reason="first_payment_pending")
        case "unpaid":
            return Standing(state=State.UNPAID, until=fact.at, reason="renewal_never_paid")
        case "paused":
            return Standing(state=State.PAUSED, until=fact.at, reason=_why_paused(fact))
        case "past_due" | "active" | "trialing":
            return _running(grant, fact, policy, now)
    # A status that Stripe adds later opens nothing until this table names it.
    return Standing(state=State.PENDING, until=None, reason="status_unknown", needs_support=True)


def _why_paused(fact: SubscriptionFact) -> str:
    """Before 2026-09-30, a trial that ended without a payment method was the only way to be paused."""
    if fact.paused_for in {None, "trial_end_without_payment_method"}:
        return "trial_ended_without_payment_method"
    return "pause_requested" if fact.paused_for == "pause_requested" else "payment_failed"


def _over(end: int, reason: str, policy: Policy, now: int) -> Standing:
    """Canceled at `end`; a stack may let access outlive that for some days."""
    until = end + policy.cancel_window_seconds
    return Standing(state=State.CANCELED, until=until, reason=reason, access=end < until and now < until)


def _unpaid_trial(grant: Grant, fact: SubscriptionFact) -> bool:
    """Whether it ended with its trial, and nobody ever paid."""
    end = fact.trial_end
    return end is not None and grant.paid is None and end <= _ended(fact) <= end + DAY_SECONDS


def _running(grant: Grant, fact: SubscriptionFact, policy: Policy, now: int) -> Standing:
    """A subscription that Stripe still bills."""
    if fact.status == "trialing" and policy.trial == "deny":
        return Standing(state=State.PENDING, until=None, reason="trial_gives_nothing")
    if policy.cancel == "immediate" and fact.canceled_at is not None:
        return _over(fact.canceled_at, "cancellation_requested", policy, now)
    if fact.cancel_at is not None and fact.cancel_at <= now:
        return _over(fact.cancel_at, "cancellation_took_effect", policy, now)
    if _collection_paused(fact, policy, now):
        return Standing(state=State.PAUSED, until=fact.at, reason="collection_paused")
    failing = _failing(grant, fact)
    if failing is not None:
        return _lapsed(failing, policy, now)
    return _in_good_standing(fact, policy, now)


def _collection_paused(fact: SubscriptionFact, policy: Policy, now: int) -> bool:
    """Whether the founder gives nothing while no payment is collected.

    Of pause_collection's behaviors, "void" is Stripe's word for a service that is not provided; the others are for one
    that goes on for free, or is paid for later. https://docs.stripe.com/billing/subscriptions/pause-payment
    """
    if fact.pause is None or (fact.resumes_at is not None and fact.resumes_at <= now):
        return False
    return policy.pause == "revoke" or (policy.pause == "by_behavior" and fact.pause == "void")


def _failing(grant: Grant, fact: SubscriptionFact) -> InvoiceMark | None:
    """The first of the failures that are still owed; None when nothing is.

    The two events that tell of a failure (of the invoice, of the subscription) come in any order, and so do the two
    that tell of a recovery: the newer news counts. An upgrade that could not be paid takes nothing away. Grace is
    given once: the next invoice that fails does not start it again.
    """
    if fact.status not in {"past_due", "active", "trialing"}:
        return None
    if fact.status == "past_due":
        owed = tuple(mark for mark in grant.owed if mark.renewal or mark.id == fact.latest_invoice)
    else:
        owed = tuple(mark for mark in grant.owed if mark.renewal and mark.at >= fact.at)
    if owed:
        return min(owed, key=lambda mark: (mark.at, mark.order))
    return _lapse(grant, fact) if fact.status == "past_due" else None


def _lapse(grant: Grant, fact: SubscriptionFact) -> InvoiceMark | None:
    """The failure that only the subscription's status tells of, unless its invoice was settled since."""
    settled = grant.settled
    if settled is not None and settled.id == fact.latest_invoice and settled.at >= fact.at:
        return None
    first_seen = grant.past_due
    seen = first_seen.at if first_seen and first_seen.period_end == (fact.period_end or 0) else fact.at
    return InvoiceMark(created=seen, id=fact.latest_invoice or "", at=seen)


def _lapsed(failing: InvoiceMark, policy: Policy, now: int) -> Standing:
    end = failing.at + policy.grace_seconds
    if now >= end:
        return Standing(state=State.PAST_DUE, until=end, reason="grace_period_over")
    reason = "renewal_needs_action" if failing.action else "renewal_failed"
    return Standing(state=State(policy.failed_renewal), until=end, reason=reason, access=True)


def _in_good_standing(fact: SubscriptionFact, policy: Policy, now: int) -> Standing:
    state = State.TRIALING if fact.status == "trialing" else State.ACTIVE
    if fact.cancel_at is not None:
        return Standing(state=state, until=fact.cancel_at, reason="cancels_at_period_end", access=True)
    end = fact.period_end
    if end is None or now < end:
        reason = "trial" if state is State.TRIALING else "paid"
        return Standing(state=state, until=end, reason=reason, access=True)
    last = end + _patience(policy)
    if now < last:  # Stripe renews on the second, its news may take longer
        return Standing(state=state, until=last, reason="renewal_expected", access=True)
    return Standing(state=State.PAST_DUE, until=last, reason="renewal_not_seen", needs_support=True)


def _patience(policy: Policy) -> int:
    return max(policy.grace_seconds, RENEWAL_NEWS_SECONDS)


def _ended(fact: SubscriptionFact) -> int:
    return fact.ended_at or fact.canceled_at or fact.at


def _flagged(told: Standing, needs_support: bool) -> Standing:
    return told if not needs_support or told.needs_support else replace(told, needs_support=True)
