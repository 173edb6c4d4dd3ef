"""The oracle: whose each grant is and how it stands, by rules written down twice.

A sequential model in the words of the policy's documentation. It sees all events at once, has no joins, no summaries
and no stored state, and shares no code with the pipeline's core.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Any

from tests.handlers.histories import records
from tests.handlers.histories.records import Object, Records, Told

DAY = 86_400
NEVER = 1 << 62  # later than every moment

DEFAULTS: Mapping[str, Any] = {
    "grace_days": 7,
    "failed_renewal": "grace_period",
    "refund_full": "revoke",
    "refund_partial": "keep",
    "dispute_open": "keep",
    "dispute_lost": "revoke",
    "cancel": "period_end",
    "cancel_window_days": 0,
    "trial": "grant",
    "pause": "by_behavior",
    "user_id_key": "user_id",
    "price_key": "price_id",
    "unsigned_reference": "ignore",
}
PATIENCE = 3 * DAY  # as long as Stripe goes on delivering an event
FINAL = ("canceled", "incomplete_expired")
BILLING = ("active", "trialing", "past_due")
FURTHER_ALONG = ("incomplete", "trialing", "active", "past_due", "unpaid", "paused")
IN_ONE_SECOND = {"created": 0, "deleted": 2}  # everything else is between
BEST_FIRST = (
    "active",
    "trialing",
    "grace_period",
    "pending",
    "past_due",
    "unpaid",
    "paused",
    "refunded",
    "canceled",
)
WORST_LAST = ("won", "open", "lost")
OUTCOMES = ("expired", "completed", "async_payment_failed", "async_payment_succeeded")

Policy = Mapping[str, Any]
View = dict[str, Any]
Answer = dict[str | None, Any]
Stamped = tuple[int, str]  # when, what


def answer(
    events: Iterable[Mapping[str, Any]], policy: Policy, now: int, signed: Mapping[str, str] | None = None
) -> Answer:
    """Each user's membership at `now`; under None what belongs to nobody yet, by customer.

    `signed` are the client_reference_ids that the app signed, and whom they name.
    """
    return of(events, policy, signed).answer(now)


def of(events: Iterable[Mapping[str, Any]], policy: Policy, signed: Mapping[str, str] | None = None) -> "Oracle":
    """The oracle for a history, to be asked at several moments."""
    return Oracle(records.file(events), {**DEFAULTS, **policy}, signed or {})


@dataclass
class Payment:
    """Money for one grant: an invoice's, or that of a one-time payment."""

    id: str  # the invoice's, or the grant's
    paid_at: int
    amount: int
    created: int
    payments: list[str]


@dataclass
class Bought:
    """What the grant is made of, before anybody asks how it stands."""

    id: str
    kind: str
    customer: str | None = None
    snapshot: Told | None = None  # of a subscription
    unseen: bool = False  # a subscription of which only others told: no grant yet
    own_users: list[str] = field(default_factory=list)  # the object's own, then the session's, then the signed one
    unsigned: str | None = None
    money: list[Payment] = field(default_factory=list)
    on_its_way: list[Payment] = field(default_factory=list)  # what it costs, of a one-time payment: it may come back
    payments: set[str] = field(default_factory=set)
    prices: list[tuple[str, str | None]] = field(default_factory=list)
    emails: list[Stamped] = field(default_factory=list)
    failed_at: int | None = None  # of a one-time payment


