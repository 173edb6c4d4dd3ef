"""What Stripe holds of everything that was bought, as the facts that its events would have told.

Lists alone, 100 objects a request, so that the effort is known. What happens while they are read comes as events, and
those win: a snapshot is dated with a moment before which Stripe has told of everything, by Stripe's own clock.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from handlers.adapters.stripe_lists import StripeLists
from handlers.core import stripe_objects as read
from handlers.core.reading import Reading
from handlers.operations.errors import StackError
from handlers.operations.purchases import Object, Payer, Purchases, Unreadable

Progress = Callable[[str], None]

SAY_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True)
class History:
    """All payers of a Stripe account."""

    payers: tuple[Payer, ...]
    unreadable: tuple[Unreadable, ...] = ()
    read: Mapping[str, int] = field(default_factory=dict)  # objects, by list
    emails: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # customers by address, for `--match-email`
    nobodys: int = 0  # payments that went back or are disputed and paid for nothing that is a membership


def read_history(lists: StripeLists, reading: Reading, *, live: bool, progress: Progress) -> History:
    """Everything that was bought. Raises VendorError, and StackError where Stripe shows the other mode."""
    collected = Purchases(lists, reading, now=_stripes_clock(lists))
    counts: dict[str, int] = {}
    said = time.monotonic()
    for name, path, query, take in (
        ("refunds", "/v1/refunds", {}, collected.refund),
        ("disputes", "/v1/disputes", {}, collected.dispute),
        ("customers", "/v1/customers", {}, collected.customer),
        ("sessions", "/v1/checkout/sessions", _SESSIONS, collected.session),
        ("payments", "/v1/payment_intents", {"expand[]": "data.latest_charge"}, collected.payment),
        ("invoices", "/v1/invoices", {"expand[]": "data.payments"}, collected.invoice),
        ("subscriptions", "/v1/subscriptions", {"status": "all"}, collected.subscription),
    ):
        counts[name] = 0
        for obj in lists.each(path, query):
            _check_mode(obj, live=live)
            counts[name] += 1
            collected.take(obj, take)
            if time.monotonic() - said > SAY_SECONDS:
                said = time.monotonic()
                progress(f"read {counts[name]} {name}")
        progress(f"read {counts[name]} {name}, all")
    return History(
        payers=tuple(collected.payers()),
        unreadable=tuple(collected.unreadable),
        read=counts,
        emails={email: tuple(sorted(ids)) for email, ids in collected.emails.items()},
        nobodys=len(collected.money),
    )


_SESSIONS = {"status": "complete", "expand[]": "data.line_items"}


def _stripes_clock(lists: StripeLists) -> int:
    """The moment of the newest event, whatever this machine's clock says; 0 where none is kept: nothing is newer."""
    newest = next(lists.each("/v1/events", {"limit": "1"}), {})
    return read.moment(newest, "created") or 0


def _check_mode(obj: Object, *, live: bool) -> None:
    if obj.get("livemode") is (not live):
        shown, wanted = ("live", "test") if not live else ("test", "live")
        raise StackError(
            f"stripe: {obj.get('id')} is of {shown} mode, the stack is of {wanted} mode: nothing was written; set a "
            f"{wanted} key as stripeReadKey"
        )
