"""The file of old paths as a whole: read, understood line by line, and judged together."""

import functools
from dataclasses import dataclass
from pathlib import Path

from infra.redirects import addresses
from infra.redirects.addresses import AddressError
from infra.redirects.conflicts import PathRedirect, between_lines
from infra.redirects.lines import Fault, Line, fault, read
from infra.redirects.names import Names

PROJECT_ROOT = Path(__file__).resolve().parents[2]


class FileError(Exception):
    """The file is not there or cannot be read; the text says why."""


@dataclass(frozen=True)
class OldPaths:
    """The redirects of a file in its order, and its faults by line; with a fault, none is declared."""

    redirects: tuple[PathRedirect, ...] = ()
    faults: tuple[Fault, ...] = ()


def load(file: str | None, names: Names) -> OldPaths:
    """The old paths in `file`, relative to the project's root. Raises FileError."""
    if file is None:
        return OldPaths()
    try:
        content = (PROJECT_ROOT / file).read_bytes()
    except OSError as error:
        raise FileError(error.strerror or type(error).__name__) from None
    return parse(content, names)


@functools.lru_cache(maxsize=2)  # the configuration's rules, the rulesets and the contract ask for the same file
def parse(content: bytes, names: Names) -> OldPaths:
    """The old paths of a file's content in a zone with these names."""
    lines, faults = read(content)
    understood = [_redirect(line, names) for line in lines]
    redirects = [entry for entry in understood if isinstance(entry, PathRedirect)]
    faults += [entry for entry in understood if isinstance(entry, Fault)]
    faults += between_lines(redirects)
    return OldPaths(tuple(redirects), tuple(sorted(faults, key=lambda entry: entry.line)))


def _redirect(line: Line, names: Names) -> PathRedirect | Fault:
    written = line.source
    try:
        source = addresses.source(line.source, names)
        written = line.target
        target = addresses.target(line.target, source, names)
    except AddressError as error:
        return fault(line.number, written, error.limit, error.remedy)
    return PathRedirect(line=line.number, source=source, target=target, status=line.status)
