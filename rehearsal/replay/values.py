"""The JSON objects in a text, one at a time, each with its line: lists and list pages are entered, not held.

What people have of their events is one object a line, one list, pages of a list (`{"object": "list", "data": […]}`)
one after another, or any of these with lines of text around them, as a command line tool prints warnings. Memory
holds one object of a list at a time, so a page may be as long as it likes.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from rehearsal.errors import EventsError

_SPACE = " \t\n\r"
_SHOWN = 40  # characters of what was found
_FRAGMENTS = '"}],:'  # a line of text that begins so is rather the rest of a broken object
_COLOUR = "\x1b"
_GOES_ON = {"", *".eE+-0123456789"}  # what follows a number that may have been cut by the end of what is held


@dataclass(frozen=True)
class Found:
    """A JSON value, or a line of text that is none (then `value` is that text), and where it begins."""

    line: int
    value: Any
    is_json: bool = True
    more: bool = False  # a page that says there are further ones; `value` is then its own fields


def values(text: Iterator[str], shown: str) -> Iterator[Found]:
    """Every value of `text`, in order. Raises EventsError with line and column for what is not JSON."""
    reading = _Reading(text, shown)
    try:
        yield from _all(reading)
    except RecursionError:
        reading.fail("a value is nested too deeply", "no event of Stripe is; leave it out")


def _all(reading: "_Reading") -> Iterator[Found]:
    ended_on = 0
    while char := reading.next():
        line = reading.line
        if reading.begins_structure():
            yield from _array(reading) if char == "[" else _object(reading)
            ended_on = reading.line
        elif line == ended_on:
            reading.fail(f"expected a new line or another object, found {reading.excerpt()}")
        else:
            yield _other_line(reading, line)


def _other_line(reading: "_Reading", line: int) -> Found:
    """A line that does not begin as an object or a list."""
    shown = reading.excerpt()
    rest = reading.rest_of_line()
    try:
        return Found(line, json.loads(rest))
    except ValueError:
        if rest[0] in _FRAGMENTS:
            reading.fail(f"expected an object or a list, found {shown}", "a line may be cut: is the file whole?", line)
        return Found(line, rest, is_json=False)


def _array(reading: "_Reading") -> Iterator[Found]:
    reading.take("[")
    if reading.next() == "]":
        reading.take("]")
        return
    while True:
        line = reading.line_of_next()
        match reading.next():
            case "{":
                yield from _object(reading)
            case "[":
                yield from _array(reading)
            case _:
                yield Found(line, reading.value())
        if reading.take(",]") == "]":
            return


def _object(reading: "_Reading") -> Iterator[Found]:
    """An object; of a page, which is one whose `data` is a list, what that list holds."""
    line = reading.line_of_next()
    reading.take("{")
    fields: dict[str, Any] = {}
    is_page = False
    if reading.next() == "}":
        reading.take("}")
        yield Found(line, fields)
        return
    while True:
        if reading.next() != '"':
            reading.fail(f"expected a name in quotation marks, found {reading.excerpt()}")
        name = reading.value()
        reading.take(":")
        if name == "data" and reading.next() == "[":
            is_page = True
            yield from _array(reading)
        else:
            fields[name] = reading.value()
        if reading.take(",}") == "}":
            break
    if not is_page:
        yield Found(line, fields)
    elif fields.get("has_more") is True or isinstance(fields.get("next_page_url"), str):
        yield Found(line, fields, more=True)


class _Reading:
    """A place in the text, with as much of it around as the value that is being read needs."""

    def __init__(self, text: Iterator[str], shown: str) -> None:
        self.line = 1
        self._text = text
        self._shown = shown
        self._held = ""
        self._at = 0
        self._column = 1  # of `_at`
        self._ended = False
        self._decoder = json.JSONDecoder(parse_constant=_no_constant)

    def next(self) -> str:
        """The next character that is no white space, which is skipped; "" at the end."""
        while True:
            end = self._at
            while end < len(self._held) and self._held[end] in _SPACE:
                end += 1
            self._go(end)
            if end < len(self._held):
                return self._held[end]
            if not self._more():
                return ""

    def line_of_next(self) -> int:
        """The line of the next character that is no white space."""
        self.next()
        return self.line

    def begins_structure(self) -> bool:
        """Whether an object or a list begins here, and not text such as "[warning]"."""
        first = self._held[self._at]
        if first not in "{[":
            return False
        end = self._at + 1
        while True:
            while end < len(self._held) and self._held[end] in _SPACE:
                end += 1
            if end < len(self._held):
                return self._held[end] in ('"}' if first == "{" else "{[]")
            behind = end - self._at
            if not self._more():
                return True  # which fails with the right message
            end = self._at + behind

    def take(self, expected: str) -> str:
        """The next character, which must be one of `expected`."""
        found = self.next()
        if not found or found not in expected:
            wanted = " or ".join(repr(char) for char in expected)
            self.fail(f"expected {wanted}, found {self.excerpt()}")
        self._go(self._at + 1)
        return found

    def value(self) -> Any:
        """The whole JSON value that comes next."""
        self.next()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._held, self._at)
            except ValueError as error:
                if self._more():
                    continue
                self._fail_at(error)
            if self._held[end : end + 1] in _GOES_ON and self._more():
                continue
            self._go(end)
            return value

    def rest_of_line(self) -> str:
        """What is left of the line, without the space around it."""
        while (end := self._held.find("\n", self._at)) < 0:
            if not self._more():
                end = len(self._held)
                break
        rest = self._held[self._at : end].strip()
        self._go(end)
        return rest

    def excerpt(self) -> str:
        """The next few characters, as a message shows them."""
        if self._at >= len(self._held) and not self._more():
            return "the end"
        found = self._held[self._at : self._at + _SHOWN].split("\n", 1)[0].strip()
        return repr(found)

    def fail(self, what: str, remedy: str = "is the file whole, and JSON?", line: int | None = None) -> NoReturn:
        """Refuse the text at this place, or at the beginning of `line`."""
        where = f"line {self.line}, column {self._column}" if line is None else f"line {line}"
        if _COLOUR in self._held[self._at : self._at + _SHOWN]:
            remedy = "the colours of a terminal are in it: write it with colours off (stripe … --color off)"
        raise EventsError(f"{self._shown}, {where}: {what}; {remedy}") from None

    def _fail_at(self, error: ValueError) -> NoReturn:
        if isinstance(error, json.JSONDecodeError):
            self._go(max(self._at, min(error.pos, len(self._held))))
            self.fail(f"{error.msg[:1].lower()}{error.msg[1:]}, found {self.excerpt()}")
        self.fail(str(error))

    def _go(self, end: int) -> None:
        lines = self._held.count("\n", self._at, end)
        if lines:
            self.line += lines
            self._column = end - self._held.rfind("\n", self._at, end)
        else:
            self._column += end - self._at
        self._at = end

    def _more(self) -> bool:
        """Hold at least twice as much from this place on, so that reading a long value again stays cheap."""
        if self._ended:
            return False
        pieces = [self._held[self._at :]]
        wanted, got = len(pieces[0]), 0
        while got <= wanted:
            piece = next(self._text, "")
            if not piece:
                self._ended = True
                break
            pieces.append(piece)
            got += len(piece)
        if got:
            self._held, self._at = "".join(pieces), 0
        return got > 0


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
