"""What we ask Stripe: plain GET requests with the restricted read key."""

import json
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from handlers.core.errors import VendorError

if TYPE_CHECKING:
    from handlers.adapters import http

API_VERSION = "2026-10-28.endive"  # the shape that handlers.core.stripe_objects was written for
HTTP_OK, HTTP_FORBIDDEN, HTTP_NOT_FOUND = 200, 403, 404
TIMEOUT_SECONDS = 2.0  # inside apply's 5 s


class MissingError(VendorError):
    """Stripe has no such object, or no longer."""


class ScopeError(VendorError):
    """The key may not read that."""


class StripeReader:
    """Reads objects and lists. `key` is called for each request, as keys are rotated; `timeout` is in seconds."""

    def __init__(
        self, key: Callable[[], str], base_url: str = "https://api.stripe.com", *, timeout: float = TIMEOUT_SECONDS
    ) -> None:
        self._key = key
        self._base_url = base_url.rstrip("/")
        self._timeout = timeout

    @property
    def livemode(self) -> bool | None:
        """The mode of the key, which decides what Stripe shows; None where its prefix does not say.

        https://docs.stripe.com/keys
        """
        mode = self._key().split("_")[1:2]
        return {"live": True, "test": False}.get(mode[0]) if mode else None

    def event(self, id_: str) -> dict[str, Any]:
        """The event `id_`; Stripe keeps events for 30 days. Raises VendorError."""
        return self._get(f"/v1/events/{quote(id_, safe='')}", "read event")

    def subscription(self, id_: str) -> dict[str, Any]:
        """The subscription `id_`. Raises VendorError."""
        return self._get(f"/v1/subscriptions/{quote(id_, safe='')}", "read subscription")

    def invoice(self, id_: str) -> dict[str, Any]:
        """The invoice `id_`. Raises VendorError."""
        return self._get(f"/v1/invoices/{quote(id_, safe='')}", "read invoice")

    def shown(self, path: str) -> dict[str, Any]:
        """The object at `path`, as a thin event names it. Raises VendorError."""
        return self._get(path, "read object")

    def line_items(self, session: str) -> dict[str, Any]:
        """What the Checkout Session `session` sold, as Stripe's list. Raises VendorError.

        https://docs.stripe.com/api/checkout/sessions/line_items
        """
        return self._get(f"/v1/checkout/sessions/{quote(session, safe='')}/line_items?limit=100", "list line items")

    def page(self, path: str, query: Mapping[str, str]) -> dict[str, Any]:
        """One page of the list at `path`, such as /v1/events. Raises VendorError.

        https://docs.stripe.com/api/pagination
        """
        return self._get(f"{path}?{urlencode(query)}", f"list {path}")

    def invoice_payments(self, payment_intent: str) -> list[dict[str, Any]]:
        """The links from a PaymentIntent to the invoices that it paid; none for a one-time payment.

        https://docs.stripe.com/api/invoice-payment/list
        """
        query = urlencode({"payment[type]": "payment_intent", "payment[payment_intent]": payment_intent})
        data = self._get(f"/v1/invoice_payments?{query}", "list invoice payments").get("data")
        return [entry for entry in data if isinstance(entry, dict)] if isinstance(data, list) else []

    def _get(self, path: str, action: str) -> dict[str, Any]:
        from handlers.adapters import http  # few events need a question: most starts of apply go without urllib3

        headers = {"Authorization": f"Bearer {self._key()}", "Stripe-Version": API_VERSION}
        answer = http.request("GET", self._base_url + path, headers=headers, timeout=self._timeout)
        if answer.status == HTTP_NOT_FOUND:
            raise MissingError(f"stripe: {action}: no such object at {path.partition('?')[0]}", permanent=True)
        if answer.status == HTTP_FORBIDDEN:
            raise ScopeError(f"stripe: {action}: HTTP 403: the key lacks {_permission(answer)}", permanent=True)
        if answer.status != HTTP_OK:
            raise http.failure(answer, f"stripe: {action}", detail=_code(answer))
        try:
            data = answer.json()
        except ValueError:
            data = None
        if not isinstance(data, dict):
            raise http.malformed(answer, f"stripe: {action}")
        return data


def _permission(answer: "http.Response") -> str:
    """The permission that Stripe's message names, and nothing else of it."""
    found = re.search(rb"\brak_[a-z_]{1,80}_(?:read|write)\b", answer.body)
    return found.group().decode() if found else "a permission"


def _code(answer: "http.Response") -> str:
    """Stripe's short name of an error; never its message, which can quote the key."""
    try:
        code = json.loads(answer.body)["error"].get("code", "")
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
    return code if isinstance(code, str) else ""