@dataclass
class Oracle:
    """The answers that records give under a policy."""

    told: Records
    policy: Policy
    signed: Mapping[str, str]

    def answer(self, now: int) -> Answer:
        """See `answer` of the module."""
        members: dict[str, list[tuple[Bought, View | None]]] = {}
        nobody: dict[str, dict[str, View]] = {}
        for bought in self.bought:
            user, verified = self.owner(bought)
            if bought.unseen:
                if user and bought.own_users:
                    members.setdefault(user, []).append((bought, None))
                continue
            view = self.view(bought, now, verified=verified)
            if user is None:
                nobody.setdefault(bought.customer or bought.id, {})[bought.id] = view
            elif verified or view["access"]:
                members.setdefault(user, []).append((bought, view))
        named = {customer: self.user_of(customer) for customer in self.customers}
        users = set(members) | {user for user in named.values() if user}
        answered: Answer = {user: self.member(user, members.get(user, []), named) for user in sorted(users)}
        answered[None] = nobody
        return answered

    def members(self, now: int) -> dict[str, View]:
        """The answer for those who are known."""
        return {user: view for user, view in self.answer(now).items() if user is not None}

    def moments(self, since: int) -> list[int]:
        """Moments from `since` on at which time alone may change an answer, found by going from one to the next."""
        found, ahead = {since}, [since]
        ahead += [end for told in self._pauses() if (end := told.obj["pause_collection"]["resumes_at"]) > since]
        while ahead:
            now = ahead.pop()
            ends = {self.view(bought, now, verified=True)["until"] for bought in self.bought if not bought.unseen}
            ahead += [end for end in ends if end is not None and end > now and end not in found]
            found.update(ahead)
        return sorted(found)

    def _pauses(self) -> Iterable[Told]:
        told = chain.from_iterable(self.told.subscriptions.values())
        return (one for one in told if (one.obj.get("pause_collection") or {}).get("resumes_at"))

    def member(self, user: str, grants: list[tuple[Bought, View | None]], named: Mapping[str, str | None]) -> View:
        """One user's membership."""
        own = [customer for customer, owner in named.items() if owner == user]
        told = list(chain.from_iterable(bought.emails for bought, view in grants if not view or view["verified"]))
        told += chain.from_iterable(self.emails_of(customer) for customer in own)
        return headline({bought.id: view for bought, view in grants if view}) | {
            "address": max(told)[1] if told else None,
            "customers": sorted(own),
        }

    # --- whose it is

    @cached_property
    def customers(self) -> list[str]:
        """Every customer that anything was told of."""
        told = chain.from_iterable(self.told.payments.values())
        named = {*(bought.customer for bought in self.bought), *(one.obj["customer"] for one in told)}
        return sorted({*self.told.customers, *(customer for customer in named if customer)})

    def owner(self, bought: Bought) -> tuple[str | None, bool]:
        """The user that a grant belongs to, and whether a server vouched for that."""
        if bought.own_users:
            return bought.own_users[0], True
        if bought.customer and (user := self.user_of(bought.customer)):
            return user, True
        if self.policy["unsigned_reference"] == "add" and bought.unsigned:
            return bought.unsigned, False
        return None, True

    def user_of(self, customer: str) -> str | None:
        """The user of a Stripe customer."""
        said = self.told.customers.get(customer)
        if said and (user := self.named_in(_newest(said).obj)):
            return user
        named = list(self._namings(customer))
        first = min((at for at, _ in named), default=0)
        return max((user for at, user in named if at == first), default=None)  # of a tie, the greater name

    def named_in(self, obj: Object) -> str | None:
        """The user that the metadata of an object names."""
        return (obj.get("metadata") or {}).get(self.policy["user_id_key"])

    def emails_of(self, customer: str) -> list[Stamped]:
        """The addresses that a customer ever had."""
        return [(told.at, told.obj["email"]) for told in self.told.customers.get(customer, ()) if told.obj.get("email")]

    def _namings(self, customer: str) -> Iterable[Stamped]:
        """Each time a purchase of the customer named a user."""
        for tellings in (*self.told.subscriptions.values(), *self._one_time_invoices()):
            yield from (
                (told.at, user)
                for told in tellings
                if told.obj.get("customer") == customer and (user := self.named_in(told.obj))
            )
        for tellings in self.told.payments.values():
            yield from (
                (told.at, user)
                for told in tellings
                if told.obj.get("customer") == customer and (user := self.named_in(told.obj))
            )
        for session in self._sessions.values():
            if customer == self._customer_of_session(session.obj):
                user = self.named_in(session.obj) or self.signed.get(session.obj.get("client_reference_id") or "")
                if user:
                    yield session.at, user

    def _one_time_invoices(self) -> Iterable[list[Told]]:
        return (tellings for id_, tellings in self.told.invoices.items() if self.told.subscription_of(id_) is None)

    def _customer_of_session(self, session: Object) -> str | None:
        if session.get("customer"):
            return session["customer"]
        sold = self.told.subscriptions.get(session.get("subscription") or "")
        return current(sold).obj.get("customer") if sold else None

    # --- what was bought

    @cached_property
    def bought(self) -> list[Bought]:
        """Every subscription and every one-time payment."""
        named = {self.told.subscription_of(invoice) for invoice in self.told.invoices}
        named |= {told.obj.get("subscription") for told in self._sessions.values()}
        unseen = sorted(id_ for id_ in named if id_ and id_ not in self.told.subscriptions)
        return [*map(self._subscription, self.told.subscriptions), *map(self._unseen, unseen), *self._one_time()]

    @cached_property
    def _sessions(self) -> dict[str, Told]:
        """Each session that was not just left to expire, as it was first told of, with its last outcome."""
        found = {}
        for id_, tellings in self.told.sessions.items():
            last = max(tellings, key=lambda told: OUTCOMES.index(told.verb))
            if last.verb != "expired":
                first = min((told for told in tellings if told.verb != "expired"), key=lambda told: told.at)
                found[id_] = Told(first.at, last.verb, first.obj | {"payment_status": self._payment_status(tellings)})
        return found

    def _payment_status(self, tellings: list[Told]) -> str:
        if any(told.verb == "async_payment_succeeded" for told in tellings):
            return "paid"
        if any(told.verb == "async_payment_failed" for told in tellings):
            return "failed"
        return next(told.obj["payment_status"] for told in tellings if told.verb == "completed")

    def _subscription(self, id_: str) -> Bought:
        snapshot = current(self.told.subscriptions[id_])
        bought = Bought(id=id_, kind="subscription", customer=snapshot.obj["customer"], snapshot=snapshot)
        bought.prices = records.prices(snapshot.obj["items"])
        self._bill(bought)
        self._identify(bought, self.named_in(snapshot.obj), self._sold_by(id_))
        return bought

    def _unseen(self, id_: str) -> Bought:
        bought = Bought(id=id_, kind="subscription", unseen=True)
        invoices = [told[0].obj for name, told in self.told.invoices.items() if self.told.subscription_of(name) == id_]
        bought.customer = next((invoice["customer"] for invoice in invoices if invoice["customer"]), None)
        self._bill(bought)
        self._identify(bought, None, self._sold_by(id_))
        return bought

    def _sold_by(self, subscription: str) -> list[Told]:
        return [told for told in self._sessions.values() if told.obj.get("subscription") == subscription]

    def _bill(self, bought: Bought) -> None:
        invoices = [name for name in self.told.invoices if self.told.subscription_of(name) == bought.id]
        for name in invoices:
            bought.payments.update(self.told.payments_of(name))
            bought.money += self._invoice_money(name)
            bought.emails += _invoice_emails(self.told.invoices[name])

    def _identify(self, bought: Bought, own: str | None, sessions: list[Told]) -> None:
        named = [self.named_in(told.obj) for told in sessions]
        references = [told.obj.get("client_reference_id") for told in sessions]
        signed = [self.signed.get(reference or "") for reference in references]
        bought.own_users = [user for user in (own, *named, *signed) if user]
        bought.unsigned = next((text for text in references if text and text not in self.signed), None)
        bought.customer = bought.customer or next((t.obj["customer"] for t in sessions if t.obj.get("customer")), None)
        for session in sessions:
            bought.emails += _session_emails(self.told.sessions[session.obj["id"]])

    def _invoice_money(self, name: str) -> list[Payment]:
        paid = [told for told in self.told.invoices[name] if told.verb in ("paid", "payment_succeeded")]
        if not paid:
            return []
        amount = max(told.obj["amount_paid"] for told in paid)
        payments = self.told.payments_of(name)
        return [Payment(name, min(told.at for told in paid), amount, paid[0].obj["created"], payments)]

    def _one_time(self) -> list[Bought]:
        sold_by: dict[str, list[Told]] = {}
        for told in self._sessions.values():
            if told.obj["mode"] == "payment":
                sold_by.setdefault(self._one_time_key(told.obj), []).append(told)
        invoices = {id_ for id_ in self.told.invoices if self.told.subscription_of(id_) is None}
        alone = {id_ for id_ in self.told.payments if self._says_it_is_one_time(id_)}
        return [self._payment(key, sold_by.get(key, [])) for key in sorted({*sold_by, *invoices, *alone})]

    def _one_time_key(self, session: Object) -> str:
        payment = session.get("payment_intent") or ""
        return session.get("invoice") or self.told.invoice_of.get(payment) or payment or session["id"]

    def _says_it_is_one_time(self, payment: str) -> bool:
        names = (self.policy["user_id_key"], self.policy["price_key"])
        metadata = [told.obj.get("metadata") or {} for told in self.told.payments[payment]]
        return payment not in self.told.invoice_of and any(name in data for data in metadata for name in names)

    def _payment(self, key: str, sessions: list[Told]) -> Bought:
        bought = Bought(id=key, kind="payment")
        invoices, attempts = self.told.invoices.get(key, []), self.told.payments.get(key, [])
        of_session = {told.obj["payment_intent"] for told in sessions if told.obj.get("payment_intent")}
        bought.payments = of_session | set(self.told.payments_of(key)) | ({key} if attempts else set())
        behind = [told for id_ in sorted(bought.payments) for told in self.told.payments.get(id_, ())]
        own = [*invoices, *behind]
        bought.customer = next((told.obj["customer"] for told in own if told.obj.get("customer")), None)
        bought.emails += _invoice_emails(invoices)
        self._identify(bought, next((user for told in own if (user := self.named_in(told.obj))), None), sessions)
        bought.prices = self._one_time_prices(invoices, attempts, sessions)
        bought.money = self._one_time_money(bought, invoices, attempts, sessions)
        bought.failed_at = self._failed_at(sessions)
        costs = [told.obj["amount_total"] for told in sessions]
        if costs:
            bought.on_its_way = [Payment(key, 0, max(costs), 0, sorted(bought.payments))]
        return bought

    def _one_time_prices(
        self, invoices: list[Told], attempts: list[Told], sessions: list[Told]
    ) -> list[tuple[str, str | None]]:
        """As the session has it, then the invoice, whose lines carry no lookup keys, then the payment."""
        places = [*((told.obj, "line_items") for told in sessions), *((told.obj, "lines") for told in invoices)]
        for obj, name in (*places, *((told.obj, "") for told in attempts)):
            named = (obj.get("metadata") or {}).get(self.policy["price_key"])
            found = records.prices(obj.get(name)) or ([(named, None)] if named else [])
            if found:
                return found
        return []

    def _one_time_money(
        self, bought: Bought, invoices: list[Told], attempts: list[Told], sessions: list[Told]
    ) -> list[Payment]:
        paid = [(told.at, told.obj["amount_paid"]) for told in invoices if told.verb in ("paid", "payment_succeeded")]
        paid += [(told.at, told.obj["amount_received"]) for told in attempts if told.verb == "succeeded"]
        for session in sessions:
            paid += [(at, session.obj["amount_total"]) for at in self._paid_moments(session.obj["id"])]
        if not paid:
            return []
        first = min(at for at, _ in paid)
        return [Payment(bought.id, first, max(amount for _, amount in paid), first, sorted(bought.payments))]

    def _failed_at(self, sessions: list[Told]) -> int | None:
        told = chain.from_iterable(self.told.sessions[session.obj["id"]] for session in sessions)
        failed = [one.at for one in told if one.verb == "async_payment_failed"]
        return min(failed, default=None)

    def _paid_moments(self, session: str) -> list[int]:
        return [
            told.at
            for told in self.told.sessions[session]
            if told.verb == "async_payment_succeeded"
            or (told.verb == "completed" and told.obj["payment_status"] in ("paid", "no_payment_required"))
        ]

    # --- how it stands

    def view(self, bought: Bought, now: int, *, verified: bool) -> View:
        """A grant's standing, with its levels."""
        standing = self._standing(bought, now)
        levels = sorted({level for price in bought.prices if (level := self._product(price).get("level"))})
        if not levels:
            standing |= {"access": False, "reason": "price_not_mapped"}
        if not levels or not verified:
            standing["needs_support"] = False
        standing["levels"] = levels
        return standing | {"id": bought.id, "kind": bought.kind, "verified": verified}

    def _standing(self, bought: Bought, now: int) -> View:
        going_on = bought.snapshot is not None and self._bills_on(bought.snapshot.obj)
        open_dispute = any(self._dispute_open(id_) for id_ in self._disputes(bought))
        taken = self._disputed(bought) or self._refunded(bought)
        if taken:
            reason, until = taken
            flagged = open_dispute or (going_on and reason != "dispute_open")
            return _view("refunded", until, reason, support=flagged)
        snapshot = bought.snapshot
        standing = self._one_time_standing(bought, now) if snapshot is None else self._by_status(bought, snapshot, now)
        standing["needs_support"] = standing["needs_support"] or open_dispute
        return standing

    def _bills_on(self, subscription: Object) -> bool:
        return subscription["status"] in BILLING and _set_end(subscription) is None

    def _disputes(self, bought: Bought) -> list[str]:
        return [id_ for id_, told in self.told.disputes.items() if told[0].obj["payment_intent"] in bought.payments]

    def _dispute_open(self, id_: str) -> bool:
        return _dispute_status(self.told.disputes[id_])[0] in ("open", "inquiry")

    def _disputed(self, bought: Bought) -> tuple[str, int] | None:
        last_payment = max((payment.paid_at for payment in bought.money), default=0)
        opened = []
        for id_ in self._disputes(bought):
            status, at = _dispute_status(self.told.disputes[id_])
            created = self.told.disputes[id_][0].obj["created"]
            if status not in ("inquiry", "inquiry_closed") and created > last_payment:
                opened.append((created, WORST_LAST.index(status), id_, status, at))
        if not opened:
            return None
        created, _, _, status, at = max(opened)
        if status == "lost" and self.policy["dispute_lost"] == "revoke":
            return "dispute_lost", at
        if status == "open" and self.policy["dispute_open"] == "revoke":
            return "dispute_open", created
        return None

    def _refunded(self, bought: Bought) -> tuple[str, int] | None:
        money = bought.money or bought.on_its_way
        if not money:
            return None
        newest = max(money, key=lambda payment: (payment.created, payment.id))
        back = [self._returned(payment) for payment in newest.payments]
        amount, at = sum(amount for amount, _ in back), max((at for _, at in back), default=0)
        if amount <= 0:
            return None
        if amount >= newest.amount:
            return ("refunded_in_full", at) if self.policy["refund_full"] == "revoke" else None
        return ("refunded_in_part", at) if self.policy["refund_partial"] == "revoke" else None

    def _returned(self, payment: str) -> tuple[int, int]:
        """How much of a payment went back, and when the last of it did."""
        parts = [told for told in self.told.refunds.values() if told[0].obj["payment_intent"] == payment]
        dead = [told for told in parts if any(_gave_nothing_back(one) for one in told)]
        alive = [told for told in parts if told not in dead]
        by_parts = sum(told[0].obj["amount"] for told in alive)
        sums = [
            (told.obj["amount_refunded"], -told.at)
            for tellings in self.told.charges.values()
            for told in tellings
            if told.obj["payment_intent"] == payment
        ]
        highest, since = max(sums, default=(0, 0))
        by_charge = highest - sum(told[0].obj["amount"] for told in dead)
        last_part = max((min(one.at for one in told) for told in alive), default=0)
        if by_charge > by_parts:
            return by_charge, max(last_part, -since)
        return by_parts, min(last_part, -since) if by_charge == by_parts and -since else last_part

    def _by_status(self, bought: Bought, snapshot: Told, now: int) -> View:
        obj = snapshot.obj
        match obj["status"]:
            case "canceled":
                return self._ended(bought, snapshot, now)
            case "incomplete_expired":
                return _view("canceled", _ended_at(snapshot), "first_payment_never_made")
            case "incomplete":
                return _view("pending", None, "first_payment_pending")
            case "unpaid":
                return _view("unpaid", snapshot.at, "renewal_never_paid")
            case "paused":
                return _view("paused", snapshot.at, "trial_ended_without_payment_method")
            case "trialing" if self.policy["trial"] == "deny":
                return _view("pending", None, "trial_gives_nothing")
        return self._running(bought, snapshot, now)

    def _ended(self, bought: Bought, snapshot: Told, now: int) -> View:
        obj = snapshot.obj
        ended = _ended_at(snapshot)
        trial_end = obj.get("trial_end")
        never_paid = not any(payment.amount for payment in bought.money)
        of_trial = trial_end is not None and trial_end <= ended <= trial_end + DAY and never_paid
        return self._canceled(ended, "trial_ended" if of_trial else "subscription_canceled", now)

    def _canceled(self, at: int, reason: str, now: int) -> View:
        until = at + self.policy["cancel_window_days"] * DAY
        return _view("canceled", until, reason, access=at < until and now < until)

    def _running(self, bought: Bought, snapshot: Told, now: int) -> View:
        obj = snapshot.obj
        cancel_at = _set_end(obj)
        if self.policy["cancel"] == "immediate" and obj.get("canceled_at"):
            return self._canceled(obj["canceled_at"], "cancellation_requested", now)
        if cancel_at is not None and cancel_at <= now:
            return self._canceled(cancel_at, "cancellation_took_effect", now)
        if self._paused(obj, now):
            return _view("paused", snapshot.at, "collection_paused")
        failure = self._owed(bought, snapshot)
        if failure:
            return self._grace(*failure, now)
        state = "trialing" if obj["status"] == "trialing" else "active"
        end = records.period_end(obj)
        if cancel_at is not None:
            return _view(state, cancel_at, "cancels_at_period_end", access=True)
        if end is None or now < end:
            return _view(state, end, "trial" if state == "trialing" else "paid", access=True)
        last = end + max(PATIENCE, self.policy["grace_days"] * DAY)
        if now < last:
            return _view(state, last, "renewal_expected", access=True)
        return _view("past_due", last, "renewal_not_seen", support=True)

    def _paused(self, subscription: Object, now: int) -> bool:
        pause = subscription.get("pause_collection")
        if not pause or now >= (pause.get("resumes_at") or NEVER):
            return False
        rule = self.policy["pause"]
        return rule == "revoke" or (rule == "by_behavior" and pause["behavior"] == "void")

    def _owed(self, bought: Bought, snapshot: Told) -> tuple[int, str] | None:
        """When the renewal that is owed first failed, and why it needs somebody."""
        newest_paid = max((payment.created for payment in bought.money), default=0)
        owed = []
        for name, tellings in self.told.invoices.items():
            failed = [told for told in tellings if told.verb in ("payment_failed", "payment_action_required")]
            mine = self.told.subscription_of(name) == bought.id and not self._invoice_money(name)
            if mine and failed and failed[0].obj["created"] > newest_paid and self._worries(snapshot, failed[0].obj):
                needs_action = any(told.verb == "payment_action_required" for told in failed)
                reason = "renewal_needs_action" if needs_action else "renewal_failed"
                owed.append((min(told.at for told in failed), reason))
        if snapshot.obj["status"] != "past_due":
            owed = [one for one in owed if one[0] >= snapshot.at]
        if owed:
            return min(owed)
        newest = max(bought.money, key=lambda payment: (payment.created, payment.id), default=None)
        latest = snapshot.obj.get("latest_invoice")
        settled = newest is not None and newest.id == latest and newest.paid_at >= snapshot.at
        if settled or snapshot.obj["status"] != "past_due":
            return None
        same = [told for told in self.told.subscriptions[bought.id] if told.obj["status"] == "past_due"]
        end = records.period_end(snapshot.obj)
        return min(told.at for told in same if records.period_end(told.obj) == end), "renewal_failed"

    def _worries(self, snapshot: Told, invoice: Object) -> bool:
        """Of an upgrade that could not be paid, Stripe takes nothing away; where it does, the status says so."""
        named = snapshot.obj["status"] == "past_due" and snapshot.obj.get("latest_invoice") == invoice["id"]
        return named or invoice["billing_reason"] == "subscription_cycle"

    def _grace(self, failed_at: int, reason: str, now: int) -> View:
        end = failed_at + self.policy["grace_days"] * DAY
        if now < end:
            return _view(self.policy["failed_renewal"], end, reason, access=True)
        return _view("past_due", end, "grace_period_over")

    def _one_time_standing(self, bought: Bought, now: int) -> View:
        if not bought.money:
            if bought.failed_at is not None:
                return _view("canceled", bought.failed_at, "payment_failed")
            return _view("pending", None, "payment_pending")
        terms = [product.get("days") for price in bought.prices if (product := self._product(price))]
        days = [NEVER if term is None else term for term in terms]
        if not days or NEVER in days:
            return _view("active", None, "paid_once", access=True)
        until = bought.money[0].paid_at + max(days) * DAY
        if now < until:
            return _view("active", until, "paid_once", access=True)
        return _view("canceled", until, "term_over")

    def _product(self, price: tuple[str, str | None]) -> Mapping[str, Any]:
        products = {product["price"]: product for product in self.policy["products"]}
        id_, key = price
        return products.get(id_) or products.get(key) or {}


