"""Who says what each member is: not the rehearsal, which deploys the functions and shares no code with them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol


class Judge(Protocol):
    """Tells from the pipeline's table and the events what each member is at a moment."""

    def __call__(
        self,
        *,
        items: Iterable[Mapping[str, Any]],
        events: Sequence[Mapping[str, Any]],
        policy: str,
        now: int,
        any_price: str | None,
        identity_document: str | None,
    ) -> dict[str, Any]:
        """The members at `now` (Unix seconds) as `members`, and what else there is to say.

        `items` are all items of the table in DynamoDB's JSON, `events` those that were sent, each once, of which
        later ones than `now` count for `disagreements` alone; `policy` and `identity_document` are the membership
        policy and the value of the identity secret that the functions were deployed with. `any_price` is the level of
        prices that the policy does not name.

        The result has `members` (each `user_id`, `customers`, `state`, `access`, `levels`, `until`, `reason`,
        `needs_support`, `grants`, `transitions`), `unmapped_prices` (`price`, `grants`), `ledger` (event id to
        `outcome`, `reason`, `type`), and `disagreements`: users whose end in the table differs from the events told in
        order.
        """
        ...
