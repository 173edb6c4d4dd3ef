"""Which checks a scan runs: what the file of chosen checks allows, and the policies of our own that must be there."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from checks.policy.errors import PolicyError

FILE = Path(__file__).with_name("checks.toml")
RULES = Path(__file__).with_name("rules")


@dataclass(frozen=True)
class Chosen:
    """Ids of built-in checks that run, those that do not with the reason, and the ids of the policies in `rules/`."""

    allowed: frozenset[str]
    left_out: Mapping[str, str]
    ours: frozenset[str]


def load(file: Path = FILE) -> Chosen:
    """Read the file; PolicyError where a check is both allowed and left out, or is left out without a reason."""
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
        allowed, left_out, ours = document["allowed"], document["left-out"], document["ours"]
    except (OSError, tomllib.TOMLDecodeError, KeyError) as error:
        raise PolicyError(f"{file} cannot be read as the list of checks: {error}") from None
    both = sorted(set(allowed) & set(left_out))
    silent = sorted(id_ for id_, reason in left_out.items() if not reason.strip())
    if both or silent:
        raise PolicyError(f"{file}: {both} are allowed and left out; {silent} are left out without a reason")
    return Chosen(frozenset(allowed), left_out, frozenset(ours))
