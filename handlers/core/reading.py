"""How this stack reads Stripe's objects: the names of its metadata keys, and whose word counts for who a payer is."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What the readers of events need to know of the stack."""

    user_key: str = "user_id"  # metadata key of the app's user id
    price_key: str = "price_id"  # metadata key of the price of a one-time payment
    reference_keys: tuple[str, ...] = ()  # that sign a client_reference_id, see handlers.core.identity
    unsigned: bool = False  # whether an unsigned client_reference_id may add a grant
