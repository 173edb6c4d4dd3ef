"""How far a destination is switched on, and for whom."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum


class Mode(StrEnum):
    """What becomes of a delivery that is due."""

    ON = "on"  # it is sent
    SHADOW = "shadow"  # what would be shown is computed, kept on the record and logged; nothing is sent
    OFF = "off"  # the record is set aside


@dataclass(frozen=True, kw_only=True)
class Switch:
    """A destination's switch. Where it is on, it serves `percent` of the members; the others are as in shadow.

    What was set aside keeps the version that was delivered. So when more is switched on, reconcile finds the members
    whose delivered version is behind the desired one, marks them due, and they are brought to the state of that day.
    A notice that was set aside stays so: it would be news no more.
    """

    mode: Mode = Mode.ON
    percent: int = 100  # 0 to 100

    def of(self, destination: str, member: str) -> Mode:
        """What holds for one member: always the same, and a higher `percent` only adds members."""
        if self.mode is not Mode.ON or _place(destination, member) < self.percent:
            return self.mode
        return Mode.SHADOW


def _place(destination: str, member: str) -> int:
    """A number from 0 to 99 that a member has at a destination; at another one it is another."""
    digest = hashlib.sha256(f"{destination}\n{member}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % 100
