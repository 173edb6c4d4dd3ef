"""Stripe's test cards by their PaymentMethod ids, and what their banks say and do; a bank account that pays later.

Source: https://docs.stripe.com/testing (cards, declined payments, disputes, refunds, 3D Secure).
"""

import hashlib
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

# How a refund goes: at once; pending and done some time later; done and sent back some time later.
RefundCourse: TypeAlias = Literal["at_once", "pending", "fails_later"]


@dataclass(frozen=True)
class Decline:
    """An issuer's refusal: Stripe's error code, the issuer's decline code, and the message."""

    code: str
    decline_code: str | None
    message: str


@dataclass(frozen=True)
class Complaint:
    """What a cardholder tells the bank about a payment: Stripe's reason, the network's code, and whether the bank only
    inquires, which takes no money."""

    reason: str
    network_reason_code: str
    inquiry: bool = False


@dataclass(frozen=True)
class Card:
    """A test card. `on_charge` is its answer to a payment, `on_attach` to being saved with a customer.

    `authenticates`: the bank wants the cardholder's word for each payment; `complaint`: it disputes each payment.
    """

    brand: str
    last4: str
    on_charge: Decline | None = None
    on_attach: Decline | None = None
    authenticates: bool = False
    complaint: Complaint | None = None
    refunds: RefundCourse = "at_once"

    delayed: ClassVar[bool] = False

    @property
    def fingerprint(self) -> str:
        """The same for every payment method of the same card number."""
        return hashlib.sha256(f"{self.brand} {self.last4} {self.on_charge}".encode()).hexdigest()[:16]


@dataclass(frozen=True)
class BankAccount:
    """A SEPA account: whether a debit succeeds is known days later.

    Source: https://docs.stripe.com/payments/sepa-debit.
    """

    country: str
    bank_code: str
    last4: str

    on_charge: ClassVar[Decline | None] = None
    on_attach: ClassVar[Decline | None] = None
    authenticates: ClassVar[bool] = False
    complaint: ClassVar[Complaint | None] = None
    refunds: ClassVar[RefundCourse] = "at_once"
    delayed: ClassVar[bool] = True

    @property
    def fingerprint(self) -> str:
        """The same for every payment method of the same account."""
        return hashlib.sha256(f"{self.country} {self.bank_code} {self.last4}".encode()).hexdigest()[:16]


Instrument: TypeAlias = Card | BankAccount

GENERIC = Decline("card_declined", "generic_decline", "Your card was declined.")
NO_FUNDS = Decline("card_declined", "insufficient_funds", "Your card has insufficient funds.")
LOST = Decline("card_declined", "lost_card", "Your card was declined.")
EXPIRED = Decline("expired_card", None, "Your card has expired.")
UNAUTHENTICATED = Decline(
    "authentication_required",
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
)
RETURNED = Decline("payment_intent_payment_attempt_failed", None, "The customer's bank returned the debit.")
NO_CARD = Decline("resource_missing", None, "This customer has no attached payment source or default payment method.")

FRAUDULENT = Complaint("fraudulent", "10.4")
NOT_RECEIVED = Complaint("product_not_received", "13.1")
INQUIRY = Complaint("fraudulent", "10", inquiry=True)


def _refused(last4: str, decline: Decline) -> Card:
    return Card("visa", last4, on_charge=decline, on_attach=decline)


CARDS: dict[str, Card] = {
    "pm_card_visa": Card("visa", "4242"),
    "pm_card_visa_debit": Card("visa", "5556"),
    "pm_card_mastercard": Card("mastercard", "4444"),
    "pm_card_amex": Card("amex", "8431"),
    "pm_card_chargeCustomerFail": Card("visa", "0341", on_charge=GENERIC),  # can be saved, then declines
    "pm_card_visa_chargeDeclined": _refused("0002", GENERIC),
    "pm_card_visa_chargeDeclinedInsufficientFunds": _refused("9995", NO_FUNDS),
    "pm_card_visa_chargeDeclinedLostCard": _refused("9987", LOST),
    "pm_card_chargeDeclinedExpiredCard": _refused("0069", EXPIRED),
    "pm_card_authenticationRequired": Card("visa", "3184", authenticates=True),
    "pm_card_createDispute": Card("visa", "0259", complaint=FRAUDULENT),
    "pm_card_createDisputeProductNotReceived": Card("visa", "2685", complaint=NOT_RECEIVED),
    "pm_card_createDisputeInquiry": Card("visa", "1976", complaint=INQUIRY),
    "pm_card_pendingRefund": Card("visa", "7726", refunds="pending"),
    "pm_card_refundFail": Card("visa", "5126", refunds="fails_later"),
}
DEBITED = BankAccount("DE", "37040044", "3000")
