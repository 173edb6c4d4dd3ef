"""Questions to Stripe about what no event tells: where facts belong, what was sold, which snapshot is the last."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from handlers.adapters.items import Alert
from handlers.adapters.logs import log
from handlers.adapters.store import Store
from handlers.adapters.stripe_read import MissingError, StripeReader
from handlers.core import events, identity, notices
from handlers.core.errors import EventError
from handlers.core.events import Facts
from handlers.core.facts import SessionFact
from handlers.core.nodes import InvoiceNode, Kind, Node, PaymentNode, Ref, SubscriptionNode, unclaimed
from handlers.core.policy import DAY_SECONDS
from handlers.core.reading import Reading
from handlers.core.stripe_objects import line_items
from handlers.entrypoints.recording import Recorded, Recorder, raise_alerts


@dataclass(frozen=True, kw_only=True)
class ClaimLinks:
    """Where a payer can prove who they are: `url` is a page of the app, `keys` give what signs its token."""

    url: str
    days: int
    keys: Callable[[], Sequence[str]]

    def to(self, subject: str, now: int) -> str:
        """The link for one Stripe customer, or one payment without a customer."""
        token = identity.claim_token(subject, self.keys()[0], now + self.days * DAY_SECONDS)
        parts = urlsplit(self.url)
        query = "&".join(part for part in (parts.query, urlencode({"token": token})) if part)
        return urlunsplit(parts._replace(query=query))


class Asking:
    """Asks Stripe and records what it says. Raises VendorError without an answer, AwsError and ConflictError."""

    def __init__(
        self,
        *,
        recorder: Recorder,
        store: Store,
        stripe: StripeReader,
        reading: Reading,
        claims: ClaimLinks | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._recorder = recorder
        self._store = store
        self._stripe = stripe
        self._reading = reading
        self._claims = claims
        self._clock = clock

    def untie(self, subscription: str) -> Recorded:
        """Record how Stripe shows a subscription of which two snapshots of one second disagree."""
        observation = self._recorder.observe(subscription)
        if observation is None:
            return Recorded()
        obj = self._stripe.subscription(subscription)
        facts = events.from_subscription(obj, observation.at, self._reading, observation=observation.number)
        log("info", "asked Stripe", action="untie", subject=subscription, provider="stripe", result="answered")
        return self._recorder.record(facts, at=self._now())

    def priced(self, facts: Facts) -> Facts:
        """`facts` with what the Checkout Session in them sold, where that is no subscription."""
        session = facts.session
        if session is None or session.mode != "payment" or session.items:
            return facts
        return replace(facts, session=replace(session, items=self._sold(session)))

    def resolve(self, ref: Ref) -> list[Recorded]:
        """Ask where `ref` belongs, or what it is; what Stripe cannot tell either goes to a person, once."""
        found = self._unclaimed(ref)
        if found is None:
            return []
        recorded = self._ask(ref, found)
        stored = self._store.read([ref])[ref]
        if stored is not None and unclaimed(stored.node):
            recorded += self._give_up(ref, stored.node)
            self._store.mark_asked(ref, stored.version)
        log("info", "asked Stripe", action="resolve", subject=ref.id, provider="stripe",
            result="unclaimed" if stored is None or unclaimed(stored.node) else "claimed")  # fmt: skip
        return recorded

    def _unclaimed(self, ref: Ref) -> Node | None:
        stored = self._store.read([ref])[ref]
        return stored.node if stored is not None and unclaimed(stored.node) else None

    def _ask(self, ref: Ref, node: Node) -> list[Recorded]:
        """What Stripe says; nothing for what it does not know, or tells in a shape that we cannot read."""
        at = self._now()  # before the question: whatever happens at Stripe from now on is newer than the answer
        try:
            if isinstance(node, SubscriptionNode) and node.tied:
                return [self.untie(ref.id)]
            return [self._recorder.record(facts, at=at) for facts in self._answers(ref, node, at)]
        except (MissingError, EventError) as error:
            log("warning", "Stripe was no help", action="resolve", subject=ref.id, reason=str(error))
        return []

    def _answers(self, ref: Ref, node: Node, at: int) -> Iterable[Facts]:
        sale = node.sale if isinstance(node, PaymentNode | InvoiceNode) else None
        if sale is not None and not sale.items:
            return [events.from_line_items(sale, self._sold(sale))]
        match ref.kind:
            case Kind.PAYMENT if ref.id.startswith("pi_"):
                links = self._stripe.invoice_payments(ref.id)
                return [events.from_invoice_payment(link, at, self._reading) for link in links]
            case Kind.INVOICE:
                return [events.from_invoice(self._stripe.invoice(ref.id), at, self._reading)]
            case Kind.SUBSCRIPTION:
                return [events.from_subscription(self._stripe.subscription(ref.id), at, self._reading)]
        return []

    def _sold(self, session: SessionFact) -> tuple[Any, ...]:
        return line_items({"line_items": self._stripe.line_items(session.id)})

    def _give_up(self, ref: Ref, node: Node) -> list[Recorded]:
        alert = Alert(kind=f"{_question(node)}_{ref.kind.lower()}", subject=ref.id)
        if self._store.first_alert(alert, self._now()):
            raise_alerts((alert,), None)
        subject = _payer(ref, node)
        if subject is None:
            return []
        return [self._recorder.notify(notices.unclaimed(subject, self._now(), self._details(ref, subject)))]

    def _details(self, ref: Ref, subject: str) -> Mapping[str, str]:
        links = {} if self._claims is None else {"claim": self._claims.to(subject, self._now())}
        return {"bought": ref.id, **links}

    def _now(self) -> int:
        return int(self._clock())


def _question(node: Node) -> str:
    """What a person has to find out."""
    if isinstance(node, SubscriptionNode) and node.tied:
        return "tied"
    claimed = isinstance(node, PaymentNode | InvoiceNode) and node.member is not None
    return "unpriced" if claimed else "unclaimed"


def _payer(ref: Ref, node: Node) -> str | None:
    """Who paid for something that is nobody's: the Stripe customer, or the payment where there is none."""
    match node:
        case SubscriptionNode(member=None, customer=customer):
            return customer
        case PaymentNode(member=None) | InvoiceNode(member=None):
            own = ref.id if ref.kind is Kind.PAYMENT and node.grant is not None else None
            return node.customer or own
    return None