def current(tellings: Iterable[Told]) -> Told:
    """The snapshot of a subscription that counts."""
    told = list(tellings)
    over = [one for one in told if one.obj["status"] in FINAL]
    return max(over or told, key=_snapshot_order)


def _ended_at(snapshot: Told) -> int:
    return snapshot.obj.get("ended_at") or snapshot.obj.get("canceled_at") or snapshot.at


def _snapshot_order(told: Told) -> tuple[int, int, int, int]:
    status = told.obj["status"]
    along = FURTHER_ALONG.index(status) if status in FURTHER_ALONG else len(FURTHER_ALONG)
    return told.at, IN_ONE_SECOND.get(told.verb, 1), records.period_end(told.obj) or 0, along


def headline(views: dict[str, View]) -> View:
    """The union of grants: who has several has the best of them."""
    opening = [view for view in views.values() if view["levels"]]
    giving = [view for view in opening if view["access"]]
    found: View = {
        "levels": sorted({level for view in giving for level in view["levels"]}),
        "access": bool(giving),
        "needs_support": any(view["needs_support"] for view in views.values()),
        "grants": views,
    }
    if not opening:
        return found | {"state": "lead", "until": None, "reason": "price_not_mapped" if views else "no_grant"}
    best = min(opening, key=_best_first)
    until = max((_end(view) for view in giving), default=_end(best))
    return found | {"state": best["state"], "reason": best["reason"], "until": None if until == NEVER else until}


