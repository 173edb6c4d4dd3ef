"""Stripe's test cards by their PaymentMethod ids, and what the issuer says to each.

Source: https://docs.stripe.com/testing (cards, declined payments).
"""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Decline:
    """An issuer's refusal: Stripe's error code, the issuer's decline code, and the message."""

    code: str
    decline_code: str | None
    message: str


@dataclass(frozen=True)
class Card:
    """A test card. `on_charge` is its answer to a payment, `on_attach` to being saved with a customer."""

    brand: str
    last4: str
    on_charge: Decline | None = None
    on_attach: Decline | None = None

    @property
    def fingerprint(self) -> str:
        """The same for every payment method of the same card number."""
        return hashlib.sha256(f"{self.brand} {self.last4} {self.on_charge}".encode()).hexdigest()[:16]


GENERIC = Decline("card_declined", "generic_decline", "Your card was declined.")
NO_FUNDS = Decline("card_declined", "insufficient_funds", "Your card has insufficient funds.")
LOST = Decline("card_declined", "lost_card", "Your card was declined.")
EXPIRED = Decline("expired_card", None, "Your card has expired.")
NO_CARD = Decline("resource_missing", None, "This customer has no attached payment source or default payment method.")


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
}
