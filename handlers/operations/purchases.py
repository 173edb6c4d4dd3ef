"""Takes Stripe's lists, object by object, and says what was bought: facts that wait until their purchase is known.

The order of the lists matters for memory alone: what went back comes first, so that of all the payments of years only
those are remembered that something became of. Facts commute.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from handlers.adapters.stripe_lists import StripeLists
from handlers.core import events
from handlers.core import stripe_objects as read
from handlers.core.errors import EventError
from handlers.core.events import Facts
from handlers.core.facts import Outcome, PaymentFact, Stamped
from handlers.core.grants import MAX_FAILURES
from handlers.core.linking import sold_by
from handlers.core.nodes import Kind, Ref
from handlers.core.reading import Reading
from handlers.operations.bundles import together
from handlers.operations.identities import email_key

Object = Mapping[str, Any]

_NEVER_PAID = frozenset({"requires_payment_method", "canceled"})  # a PaymentIntent of a debit that bounced
_OWED = frozenset({"open", "uncollectible"})


@dataclass(frozen=True, kw_only=True)
class Purchase:
    """One thing that was bought: a subscription, or something for one payment; `facts` are one transaction each."""

    ref: Ref
    facts: tuple[Facts, ...]


@dataclass(frozen=True, kw_only=True)
class Payer:
    """A Stripe customer, or a payment without one, and what was bought."""

    id: str
    created: int  # Unix seconds
    purchases: tuple[Purchase, ...]


@dataclass(frozen=True)
class Unreadable:
    """An object that cannot be taken, and why."""

    id: str
    reason: str


class Purchases:
    """Takes the objects of one list after the other; `now` is Stripe's clock before the first, or 0."""

    def __init__(self, lists: StripeLists, reading: Reading, *, now: int) -> None:
        self._lists = lists
        self._reading = reading
        self._now = now
        self._customers: dict[str, Facts] = {}
        self._created: dict[str, int] = {}
        self._bought: dict[Ref, list[Facts]] = {}
        self._sold_for: dict[str, Ref] = {}  # payment -> what a Checkout Session sold for it
        self._single: dict[str, Facts] = {}  # payments that may be purchases by themselves
        self._billed: dict[str, _Billed] = {}
        self.money: dict[str, list[PaymentFact]] = {}  # what went back, by payment, until it is known what was paid
        self.emails: dict[str, set[str]] = {}
        self.unreadable: list[Unreadable] = []

    def take(self, obj: Object, take: Callable[[Object, int], None]) -> None:
        """Hand `obj` on with the moment at which it was made; note it where it cannot be read."""
        try:
            made = read.moment(obj, "created")
            if made is None:
                raise EventError("created must be Unix seconds")
            take(obj, made)
        except EventError as error:
            self.unreadable.append(Unreadable(str(obj.get("id")), str(error)))

    def refund(self, obj: Object, made: int) -> None:
        """Money that went back, or did not in the end."""
        self._went_back(events.from_object(obj, made, self._reading))

    def dispute(self, obj: Object, made: int) -> None:
        """Money that a bank asks back."""
        self._went_back(events.from_object(obj, made, self._reading))

    def customer(self, obj: Object, made: int) -> None:
        """A customer; who bought nothing is nobody's payer."""
        told = events.from_object(obj, self._shown_at(made), self._reading)
        if told is not None:
            (fact,) = told.customers
            self._customers[fact.id] = told
            self._created[fact.id] = made
            if fact.email is not None:
                self.emails.setdefault(email_key(fact.email.value), set()).add(fact.id)

    def session(self, obj: Object, made: int) -> None:
        """What it sold is told where that is no subscription, which says so itself."""
        told = events.from_object(self._with_all_lines(obj), made, self._reading)
        fact = told.session if told else None
        if told is None or fact is None:
            return
        if fact.subscription is not None:
            sold = Ref(Kind.SUBSCRIPTION, fact.subscription)
            self._add(sold, replace(told, session=replace(fact, items=())))
        elif (sold := sold_by(fact)) is not None:
            self._add(sold, told)
            self._sold_for |= {fact.payment: sold} if fact.payment else {}

    def payment(self, obj: Object, made: int) -> None:
        """A PaymentIntent counts for what a session sold for it, or where its metadata says what it was for."""
        id_ = read.text(obj, "id")
        charge = obj.get("latest_charge")
        paid = read.moment(charge, "created") if isinstance(charge, Mapping) else None
        told = events.from_object(obj, paid or made, self._reading)
        sold = self._sold_for.get(id_)
        if sold is not None:
            self._time(sold, paid or made, failed=obj.get("status") in _NEVER_PAID)
            self._add(sold, told)
        elif told is not None and any(fact.user or fact.items for fact in told.payments):
            self._single[id_] = told

    def invoice(self, obj: Object, made: int) -> None:
        """An invoice that was paid, or that is owed after a try."""
        if obj.get("status") == "paid":
            self._paid(self._with_all_payments(obj), made)
        elif obj.get("status") in _OWED and obj.get("attempted") is True:
            moments = obj.get("status_transitions")
            tried = read.moment(moments, "finalized_at") if isinstance(moments, Mapping) else None
            # Another payment may follow the one that failed: it belongs to the invoice once it has paid it.
            self._bill(replace(events.from_invoice(obj, tried or made, self._reading, "failed"), payments=()))

    def subscription(self, obj: Object, made: int) -> None:
        """A subscription as it is now, whatever became of it."""
        shown_at = self._shown_at(max([made, *_own_moments(obj)]))
        self._add(Ref(Kind.SUBSCRIPTION, read.text(obj, "id")), events.from_object(obj, shown_at, self._reading))

    def _paid(self, obj: Object, made: int) -> None:
        told = events.from_invoice(obj, made, self._reading)
        links = sorted({payment.id for payment in told.payments})
        singles = [replace(single, email=None) for id_ in links if (single := self._single.pop(id_, None))]
        back = [money for id_ in links for money in self.money.pop(id_, [])]
        told = next(together([told, Facts(payments=tuple(back))]))
        self._bill(told, *singles, settled=True, back=bool(back))

    def _bill(self, told: Facts, *singles: Facts, settled: bool = False, back: bool = False) -> None:
        """Of a subscription's invoices, those count that decide how it stands, and those whose money went back."""
        fact = told.invoice
        assert fact is not None
        ref = Ref(Kind.INVOICE, fact.id)
        if fact.subscription is not None:
            billed = self._billed.setdefault(fact.subscription, _Billed())
            if billed.decides(settled=settled, amount=fact.amount_paid or 0) or back:
                self._add(Ref(Kind.SUBSCRIPTION, fact.subscription), told)
        elif settled or ref in self._bought:
            self._add(ref, told, *singles)

    def _add(self, ref: Ref, *told: Facts | None) -> None:
        self._bought.setdefault(ref, []).extend(facts for facts in told if facts is not None)

    def payers(self) -> Iterator[Payer]:
        """Who bought what; a payment that no list says was for anything is nobody's purchase."""
        for id_, told in self._single.items():
            self._add(Ref(Kind.PAYMENT, id_), told)
        bought: dict[str, list[Purchase]] = {}
        for ref, parts in self._bought.items():
            if ref.kind is Kind.SUBSCRIPTION and not any(part.subscription for part in parts):
                continue
            back = Facts(payments=tuple(self.money.pop(ref.id, []))) if ref.kind is Kind.PAYMENT else Facts()
            payer = next((part.customer for part in parts if part.customer), None) or ref.id
            known = [self._customers[payer]] if payer in self._customers else []
            named_first = sorted([*parts, back], key=lambda part: part.user_hint is None)
            facts = tuple(together([*known, *named_first]))
            bought.setdefault(payer, []).append(Purchase(ref=ref, facts=facts))
        for payer in sorted(bought):
            purchases = sorted(bought[payer], key=lambda purchase: (purchase.facts[0].user_hint is None, purchase.ref))
            yield Payer(id=payer, created=self._created.get(payer, 0), purchases=tuple(purchases))

    def _went_back(self, told: Facts | None) -> None:
        for fact in told.payments if told else ():
            self.money.setdefault(fact.id, []).append(fact)

    def _shown_at(self, known: int) -> int:
        """When an object that last changed at `known`, or later, was as it is shown; events from then on win."""
        return max(self._now, known) - 1

    def _time(self, sold: Ref, paid_at: int, *, failed: bool) -> None:
        """A session ends when its payment is made; a delayed one may bounce, and the session does not say so."""
        for place, part in enumerate(self._bought[sold]):
            if part.session is not None:
                outcome = Outcome.FAILED if failed and not part.session.paid else part.session.outcome
                ended = replace(part.session, at=paid_at, outcome=outcome)
                email = part.email and Stamped(at=paid_at, value=part.email.value)
                self._bought[sold][place] = replace(part, session=ended, email=email)

    def _with_all_lines(self, obj: Object) -> Object:
        lines = obj.get("line_items")
        if not isinstance(lines, Mapping) or not lines.get("has_more"):
            return obj
        path = f"/v1/checkout/sessions/{read.text(obj, 'id')}/line_items"
        return {**obj, "line_items": {"data": list(self._lists.each(path))}}

    def _with_all_payments(self, obj: Object) -> Object:
        payments = obj.get("payments")
        if not isinstance(payments, Mapping) or not payments.get("has_more"):
            return obj
        linked = list(self._lists.each("/v1/invoice_payments", {"invoice": read.text(obj, "id")}))
        return {**obj, "payments": {"data": linked}}


@dataclass
class _Billed:
    """What of one subscription's invoices, newest first, is known by now: nothing older decides how it stands."""

    settled: bool = False
    paid: bool = False
    failed: int = 0

    def decides(self, *, settled: bool, amount: int) -> bool:
        """Whether the next older invoice says something that the newer do not; it was `settled`, or a try failed."""
        if not settled:
            self.failed += 1
            return not self.settled and self.failed <= MAX_FAILURES
        says = not self.settled or (amount > 0 and not self.paid)
        self.settled = True
        self.paid = self.paid or amount > 0
        return says


def _own_moments(obj: Object) -> Iterable[int]:
    """The moments at which the subscription itself says that it changed."""
    named = [read.moment(obj, name) for name in ("start_date", "canceled_at", "ended_at")]
    begun = [read.moment(line, "current_period_start") for line in read.entries(obj, "items")]
    return [moment for moment in [*named, *begun] if moment is not None]
