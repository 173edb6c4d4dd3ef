"""What a destination should hold: the pure target that `sync` brings about."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Desired:
    """The state that a destination should show for one member."""

    member_id: str
    email: str | None
    labels: frozenset[str]  # e.g. {"member_active", "level:pro"}; a destination maps those it knows
    version: int  # of the member item that this was computed from


@dataclass(frozen=True, kw_only=True)
class Notice:
    """One occurrence to tell people about, at most once for each key."""

    key: str  # "payment_failed:in_…"
    kind: str  # "payment_failed"
    member_id: str
    at: int  # Unix seconds
    max_age_seconds: int
    details: Mapping[str, str] = field(default_factory=dict)  # ids and amounts, never an e-mail
