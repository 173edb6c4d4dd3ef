"""The sections of a stack's configuration about payments and members: frozen models, each checked where it stands.

Names are camelCase in the configuration and snake_case here. What one section asks of another is in `infra.rules`.
"""

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from infra.section import Section, refused


class Product(Section):
    """A price, by its id or lookup key, and the access level that it buys.

    `days` is how long a one-time payment for it gives access; without it, for ever. Subscriptions have their periods.
    """

    price: str = Field(pattern=r"^[A-Za-z0-9._-]{1,200}$")
    level: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")
    days: int | None = Field(default=None, ge=1, le=36500)


class Policy(Section):
    """When access begins and ends; what each setting does is in Pulumi.yaml."""

    grace_days: int = Field(default=7, ge=0, le=60)
    failed_renewal: Literal["grace_period", "past_due"] = "grace_period"
    refund_full: Literal["revoke", "keep"] = "revoke"
    refund_partial: Literal["keep", "revoke"] = "keep"
    dispute_open: Literal["keep", "revoke"] = "keep"
    dispute_lost: Literal["revoke", "keep"] = "revoke"
    cancel: Literal["period_end", "immediate"] = "period_end"
    cancel_window_days: int = Field(default=0, ge=0, le=60)
    trial: Literal["grant", "deny"] = "grant"
    pause: Literal["by_behavior", "revoke", "keep"] = "by_behavior"


class Identity(Section):
    """How a payment finds its user: what an unsigned reference may do, and where payers claim what they bought."""

    unsigned_reference: Literal["ignore", "add"] = "ignore"
    claim_url: str | None = Field(default=None, max_length=500)
    claim_days: int = Field(default=30, ge=1, le=90)

    @field_validator("claim_url")
    @classmethod
    def _is_a_page_of_the_app(cls, url: str | None) -> str | None:
        if url is not None and (fault := _page_fault(url)):
            raise refused(fault, "Give the app's page alone, such as https://app.tidewriters.example/claim.")
        return url


class Webhook(Section):
    """What Stripe's endpoint answers to what Stripe did not sign."""

    bad_signature: Literal[400, 401, 403] = 400


class EventBridge(Section):
    """Stripe's partner event source, for stacks that take events from EventBridge too; absent: none do.

    Stripe makes the source when an event destination of that kind is made for the AWS account and region
    (Stripe, "Send events to Amazon EventBridge").
    """

    source: str | None = Field(default=None, pattern=r"^aws\.partner/stripe\.com/ed_[A-Za-z0-9_]{1,200}$")

    @property
    def is_of_test_mode(self) -> bool:
        """Whether the source's name says that its events are of test mode."""
        return (self.source or "").startswith("aws.partner/stripe.com/ed_test_")


def _page_fault(url: str) -> str | None:
    """What is wrong with the address of a page to which a token is added."""
    try:
        parts = urlsplit(url)
        plain = parts.scheme == "https" and parts.hostname and not (parts.username or parts.password)
    except ValueError:
        plain = False
    if not plain or not url.isascii() or any(character.isspace() or character in '<>"' for character in url):
        return "a page that takes tokens has an https address without user or password"
    if "?" in url or "#" in url:
        return "the token is added to the address, which has no query or fragment of its own"
    return None
