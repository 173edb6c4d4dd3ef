"""The interfaces between the layers; adapters and destinations implement them."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol

from handlers.core.desired import Desired, Notice


class Recovery(StrEnum):
    """How a destination recovers from a crash between its call and our record of it."""

    IDEMPOTENT = "idempotent"  # the same call again changes nothing
    LOOK_UP = "look-up"  # ask the vendor for our key before trying again
    AT_MOST_ONCE = "at-most-once"  # recorded before the call; an unknown outcome goes to a person


class StateDestination(Protocol):
    """A vendor that is brought to a member's desired state."""

    name: str
    recovery: Recovery

    def bring(self, desired: Desired, remote: Mapping[str, str]) -> Mapping[str, str]:
        """Make the vendor show `desired`; `remote` and the result are the vendor's ids. Raises VendorError."""
        ...


class NoticeDestination(Protocol):
    """A vendor that is told of occurrences."""

    name: str
    recovery: Recovery

    def send(self, notice: Notice) -> Mapping[str, str]:
        """Tell once; the result is the vendor's ids. Raises VendorError."""
        ...
