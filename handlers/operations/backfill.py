"""Bring a business that has customers already into the table: the facts that its events would have told, at once.

First everything is read, so that a key that may not read something, or a file that cannot be taken, leaves the table
alone. Then payer after payer is looked at in memory over what the table holds, and what would make it say something
else is written, each purchase in a transaction. There is no cursor: a run that broke off is repeated, and passes what
is written already at the speed of batched reads. Payers whom nobody knows are listed and not written, as each of them
would be asked about ten minutes later.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import cast

from handlers.adapters.stripe_lists import PER_SECOND, StripeLists
from handlers.adapters.stripe_read import StripeReader
from handlers.core import events, identity
from handlers.core.errors import EventError
from handlers.core.events import Facts
from handlers.core.grants import Grant
from handlers.core.membership import GrantView, Membership, membership, opens_nothing
from handlers.core.nodes import CustomerNode, Holder, Kind, MemberNode, Ref
from handlers.core.policy import Policy
from handlers.core.reading import Reading
from handlers.core.settling import settle
from handlers.operations.identities import Identities, Named
from handlers.operations.preview import Preview, Taken
from handlers.operations.purchases import Payer, Purchase, Unreadable
from handlers.operations.stack import LiveStack
from handlers.operations.stripe_account import OtherEndpoint, check_key, other_endpoints
from handlers.operations.stripe_history import History, read_history
from handlers.operations.writer import Writer

CHUNK = 50  # payers that are looked at together
SAY_SECONDS = 2.0
TIMEOUT_SECONDS = 30.0  # a page of a hundred objects with what they name takes Stripe seconds

Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Account:
    """What Stripe has, and who else listens there."""

    history: History
    others: tuple[OtherEndpoint, ...]


@dataclass(frozen=True, kw_only=True)
class Prospect:
    """What a member becomes; `was` is None for one whom the table does not know."""

    user_id: str
    was: Membership | None
    becomes: Membership
    told: bool  # whether destinations are to show something else

    @property
    def changes(self) -> bool:
        """Whether it makes any difference."""
        return self.told or self.was != self.becomes


@dataclass(frozen=True, kw_only=True)
class Unmatched:
    """A payer of whom nobody knows which user it is, and what was bought."""

    payer: str
    grants: tuple[GrantView, ...]


@dataclass(frozen=True, kw_only=True)
class Contradiction:
    """The file says `claimed` on `line`, Stripe's metadata or the table another user."""

    subject: str
    line: int
    claimed: str
    known: tuple[str, ...]


@dataclass(kw_only=True)
class Outcome:
    """What a backfill did, or would do."""

    applied: bool
    account: Account
    members: list[Prospect] = field(default_factory=list)
    unmatched: list[Unmatched] = field(default_factory=list)
    contradictions: list[Contradiction] = field(default_factory=list)
    refused: list[Unreadable] = field(default_factory=list)  # what the table could not take, or nobody could read
    prices: Counter[str] = field(default_factory=Counter)  # that config does not name, by purchases
    joined: int = 0  # payers whom the file alone knows
    idle: int = 0  # rows of the file whose customer bought nothing
    writes: int = 0  # transactions that say something new

    @property
    def changes(self) -> list[Prospect]:
        """The members who become others."""
        return [member for member in self.members if member.changes]

    @property
    def complete(self) -> bool:
        """Whether nothing is left for a person to look at."""
        return not (self.unmatched or self.contradictions or self.refused or self.prices)


def look(stack: LiveStack, *, per_second: float = PER_SECOND, progress: Progress) -> Account:
    """Read everything that Stripe holds of purchases. Raises StackError and VendorError; nothing is written."""
    key = stack.secret(stack.settings.stripe_secret)
    reader = StripeReader(lambda: key, stack.settings.stripe_api_base, timeout=TIMEOUT_SECONDS)
    lists = StripeLists(reader, per_second=per_second)
    check_key(stack, reader, lists)
    others = other_endpoints(stack, lists)
    return Account(history=read_history(lists, _reading(stack), live=stack.live, progress=progress), others=others)


def backfill(
    stack: LiveStack,
    account: Account,
    identities: Identities,
    *,
    apply: bool,
    match_email: bool = False,
    progress: Progress,
    clock: Callable[[], float] = time.time,
) -> Outcome:
    """Look at every payer of `account`, and with `apply` write what the table does not say yet.

    Raises StackError, AwsError and, where other writers won every time, ConflictError: what is written stays, and the
    same call goes on from there.
    """
    run = _Run(
        preview=Preview(stack.store),
        named=_named(account.history, identities, match_email=match_email),
        policy=stack.settings.table.policy,
        now=int(clock()),
        outcome=Outcome(applied=apply, account=account, refused=list(account.history.unreadable)),
    )
    payers = account.history.payers
    run.outcome.idle = len(identities.users.keys() - {payer.id for payer in payers})
    with closing(Writer(stack, dry=not apply, payers=len(payers))) as writer:
        said = time.monotonic()
        for start in range(0, len(payers), CHUNK):
            chunk = payers[start : start + CHUNK]
            run.preview.load([facts for payer in chunk for purchase in payer.purchases for facts in purchase.facts])
            writer.write([facts for payer in chunk if (facts := run.look_at(payer))])
            run.preview.turn_over()
            if time.monotonic() - said > SAY_SECONDS:
                said = time.monotonic()
                progress(f"looked at {start + len(chunk)} of {len(payers)} payers, {writer.done} transactions")
    run.close()
    run.outcome.writes = writer.done
    run.outcome.refused += writer.refused
    progress(f"looked at {len(payers)} of {len(payers)} payers, {writer.done} transactions, all")
    return run.outcome


