"""What a journey can do and see: Stripe as the founder's app uses it, and the places where membership shows."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import stripe

from rehearsal.journeys.model import MismatchError, Observed, Person
from rehearsal.lag import LagMeter
from rehearsal.members import Members
from rehearsal.twins.kit import KitTwin
from rehearsal.twins.slack import SlackTwin
from rehearsal.twins.stripe import StripeTwin

DAY = 86_400
PERIOD_DAYS = 7  # of the rehearsal's prices
POLL_SECONDS = 0.05


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """The public endpoint as anybody on the internet reaches it, and the secret that only Stripe and we hold."""

    url: str
    secret: str
    client: httpx.Client

    def post(self, body: bytes, signature: str | None) -> int:
        """The status that the endpoint answers to `body`."""
        headers = {"content-type": "application/json"}
        if signature is not None:
            headers["stripe-signature"] = signature
        return self.client.post(self.url, content=body, headers=headers).status_code


@dataclass
class Visit:
    """One customer at Stripe: the clock that drives its time, and the customer's id."""

    person: Person
    clock: str
    customer: str


@dataclass(kw_only=True)
class World:
    """Everything that a story needs; one World serves all journeys of a rehearsal."""

    stripe: stripe.StripeClient
    twin: StripeTwin
    kit: KitTwin
    slack: SlackTwin
    members: Members
    lags: LagMeter
    webhook: Webhook
    browser: httpx.Client  # the customer's, at Stripe's hosted pages
    prices: Mapping[str, str]  # access level -> price id
    kit_tags: Mapping[str, int]  # label -> tag id at Kit
    policy: Mapping[str, Any]  # the stack's membership policy, which decides how some stories end
    user_id_key: str  # the metadata key that holds the app's user id
    traces: Callable[[Person], list[str]]  # log lines of the functions that are about a person
    drained: Callable[[], bool]  # True when no event waits in the events queue
    patience_seconds: float = 20.0
    _last: dict[str, tuple[str, Observed, Observed]] = field(default_factory=dict)

    # What happens at Stripe

    def arrives(self, person: Person, *, days_ago: float = 0) -> Visit:
        """A customer whose time starts `days_ago`, with a card that works."""
        moment = int(time.time() - days_ago * DAY)
        clock = self.stripe.v1.test_helpers.test_clocks.create({"frozen_time": moment, "name": person.user_id})
        customer = self.stripe.v1.customers.create(
            {"email": person.email, "name": person.name, "test_clock": clock.id, "payment_method": "pm_card_visa",
             "invoice_settings": {"default_payment_method": "pm_card_visa"}}
        )  # fmt: skip
        return Visit(person, clock.id, customer.id)

    def subscribes(self, visit: Visit, level: str | None = None) -> str:
        """Buy membership through Checkout, as the app would sell it; the subscription's id."""
        price = self.prices[level] if level else next(iter(self.prices.values()))
        metadata = self.metadata(visit.person)
        session = self.stripe.v1.checkout.sessions.create(
            {
                "mode": "subscription",
                "customer": visit.customer,
                "line_items": [{"price": price, "quantity": 1}],
                "metadata": metadata,
                "subscription_data": {"metadata": metadata},
                "success_url": "https://example.com/thanks",
            }
        )
        self.pays(session)
        paid = self.stripe.v1.checkout.sessions.retrieve(session.id)
        return _id(paid.subscription)

    def metadata(self, person: Person) -> dict[str, str]:
        """What the app's server writes on what `person` buys."""
        return {self.user_id_key: person.user_id}

    def falls_behind(self, person: Person) -> tuple[Visit, str]:
        """A member of a week whose renewal failed a moment ago as grace goes; the visit and the subscription."""
        failed_days_ago = min(1.0, max(0.1, self.grace_days / 2))
        visit = self.arrives(person, days_ago=PERIOD_DAYS + failed_days_ago)
        subscription = self.subscribes(visit)
        self.card(visit, "pm_card_chargeCustomerFail")
        self.time_passes(visit)
        return visit, subscription

    def pays(self, session: stripe.checkout.Session) -> None:
        """The customer fills in the hosted page."""
        if session.url is None:
            raise ValueError(f"checkout session {session.id} has no page to pay at")
        answer = self.browser.post(session.url, data={"outcome": "paid"})
        if not answer.is_redirect:  # a payment that went through leads on to the success page
            raise ValueError(f"paying checkout session {session.id} was answered {answer.status_code}: {answer.text}")

    def pays_open_invoice(self, subscription: str) -> None:
        """The customer settles the invoice that the renewal left open, with the card of now."""
        retrieved = self.stripe.v1.subscriptions.retrieve(subscription)
        self.stripe.v1.invoices.pay(_id(retrieved.latest_invoice))

    def refunds(self, subscription: str) -> None:
        """The founder gives back all that the subscription's latest invoice took."""
        self.stripe.v1.refunds.create({"payment_intent": self.payment_intent(subscription)})

    def event(self, visit: Visit, kind: str) -> dict[str, Any]:
        """The newest event of one type that is about this customer, as Stripe sent it."""
        about = [event for event in self.twin.events(kind) if event["data"]["object"].get("customer") == visit.customer]
        if not about:
            raise LookupError(f"Stripe made no {kind} for {visit.customer}")
        return about[-1]

    def time_passes(self, visit: Visit, *, days_ago: float = 0) -> None:
        """Stripe's time of this customer goes on until `days_ago`."""
        self.twin.advance(visit.clock, int(time.time() - days_ago * DAY))

    def card(self, visit: Visit, payment_method: str) -> None:
        """The customer's card from now on: one of Stripe's test payment methods."""
        attached = self.stripe.v1.payment_methods.attach(payment_method, {"customer": visit.customer})
        self.stripe.v1.customers.update(visit.customer, {"invoice_settings": {"default_payment_method": attached.id}})
        # Checkout made the card that paid each subscription's own, and that one goes before the customer's.
        for subscription in self.stripe.v1.subscriptions.list({"customer": visit.customer}).auto_paging_iter():
            self.stripe.v1.subscriptions.update(subscription.id, {"default_payment_method": attached.id})

    def payment_intent(self, subscription: str) -> str:
        """The PaymentIntent that paid the subscription's latest invoice."""
        retrieved = self.stripe.v1.subscriptions.retrieve(subscription)
        payments = self.stripe.v1.invoice_payments.list({"invoice": _id(retrieved.latest_invoice)})
        return _id(payments.data[0].payment.payment_intent)

    # What shows afterwards

    def expect(self, person: Person, step: str, *, stable: bool = False, **expected: Any) -> Observed:
        """Wait until everything named in `expected` shows for `person`; raise MismatchError when it does not.

        Keys: `membership` (None, or the fields of the members API that matter), `kit` (labels), `slack` (kinds of
        notices, sorted). With `stable`, every event has been handled before the comparison, so that a state which
        is only not yet wrong does not pass.
        """
        deadline = time.monotonic() + self.patience_seconds
        if "kit" in expected:  # a stack need not have a tag for each label
            expected = {**expected, "kit": sorted(set(expected["kit"]) & set(self.kit_tags))}
        if stable:
            self._settle(person, deadline)
        while True:
            actual = self._observe(person, expected)
            self._last[person.user_id] = (step, expected, actual)
            if actual == expected:
                return actual
            if time.monotonic() > deadline:
                raise MismatchError(step, expected, actual)
            time.sleep(POLL_SECONDS)

    def version(self, person: Person) -> int | None:
        """How often the member was written; None for a member that nobody knows."""
        member = self.members.get(person.user_id)
        return None if member is None else member["version"]

    def notices(self, person: Person) -> list[str]:
        """The kinds of notices that operations got about `person`, sorted."""
        texts = [message.text for message in self.slack.messages() if person.user_id in message.text]
        return sorted(text.split("\n", 1)[0].strip("*").lower().replace(" ", "_") for text in texts)

    def kit_labels(self, person: Person) -> list[str]:
        """The labels that `person` carries at Kit, of those that the stack manages, sorted."""
        label_of = {tag: label for label, tag in self.kit_tags.items()}
        return sorted(label_of[tag] for tag in self.kit.tags_of(person.email) if tag in label_of)

    @property
    def grace_days(self) -> int:
        """How long access outlasts a failed renewal."""
        return int(self.policy["graceDays"])

    def behind(self) -> dict[str, Any]:
        """What shows of a member whose renewal has failed a moment ago."""
        if self.grace_days:
            kit = self.labels("member_active", "payment_failed")
            return {"membership": {"state": "grace_period", "access": True}, "kit": kit}
        return {"membership": {"state": "past_due", "access": False}, "kit": ["payment_failed"]}

    @property
    def first_level(self) -> str:
        """The access level that a journey buys unless it says otherwise."""
        return next(iter(self.prices))

    def labels(self, *labels: str) -> list[str]:
        """`labels` and the one of the first level, as `kit_labels` gives them."""
        return sorted((*labels, f"level:{self.first_level}"))

    def evidence(self, person: Person) -> tuple[str, ...]:
        """What the functions and Stripe's deliveries say about `person`, newest last."""
        return tuple(self.traces(person))

    def last(self, person: Person) -> tuple[str, Observed, Observed]:
        """The last step that was compared for `person`, what was expected and what was seen."""
        return self._last.get(person.user_id, ("(no step was reached)", {}, {}))

    def _settle(self, person: Person, deadline: float) -> None:
        """Wait until every event has been handled, looking all the while: an event's lag ends when it first shows."""
        while not (self.twin.wait_idle(POLL_SECONDS) and self.drained()) and time.monotonic() < deadline:
            self._look(person)

    def _observe(self, person: Person, expected: Observed) -> dict[str, Any]:
        actual: dict[str, Any] = {}
        if "membership" in expected:
            actual["membership"] = self._membership(person, expected["membership"])
        if "kit" in expected:
            actual["kit"] = self.kit_labels(person)
        if "slack" in expected:
            actual["slack"] = self.notices(person)
        if "kit_was_tried" in expected:
            actual["kit_was_tried"] = any(person.email.encode() in call.body for call in self.kit.calls())
        return actual

    def _look(self, person: Person) -> dict[str, Any] | None:
        member = self.members.get(person.user_id)
        if member is not None:
            self.lags.saw(member)
        return member

    def _membership(self, person: Person, wanted: Observed | None) -> dict[str, Any] | None:
        member = self._look(person)
        if member is None:
            return None
        transitions = member["transitions"]
        shown = {
            **member,
            "grants": dict(Counter(grant["state"] for grant in member["grants"])),
            "changed_by": transitions[-1]["event"] if transitions else None,
        }
        return {name: shown.get(name) for name in wanted or ("state", "access")}


def _id(reference: Any) -> str:
    """The id of what Stripe names either by its id or as the whole object."""
    if reference is None:
        raise LookupError("Stripe names no such object yet")
    return reference if isinstance(reference, str) else reference.id
