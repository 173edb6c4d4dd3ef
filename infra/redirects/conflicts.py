"""What the lines of the file do to one another: repeats, lines that are never reached, chains and loops. Pure.

Places are looked up in a dictionary and in one sorted list, so that ten thousand lines take n log n and not n².
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from infra.redirects.addresses import MAX_SLASHES, Place, Target
from infra.redirects.lines import Fault, fault

MOST_HOPS = 20  # redirects in a row that browsers follow (Fetch standard, HTTP-redirect fetch)
_AFTER_EVERY_PATH = "\U0010ffff"


@dataclass(frozen=True, kw_only=True)
class PathRedirect:
    """One old place and where it leads, as line `line` of the file has it."""

    line: int
    source: Place
    target: Target
    status: int

    def leads(self, place: Place) -> Target:
        """Where an address that it covers, or all that is below one, is led."""
        if not self.target.keeps:
            return self.target
        added = place.path[len(self.source.path) :]
        inside = self.target.place
        moved = Place(inside.host, inside.path + added, place.below) if inside else None
        return Target(self.target.url + added, place.below, moved)


class Index:
    """Redirects by place. Of several that cover an address the most specific one acts, as in a bulk list."""

    def __init__(self, redirects: Iterable[PathRedirect]) -> None:
        self._at: dict[Place, PathRedirect] = {}
        for redirect in redirects:
            self._at.setdefault(redirect.source, redirect)
        self._places = sorted(self._at, key=lambda place: (place.host, place.path, place.below))
        self._keys = [(place.host, place.path) for place in self._places]

    def acting_on(self, place: Place) -> PathRedirect | None:
        """The redirect that takes an address, or takes all that is below one."""
        if not place.below and place in self._at:
            return self._at[place]
        return next((self._at[above] for above in _above(place) if above in self._at), None)

    def met_by(self, redirect: PathRedirect) -> PathRedirect | None:
        """The first redirect that some of those meet whom `redirect` leads below its target; None if nobody does.

        Each step of the loop passes a line that stands between, so that all of them together are not more than lines.
        """
        source, target = redirect.source, redirect.target.place
        if target is None or not target.below:
            return None
        at = self._first(target.host, target.path)
        while at < len(self._places) and target.covers(met := self._places[at]):
            if met == source:  # `/en/en/…` where `/en/*` leads to `/*`: an address that nobody asks for
                at = self._first(met.host, met.path + _AFTER_EVERY_PATH)
                continue
            before = Place(source.host, source.path + met.path[len(target.path) :], met.below)
            acting = self.acting_on(before)
            if acting is redirect:
                return self._at[met]
            if acting and acting.source.below:
                passed = target.path + acting.source.path[len(source.path) :]
                at = self._first(met.host, passed + _AFTER_EVERY_PATH)
            else:
                at += 1
        return None

    def _first(self, host: str, path: str) -> int:
        return bisect_left(self._keys, (host, path))


def between_lines(redirects: Sequence[PathRedirect]) -> Iterator[Fault]:
    """Every repeat, every line that is never reached, every chain and every loop, each told where it begins."""
    yield from _unreached(redirects)
    index = Index(redirects)
    for redirect in redirects:
        if found := _led_on(redirect, index) or _partly_led_on(redirect, index):
            yield found


def _unreached(redirects: Sequence[PathRedirect]) -> Iterator[Fault]:
    earlier: dict[Place, int] = {}
    for redirect in redirects:
        source = redirect.source
        taken = next(((place, earlier[place]) for place in (source, *_above(source)) if place in earlier), None)
        if taken is None:
            earlier[source] = redirect.line
        elif taken[0] == source:
            yield fault(redirect.line, str(source), f"line {taken[1]} has the same from", "Keep one of the two.")
        else:
            limit = f"line {taken[1]}, {taken[0]}, takes it first"
            yield fault(redirect.line, str(source), limit, f"Move it above line {taken[1]}, or remove it.")


def _led_on(redirect: PathRedirect, index: Index) -> Fault | None:
    """What is wrong where the target of a line is itself redirected."""
    lines, end = _course(redirect, index)
    if not lines:
        return None
    shown = f"{redirect.source} → {redirect.target}"
    if end is None:
        return fault(redirect.line, shown, _endless(redirect, lines), "Lead to a place that no line redirects.")
    limit = f"line {lines[0]} leads on from there, and one visit is one redirect"
    return fault(redirect.line, shown, limit, f"Lead to {end} at once.")


def _endless(redirect: PathRedirect, lines: Sequence[int]) -> str:
    others = [str(line) for line in dict.fromkeys(lines) if line != redirect.line]
    if not others:
        return "it leads to itself"
    if len(others) >= MOST_HOPS - 1:
        return f"line {others[0]} leads on from there, and browsers give up after {MOST_HOPS} redirects in a row"
    return f"it is a loop, with line{'s' if len(others) > 1 else ''} {', '.join(others)}"


def _partly_led_on(redirect: PathRedirect, index: Index) -> Fault | None:
    """What is wrong where something below the target of a line is itself redirected."""
    met = index.met_by(redirect)
    if met is None or redirect.target.place is None:
        return None
    before = Place(
        redirect.source.host,
        redirect.source.path + met.source.path[len(redirect.target.place.path) :],
        met.source.below,
    )
    _, end = _course(met, index)
    limit = f"it leads {before} to {met.source}, from where line {met.line} leads on"
    remedy = f"Above this line, lead {before} to {end} at once." if end else f"Mend line {met.line} first."
    return fault(redirect.line, f"{redirect.source} → {redirect.target}", limit, remedy)


def _course(redirect: PathRedirect, index: Index) -> tuple[list[int], Target | None]:
    """The lines that lead on from a redirect's target, and where the last one ends; None in a loop."""
    lines: list[int] = []
    seen = {redirect.source}
    target = redirect.target
    while target.place and (acting := index.acting_on(target.place)):
        lines.append(acting.line)
        if target.place in seen or len(lines) >= MOST_HOPS:
            return lines, None
        seen.add(target.place)
        target = acting.leads(target.place)
    return lines, target


def _above(place: Place) -> Iterator[Place]:
    """The places that cover all of `place`, narrowest first; itself if it is one. None has more than MAX_SLASHES."""
    ends: list[int] = []
    while len(ends) < MAX_SLASHES and (slash := place.path.find("/", ends[-1] if ends else 0)) >= 0:
        ends.append(slash + 1)
    for end in reversed(ends):
        yield Place(place.host, place.path[:end], True)
