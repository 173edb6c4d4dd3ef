"""Who buys: people with their Stripe customers, and how a purchase names the user of the app."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from handlers.core.identity import sign_reference
from tests.handlers.histories.scribe import CUSTOMER, Scribe
from tests.handlers.story import DAY

USERS = ("user_ada", "user_bob", "user_cem", "user_dot")
KEY = "a key that only this app and its servers hold"
SIGNED: Mapping[str, str] = {sign_reference(user, KEY): user for user in USERS}  # client_reference_id -> whom it names
FORGED = sign_reference(USERS[0], "a key that somebody made up, long enough")
WAYS = ("object", "session", "signed", "customer", "nobody", "unsigned", "object and session", "session and signed")


@dataclass(frozen=True)
class Naming:
    """What a purchase says of whose it is."""

    way: str
    user: str
    reference: str | None = None
    other: str | None = None  # whom the session names, where the object names somebody

    @property
    def metadata_of_object(self) -> dict[str, str]:
        """Metadata of the subscription, the PaymentIntent or the invoice."""
        return {"user_id": self.user} if self.way.startswith("object") else {}

    @property
    def metadata_of_session(self) -> dict[str, str]:
        """Metadata of the Checkout Session."""
        if self.other:
            return {"user_id": self.other}
        return {"user_id": self.user} if self.way.startswith("session") else {}

    @property
    def by_session(self) -> bool:
        """Whether nothing but the session tells whose it is."""
        return self.way not in ("object", "customer", "nobody")


@dataclass
class Buyer:
    """One Stripe customer of one person."""

    user: str
    customer: str | None  # or an account; None for a guest
    email: str
    metadata: dict[str, str]

    def naming(self, scribe: Scribe) -> Naming:
        """How the next purchase names its user: the buyer, or whoever an unsigned reference claims."""
        way = scribe.choose(*WAYS)
        if way == "signed":
            return Naming(way, self.user, sign_reference(self.user, KEY))
        if way == "unsigned":
            return Naming(way, self.user, scribe.choose(*USERS, FORGED))
        if way == "object and session":
            return Naming(way, self.user, other=scribe.choose(*USERS))
        if way == "session and signed":
            return Naming(way, self.user, sign_reference(scribe.choose(*USERS), KEY))
        return Naming(way, self.user)

    def tell(self, scribe: Scribe, verb: str, at: int) -> None:
        """customer.{verb}; of an account, the events are of another kind."""
        if (self.customer or "").startswith("acct_"):
            return
        obj: dict[str, Any] = {**CUSTOMER, "id": self.customer, "email": self.email, "created": at}
        scribe.tell(f"customer.{verb}", at=at, obj=obj | {"metadata": dict(self.metadata)})


def arrives(scribe: Scribe, user: str, email: str, at: int) -> Buyer:
    """A new Stripe customer, which may name its user now, later or never."""
    buyer = Buyer(user, scribe.id(scribe.choose("cus", "cus", "cus", "acct")), email, {})
    if scribe.maybe():
        buyer.metadata = {"user_id": user}
    if scribe.maybe():
        buyer.tell(scribe, "created", at)
    return buyer


def changes(scribe: Scribe, buyer: Buyer, at: int) -> None:
    """What happens to a customer besides buying."""
    match scribe.choose("nothing", "renamed", "named", "named at once", "handed over", "forgotten"):
        case "renamed":
            buyer.email = f"new.{buyer.email}"
            buyer.tell(scribe, "updated", at + DAY)
        case "named":
            buyer.metadata = {"user_id": buyer.user}
            buyer.tell(scribe, "updated", at + 2 * DAY)
        case "named at once":
            buyer.tell(scribe, "created", at)
            buyer.metadata = {"user_id": buyer.user}
            buyer.tell(scribe, "updated", at)
        case "handed over" | "forgotten" as how:
            buyer.metadata = {"user_id": scribe.choose(*USERS)} if how == "handed over" else {}
            buyer.tell(scribe, "updated", at + 3 * DAY)
