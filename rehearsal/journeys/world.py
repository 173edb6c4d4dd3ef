"""What a journey can do and see: Stripe as the founder's app uses it, and the places where membership shows."""

import json
import re
import time
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import stripe

from rehearsal.journeys.model import MismatchError, Observed, Person
from rehearsal.journeys.operations import Operations
from rehearsal.journeys.table import Table
from rehearsal.lag import LagMeter
from rehearsal.members import Members
from rehearsal.twins.kit import KitTwin
from rehearsal.twins.slack import SlackTwin
from rehearsal.twins.stripe import StripeTwin

DAY = 86_400
PERIOD_DAYS = 7  # of the rehearsal's prices
POLL_SECONDS = 0.05
ONCE_CENTS = 4900  # what a level costs where it is paid for once
YOUNG_SECONDS = 600  # what reconcile leaves alone, as it may be on its way

_CLAIM_LINK = re.compile(r"^claim: \S+[?;]token=(\S+)$", re.MULTILINE)


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


@dataclass(frozen=True, kw_only=True)
class SoldOnce:
    """A price at Stripe that is paid once, the level that it buys, and for how many days (None: for ever)."""

    price: str
    level: str
    days: int | None


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
    event_types: frozenset[str]  # that the webhook's endpoint is told of
    table: Table
    operations: Operations
    browser: httpx.Client  # the customer's, at Stripe's hosted pages
    prices: Mapping[str, str]  # access level -> price id
    price_names: Mapping[str, str]  # access level -> the same price as the stack's config names it
    once: SoldOnce | None = None  # None where the stack sells nothing that is not subscribed to as well
    kit_tags: Mapping[str, int]  # label -> tag id at Kit
    policy: Mapping[str, Any]  # the stack's membership policy, which decides how some stories end
    sign_reference: Callable[[str], str]  # user id -> what the app's server writes into client_reference_id
    user_id_key: str  # the metadata key that holds the app's user id
    traces: Callable[[Person], list[str]]  # log lines of the functions that are about a person
    drained: Callable[[], bool]  # True when no event waits in the events queue
    price_key: str = "price_id"  # the metadata key that names the price of what is bought once
    unsigned_reference: str = "ignore"  # what the stack lets a client_reference_id do that nobody signed
    claimable: bool = False  # whether the stack makes claim links
    patience_seconds: float = 20.0
    _last: dict[str, tuple[str, Observed, Observed]] = field(default_factory=dict)
    _lost: set[str] = field(default_factory=set)  # events that no delivery tells of
    _posted: set[str] = field(default_factory=set)  # events that were posted by hand, and accepted
    _handled: set[str] = field(default_factory=set)

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
        self._fills_in(session, {"outcome": "paid"})

    def _fills_in(self, session: stripe.checkout.Session, form: Mapping[str, str]) -> None:
        if session.url is None:
            raise ValueError(f"checkout session {session.id} has no page to pay at")
        answer = self.browser.post(session.url, data=dict(form))
        if not answer.is_redirect:  # a payment that went through leads on to the success page
            raise ValueError(f"paying checkout session {session.id} was answered {answer.status_code}: {answer.text}")

    def pays_open_invoice(self, subscription: str) -> None:
        """The customer settles the invoice that the renewal left open, with the card of now."""
        retrieved = self.stripe.v1.subscriptions.retrieve(subscription)
        self.stripe.v1.invoices.pay(_id(retrieved.latest_invoice))

    def refunds(self, subscription: str) -> str:
        """The founder gives back all that the subscription's latest invoice took; the refund's id."""
        return self.refunds_payment(self.payment_intent(subscription))

    def refunds_payment(self, payment_intent: str) -> str:
        """The founder gives back a whole payment; the refund's id."""
        return self.stripe.v1.refunds.create({"payment_intent": payment_intent}).id

    def event(self, visit: Visit, kind: str) -> dict[str, Any]:
        """The newest event of one type that is about this customer, as Stripe sent it."""
        return self.events_about(visit.customer, kind)[-1]

    def events_about(self, subject: str, kind: str) -> list[dict[str, Any]]:
        """The events of one type about an object or a customer, oldest first. LookupError where there is none."""
        about = [event for event in self.twin.events(kind) if _is_about(event, subject)]
        if not about:
            raise LookupError(f"Stripe made no {kind} for {subject}")
        return about

    @contextmanager
    def loses(self, kind: str, subject: str) -> Generator[None]:
        """No delivery tells of what happens in the block, as far as it is of one type and about `subject`."""
        before = len(self.twin.events())
        with self.twin.dropping(kind, subject):
            yield
        lost = [event for event in self.twin.events()[before:] if event["type"] == kind and _is_about(event, subject)]
        self._lost.update(event["id"] for event in lost)

    def tells(self, event: Mapping[str, Any]) -> None:
        """Stripe tells of an event that was lost, now, and until the endpoint has taken it."""
        while not any(attempt.accepted for attempt in self.twin.redeliver(event["id"])):
            time.sleep(POLL_SECONDS)

    def tells_thinly(self, event: Mapping[str, Any]) -> None:
        """Stripe tells of an event's change with a thin event, which only names the object."""
        refused = [attempt for attempt in self.twin.post_thin(event["id"]) if not attempt.accepted]
        if refused:
            told = [attempt.status or attempt.error for attempt in refused]
            raise MismatchError("the thin event is accepted", {"status": [200]}, {"status": told})

    @contextmanager
    def misses(self, *, acknowledged: bool = False) -> Generator[None]:
        """No delivery tells of what happens in the block, to anybody; with `acknowledged`, Stripe believes that it did.

        For journeys that run by themselves.
        """
        self.twin.hold()
        before = len(self.twin.events())
        try:
            yield
            lost = [event["id"] for event in self.twin.events()[before:]]
            for event in lost:
                self.twin.drop(event, acknowledged=acknowledged)
            self._lost.update(lost)
        finally:
            self.twin.release()

    @contextmanager
    def endpoint_disabled(self) -> Generator[None]:
        """Stripe's endpoint is disabled in the block, and never told of what happens, as nobody is with `misses`."""
        before = len(self.twin.events())
        self.stripe.v1.webhook_endpoints.update(self.endpoint, {"disabled": True})
        try:
            yield
        finally:
            self.stripe.v1.webhook_endpoints.update(self.endpoint, {"disabled": False})
        self._lost.update(event["id"] for event in self.twin.events()[before:])

    def reconciles(self) -> None:
        """The time of reconcile comes: what was lost, and not just now, is told after all."""
        self.operations.run_scheduled("reconcile")
        young = time.time() - YOUNG_SECONDS
        self._lost -= {event["id"] for event in self.twin.events() if event["created"] < young}

    @property
    def endpoint(self) -> str:
        """The id of the webhook's endpoint at Stripe."""
        endpoints = self.stripe.v1.webhook_endpoints.list().auto_paging_iter()
        (found,) = [endpoint.id for endpoint in endpoints if endpoint.url == self.webhook.url]
        return found

    def posts(self, event: Mapping[str, Any]) -> int:
        """The status that is answered to an event that Stripe did not send, though signed as if it had."""
        body = json.dumps(event).encode()
        status = self.webhook.post(body, self.twin.sign(body, self.webhook.secret, int(time.time())))
        if httpx.codes.is_success(status):
            self._posted.add(event["id"])
        return status

    def time_passes(self, visit: Visit, *, days_ago: float = 0) -> None:
        """Stripe's time of this customer goes on until `days_ago`."""
        self.twin.advance(visit.clock, int(time.time() - days_ago * DAY))

    def ten_minutes_pass(self, subscription: str) -> None:
        """What was bought has waited long enough for somebody to say whose it is; the sweep's next run sees it."""
        if not self.table.wait_ends("SUBSCRIPTION", subscription):
            waiting = {"waits to be claimed": True}
            raise MismatchError("a purchase of nobody", waiting, {"waits to be claimed": False})

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

    # What else happens at Stripe: bought once, paid late, disputed, refunded, tried, paused

    def buys_listed(self, visit: Visit, once: SoldOnce) -> str:
        """Pay once for a price of the catalogue; nothing but the session's line items names it. The session's id."""
        session = self.stripe.v1.checkout.sessions.create(
            {
                "mode": "payment",
                "customer": visit.customer,
                "line_items": [{"price": once.price, "quantity": 1}],
                "metadata": self.metadata(visit.person),
                "success_url": "https://example.com/thanks",
            }
        )
        self.pays(session)
        return session.id

    def buys_once(self, visit: Visit, level: str | None = None, *, invoiced: bool = False) -> str:
        """Pay once for a level that is sold by subscription too, which metadata names; the Checkout Session's id."""
        session = self._sells_once(visit, level, {"invoice_creation": {"enabled": True}} if invoiced else {})
        self.pays(session)
        return session.id

    def pays_later(self, visit: Visit, level: str | None = None) -> str:
        """Pay once by a debit, whose outcome nobody knows yet; the Checkout Session's id."""
        session = self._sells_once(visit, level, {"payment_method_types": ["card", "sepa_debit"]})
        self._fills_in(session, {"outcome": "processing"})
        return session.id

    def payment_arrives(self, session: str) -> None:
        """The bank pays a debit."""
        self.twin.settle_payment(session, paid=True)

    def payment_fails(self, session: str) -> None:
        """The bank returns a debit."""
        self.twin.settle_payment(session, paid=False)

    def buys_in_app(self, visit: Visit, level: str | None = None) -> str:
        """Pay once in a mobile PaymentSheet, with no Checkout Session; the PaymentIntent's id."""
        intent = self.stripe.v1.payment_intents.create(
            {
                "amount": ONCE_CENTS,
                "currency": "eur",
                "customer": visit.customer,
                "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
                "metadata": self._metadata_of_purchase(visit, level),
            }
        )
        self.stripe.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
        return intent.id

    def buys_without_user(self, person: Person, level: str | None = None, *, reference: str | None = None) -> str:
        """Subscribe without the app's server, as by a payment link: no metadata, no known customer, the real clock.

        `reference` is the client_reference_id, which the payer can type. The new customer's id.
        """
        params: Any = {
            "mode": "subscription",
            "customer_email": person.email,
            "line_items": [{"price": self._price(level), "quantity": 1}],
            "success_url": "https://example.com/thanks",
        }
        if reference is not None:
            params["client_reference_id"] = reference
        session = self.stripe.v1.checkout.sessions.create(params)
        self.pays(session)
        return _id(self.stripe.v1.checkout.sessions.retrieve(session.id).customer)

    def subscription_of(self, customer: str) -> str:
        """The one subscription of a customer."""
        (subscription,) = self.stripe.v1.subscriptions.list({"customer": customer}).data
        return subscription.id

    def period_end(self, subscription: str) -> int:
        """When what was paid for last is over."""
        return self.stripe.v1.subscriptions.retrieve(subscription)["items"].data[0].current_period_end

    def payment_of(self, session: str) -> str:
        """The PaymentIntent of a Checkout Session that sold something once."""
        return _id(self.stripe.v1.checkout.sessions.retrieve(session).payment_intent)

    def refunds_part(self, payment_intent: str, cents: int) -> str:
        """The founder gives back a part of a payment; the refund's id."""
        return self.stripe.v1.refunds.create({"payment_intent": payment_intent, "amount": cents}).id

    def refund_fails(self, refund: str) -> None:
        """The customer's bank sends refunded money back to the founder."""
        self.twin.settle_refund(refund, "failed")

    def disputes(self, payment_intent: str, *, inquiry: bool = False) -> str:
        """The customer tells the bank that a payment was wrong; the bank disputes it, or only asks. Its id."""
        return self.twin.dispute(payment_intent, inquiry=inquiry)

    def dispute_ends(self, dispute: str, *, won: bool) -> None:
        """The founder answers the bank, and the bank decides; an inquiry closes either way."""
        verdict = "winning_evidence" if won else "losing_evidence"
        self.stripe.v1.disputes.update(dispute, {"evidence": {"uncategorized_text": verdict}})

    def starts_trial(
        self,
        visit: Visit,
        level: str | None = None,
        *,
        days: int = PERIOD_DAYS,
        with_card: bool = True,
        then: str = "cancel",
    ) -> str:
        """Try membership for `days`; without a card the trial ends as `then` says: cancel, pause or create_invoice."""
        if not with_card:
            for method in self.stripe.v1.payment_methods.list({"customer": visit.customer}).auto_paging_iter():
                self.stripe.v1.payment_methods.detach(method.id)
        metadata = self.metadata(visit.person)
        trial: Any = {
            "metadata": metadata,
            "trial_period_days": days,
            "trial_settings": {"end_behavior": {"missing_payment_method": then}},
        }
        session = self.stripe.v1.checkout.sessions.create(
            {
                "mode": "subscription",
                "customer": visit.customer,
                "line_items": [{"price": self._price(level), "quantity": 1}],
                "metadata": metadata,
                "subscription_data": trial,
                "payment_method_collection": "always" if with_card else "if_required",
                "success_url": "https://example.com/thanks",
            }
        )
        self.pays(session)
        return _id(self.stripe.v1.checkout.sessions.retrieve(session.id).subscription)

    def pauses(self, subscription: str) -> None:
        """The founder pauses a subscription as a whole: no invoice, no period, until it is resumed."""
        self.stripe.v1.subscriptions.pause(subscription)

    def resumes(self, subscription: str) -> None:
        """A paused subscription goes on in a new cycle, once the customer's card has paid for it."""
        self.stripe.v1.subscriptions.resume(subscription, {"payment_behavior": "resume_on_payment_success"})

    def pauses_collection(
        self, subscription: str, *, behavior: str = "void", resumes_days_ago: float | None = None
    ) -> None:
        """The founder collects no money for a while: its invoices are kept as drafts, marked uncollectible or void."""
        pause: Any = {"behavior": behavior}
        if resumes_days_ago is not None:
            pause["resumes_at"] = int(time.time() - resumes_days_ago * DAY)
        self.stripe.v1.subscriptions.update(subscription, {"pause_collection": pause})

    def resumes_collection(self, subscription: str) -> None:
        """The founder collects money again."""
        self.stripe.v1.subscriptions.update(subscription, {"pause_collection": ""})

    def authenticates(self, subscription: str) -> None:
        """The customer says yes to the bank, which pays the subscription's latest invoice."""
        self.twin.authenticate(self.payment_intent(subscription))

    def deletes_customer(self, visit: Visit) -> None:
        """The founder deletes the customer at Stripe, which ends what they subscribed to."""
        self.stripe.v1.customers.delete(visit.customer)

    def writes_metadata_on_customer(self, visit: Visit, metadata: Mapping[str, str]) -> None:
        """The app's server writes on the customer, such as whose it is; an empty value removes a key."""
        self.stripe.v1.customers.update(visit.customer, {"metadata": dict(metadata)})

    def _sells_once(self, visit: Visit, level: str | None, more: Mapping[str, Any]) -> stripe.checkout.Session:
        metadata = self._metadata_of_purchase(visit, level)
        product = {"name": f"Membership ({level or self.first_level})"}
        params: Any = {
            "mode": "payment",
            "customer": visit.customer,
            "line_items": [
                {"price_data": {"currency": "eur", "unit_amount": ONCE_CENTS, "product_data": product}, "quantity": 1}
            ],
            "metadata": metadata,
            "payment_intent_data": {"metadata": metadata},
            "success_url": "https://example.com/thanks",
        }
        return self.stripe.v1.checkout.sessions.create({**params, **more})

    def _metadata_of_purchase(self, visit: Visit, level: str | None) -> dict[str, str]:
        return {**self.metadata(visit.person), self.price_key: self.price_names[level or self.first_level]}

    def _price(self, level: str | None) -> str:
        return self.prices[level or self.first_level]

    # What shows afterwards

    def expect(self, person: Person, step: str, *, stable: bool = False, **expected: Any) -> Observed:
        """Wait until everything named in `expected` shows for `person`; raise MismatchError when it does not.

        Keys: `membership` (None, or the fields of the members API that matter), `kit` (labels), `slack` (kinds of
        notices, sorted), `notices_about` (the same, by who is named as the member). With `stable`, every event has
        been handled before the comparison, so that a state which is only not yet wrong does not pass.
        """
        deadline = time.monotonic() + self.patience_seconds
        if "kit" in expected:  # a stack need not have a tag for each label
            expected = {**expected, "kit": sorted(set(expected["kit"]) & set(self.kit_tags))}
        if stable:
            self.settle(person, step)
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
        return self.notices_of(person.user_id)

    def notices_of(self, member: str) -> list[str]:
        """The kinds of notices that operations got about a user, or about a customer who is nobody yet, sorted."""
        return sorted(text.split("\n", 1)[0].strip("*").lower().replace(" ", "_") for text in self._texts_about(member))

    def claim_token(self, customer: str) -> str:
        """The token in the link that operations got to send to a payer whom nobody knows."""
        links = [found[1] for text in self._texts_about(customer) if (found := _CLAIM_LINK.search(text))]
        if not links:
            raise LookupError(f"no notice about {customer} has a claim link")
        return links[-1]

    def _texts_about(self, member: str) -> list[str]:
        return [message.text for message in self.slack.messages() if f"\nmember: {member} · " in message.text]

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
        if not self.grace_days:
            return {"membership": {"state": "past_due", "access": False}, "kit": ["payment_failed"]}
        state = self.policy["failedRenewal"]
        active = ["member_active"] if state == "grace_period" else []
        return {
            "membership": {"state": state, "access": True, "reason": "renewal_failed"},
            "kit": self.labels("payment_failed", *active),
        }

    def after_end(self, subscription: str) -> dict[str, Any]:
        """What shows of a member whose only subscription has ended; a stack may let access outlive that."""
        ended = self.stripe.v1.subscriptions.retrieve(subscription).ended_at
        if ended is None:
            raise LookupError(f"{subscription} has not ended")
        window = int(self.policy["cancelWindowDays"]) * DAY
        access = bool(window) and time.time() < ended + window
        return {
            "membership": {"state": "canceled", "access": access, "until": ended + window},
            "kit": self.labels("cancelled") if access else ["cancelled"],
        }

    @property
    def first_level(self) -> str:
        """The access level that a journey buys unless it says otherwise."""
        return next(iter(self.prices))

    def labels(self, *labels: str, level: str | None = None) -> list[str]:
        """`labels` and the one of a level, by default the first, as `kit_labels` gives them."""
        return sorted((*labels, f"level:{level or self.first_level}"))

    def evidence(self, person: Person) -> tuple[str, ...]:
        """What the functions and Stripe's deliveries say about `person`, newest last."""
        return tuple(self.traces(person))

    def last(self, person: Person) -> tuple[str, Observed, Observed]:
        """The last step that was compared for `person`, what was expected and what was seen."""
        return self._last.get(person.user_id, ("(no step was reached)", {}, {}))

    def settle(self, person: Person, step: str) -> None:
        """Wait until every event so far has been handled, and look when some have: a lag ends when it first shows."""
        deadline = time.monotonic() + self.patience_seconds
        told = {event["id"] for event in self.twin.events() if event["type"] in self.event_types} - self._lost
        told |= {attempt.event_id for attempt in self.twin.deliveries() if attempt.accepted} | self._posted
        while waiting := told - self._handled:
            handled = self.table.handled(waiting)
            self._handled |= handled
            if handled:
                self._look(person)
            elif time.monotonic() > deadline:
                raise MismatchError(step, {"events not handled": []}, {"events not handled": sorted(waiting)})
            else:
                time.sleep(POLL_SECONDS)

    def _observe(self, person: Person, expected: Observed) -> dict[str, Any]:
        actual: dict[str, Any] = {}
        if "membership" in expected:
            actual["membership"] = self._membership(person, expected["membership"])
        if "kit" in expected:
            actual["kit"] = self.kit_labels(person)
        if "slack" in expected:
            actual["slack"] = self.notices(person)
        if "notices_about" in expected:
            actual["notices_about"] = {about: self.notices_of(about) for about in expected["notices_about"]}
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


def _is_about(event: Mapping[str, Any], subject: str) -> bool:
    about = event["data"]["object"]
    return subject in (about["id"], about.get("customer"))


def _id(reference: Any) -> str:
    """The id of what Stripe names either by its id or as the whole object."""
    if reference is None:
        raise LookupError("Stripe names no such object yet")
    return reference if isinstance(reference, str) else reference.id
