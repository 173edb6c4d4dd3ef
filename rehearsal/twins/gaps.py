"""What the twins do not show: every known difference from the real thing, a line each, printed in the report."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Gap:
    """One difference; `text` says what a rehearsal therefore does not prove."""

    twin: str
    text: str


_STRIPE = (
    "test clocks also work in live mode, so that live-mode journeys can be driven through time",
    "without a test clock nothing falls due: renewals, trial ends and retries happen only when a clock advances",
    "one API version only, the SDK's; endpoints and requests of other versions are refused",
    "parameters and calls that the twin does not implement are refused, also where Stripe accepts them",
    "card payments only: no 3-D Secure, no delayed methods, no wallets, no payment links, no customer portal",
    "no disputes, coupons, taxes, prorations, item changes, pauses, invoice items or one-off invoices",
    "events that follow later at Stripe are not sent: charge.updated, refund.updated, invoice.upcoming",
    "retries of deliveries are compressed to seconds and a dozen tries; Stripe goes on for three days",
    "retries of payments follow fixed days; Smart Retries choose their own",
    "an invoice is always finalised an hour after its draft; Stripe waits longer while webhooks fail",
    "refunds succeed at once and `refund.customer` is always null",
    "the restricted key may read everything and write nothing; permissions are not told apart",
    "no rate limits, no 409 for requests that wait for a lock, idempotency keys never expire",
    "events are kept for good and listed by when they were made, not for 30 days by `created`",
)

GAPS: tuple[Gap, ...] = (*(Gap("stripe", text) for text in _STRIPE),)