def _best_first(view: View) -> tuple[bool, int, int, str]:
    return not view["access"], BEST_FIRST.index(view["state"]), -_end(view), view["id"]


def _end(view: View) -> int:
    return NEVER if view["until"] is None else view["until"]


def _view(state: str, until: int | None, reason: str, *, access: bool = False, support: bool = False) -> View:
    return {"state": state, "until": until, "reason": reason, "access": access, "needs_support": support}


def _newest(tellings: Iterable[Told]) -> Told:
    return max(tellings, key=lambda told: (told.at, IN_ONE_SECOND.get(told.verb, 1)))


def _set_end(subscription: Object) -> int | None:
    at_period_end = records.period_end(subscription) if subscription.get("cancel_at_period_end") else None
    return subscription.get("cancel_at") or at_period_end


def _dispute_status(tellings: list[Told]) -> tuple[str, int]:
    """open, won, lost, inquiry or inquiry_closed, and since when."""
    closed = [told for told in tellings if told.verb == "closed"]
    for told in closed:
        status = told.obj["status"]
        return {"warning_closed": "inquiry_closed", "lost": "lost"}.get(status, "won"), told.at
    status = tellings[-1].obj["status"]
    return ("inquiry" if status.startswith("warning_") else "open"), tellings[-1].at


def _gave_nothing_back(told: Told) -> bool:
    return told.verb == "failed" or told.obj["status"] in ("failed", "canceled")


def _session_emails(tellings: Iterable[Told]) -> list[Stamped]:
    typed = [(told.at, (told.obj.get("customer_details") or {}).get("email")) for told in tellings]
    given = [(told.at, told.obj.get("customer_email")) for told in tellings]
    return [(at, email) for at, email in (*typed, *given) if email]


def _invoice_emails(tellings: Iterable[Told]) -> list[Stamped]:
    return [(told.at, told.obj["customer_email"]) for told in tellings if told.obj.get("customer_email")]
