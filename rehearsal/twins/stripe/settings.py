"""How the pretended Stripe account is set up, and how hurried its deliveries are."""

from dataclasses import dataclass
from typing import Literal

import stripe

API_VERSION: str = stripe.api_version or ""  # the version that the installed SDK pins


@dataclass(frozen=True, kw_only=True)
class Billing:
    """Stripe's "Manage failed payments": days after the last try of each retry, and what follows the last one.

    Source: https://docs.stripe.com/billing/revenue-recovery/smart-retries (custom retry schedule).
    """

    retry_days: tuple[int, ...] = (3, 5, 7)
    after_retries: Literal["cancel", "unpaid", "past_due"] = "cancel"

    def __post_init__(self) -> None:
        """ValueError for a schedule that Stripe's settings could not hold."""
        if any(days < 1 for days in self.retry_days) or len(self.retry_days) > 8:
            raise ValueError(f"retry_days must be up to 8 numbers of days of at least 1, got {self.retry_days}")


@dataclass(frozen=True, kw_only=True)
class Delivering:
    """Webhook delivery: Stripe retries for three days with exponential back-off, here compressed.

    A retry waits `base_delay` × 2^(failed tries - 1) seconds, at most `longest_delay`. First tries start within
    `spread` seconds of the event, in any order: Stripe promises none.
    """

    base_delay: float = 0.25
    longest_delay: float = 4.0
    max_attempts: int = 12
    spread: float = 0.02
    timeout: float = 15.0
    workers: int = 4

    def __post_init__(self) -> None:
        """ValueError names the limit."""
        for name, least in (("base_delay", 0), ("spread", 0), ("timeout", 0.1), ("max_attempts", 1), ("workers", 1)):
            value = getattr(self, name)
            if value < least:
                raise ValueError(f"{name} must be at least {least}, got {value}")

    def delay(self, failures: int) -> float:
        """Seconds until the next try after `failures` failed ones (at least one)."""
        return min(self.base_delay * 2 ** (failures - 1), self.longest_delay)