@dataclass(kw_only=True)
class _Run:
    """One pass over the payers."""

    preview: Preview
    named: Mapping[str, Named]
    policy: Policy
    now: int
    outcome: Outcome

    def look_at(self, payer: Payer) -> list[Facts]:
        """What is to be written of the payer's purchases, one transaction each."""
        claim = self._claim(payer)
        told: list[tuple[Ref | None, Facts]] = [(None, claim)] if claim else []
        told += [(purchase.ref, facts) for purchase in payer.purchases for facts in purchase.facts]
        taken = [(ref, facts, self._taken(facts, ref or payer)) for ref, facts in told]
        strangers = [purchase for purchase in payer.purchases if not self._is_somebodys(purchase)]
        if strangers:
            self._note(payer, strangers)
        for purchase in payer.purchases:
            self._count_prices(purchase)
        unknown = {purchase.ref for purchase in strangers}
        return [facts for ref, facts, was in taken if ref not in unknown and self.preview.is_news(was)]

    def close(self) -> None:
        """Tell the members."""
        for before, after in self.preview.members():
            self.outcome.members.append(_prospect(before, after, self.policy, self.now))

    def _claim(self, payer: Payer) -> Facts | None:
        """What the file adds: who the payer is, where neither Stripe's metadata nor the table says."""
        row = self.named.get(payer.id)
        if row is None:
            return None
        known = tuple(sorted(self._users(payer)))
        if any(user != row.user for user in known):
            self.outcome.contradictions.append(
                Contradiction(subject=payer.id, line=row.line, claimed=row.user, known=known)
            )
        if known:
            return None
        self.outcome.joined += 1
        return events.from_claim(payer.id, row.user, payer.created)

    def _users(self, payer: Payer) -> Iterator[str]:
        """Whom the table or the purchases name for the payer."""
        found = {fact for purchase in payer.purchases for facts in purchase.facts for fact in _users_of(facts)}
        node = self.preview.node(Ref(Kind.CUSTOMER, payer.id))
        held = node.user_id if isinstance(node, CustomerNode) else None
        yield from found | ({held} if held else set())

    def _taken(self, facts: Facts, subject: Ref | Payer) -> Taken:
        try:
            return self.preview.take(facts)
        except EventError as error:
            self.outcome.refused.append(Unreadable(subject.id, str(error)))
            return {}

    def _is_somebodys(self, purchase: Purchase) -> bool:
        node = cast("Holder | None", self.preview.node(purchase.ref))
        return node is not None and node.member is not None

    def _note(self, payer: Payer, strangers: Sequence[Purchase]) -> None:
        grants = {purchase.ref.id: grant for purchase in strangers if (grant := self._grant(purchase))}
        if grants:
            views = membership(grants, self.policy, self.now).grants
            self.outcome.unmatched.append(Unmatched(payer=payer.id, grants=views))

    def _count_prices(self, purchase: Purchase) -> None:
        grant = self._grant(purchase)
        self.outcome.prices.update(opens_nothing(grant.items, self.policy) if grant else ())

    def _grant(self, purchase: Purchase) -> Grant | None:
        node = cast("Holder | None", self.preview.node(purchase.ref))
        return node.grant if node is not None else None


def _reading(stack: LiveStack) -> Reading:
    """How the stack's apply function reads objects."""
    secret = stack.settings.identity_secret
    keys = identity.parse_keys(stack.secret(secret)) if secret else ()
    return stack.settings.table.policy.reading(keys)


def _named(history: History, identities: Identities, *, match_email: bool) -> Mapping[str, Named]:
    """Who each payer is by the file; by address only where one customer and one row have it, and that was asked for."""
    if not match_email:
        return identities.users
    alone = {email: ids[0] for email, ids in history.emails.items() if len(ids) == 1}
    matched = {alone[email]: row for email, row in identities.emails.items() if email in alone}
    return {**matched, **identities.users}


def _users_of(facts: Facts) -> Iterator[str]:
    """The users whom a server vouched for in what Stripe shows."""
    told = [facts.subscription.user if facts.subscription else None, facts.session.user if facts.session else None]
    stamped = [fact.user for fact in (*facts.payments, *facts.customers, *([facts.invoice] if facts.invoice else []))]
    told += [stamp.value for stamp in stamped if stamp is not None]
    return (user for user in told if user)


def _prospect(before: MemberNode | None, after: MemberNode, policy: Policy, now: int) -> Prospect:
    was = membership(before.grants, policy, now) if before else None
    settled = settle(after, policy, now, at=now, event=None)
    return Prospect(user_id=after.id, was=was, becomes=settled.membership, told=settled.tell)
