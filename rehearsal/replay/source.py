"""A file of events as text, piece by piece: plain or gzip, a path or standard input."""

import codecs
import contextlib
import gzip
import io
import itertools
import sys
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from rehearsal.errors import EventsError

STANDARD_INPUT = "-"
_PIECE_BYTES = 1 << 20
_GZIP = b"\x1f\x8b"  # RFC 1952, section 2.3.1
_OTHER_BOMS = {codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16"}
_AS_UTF8 = "write it as UTF-8 (in Windows PowerShell: … | Out-File -Encoding utf8 FILE)"


def shown_name(name: str) -> str:
    """What messages call the source."""
    return "standard input" if name == STANDARD_INPUT else name


@contextmanager
def pieces(name: str) -> Generator[Iterator[str]]:
    """The text of the file `name`, or of standard input for "-", in order; a byte order mark is left out.

    Raises EventsError when it cannot be opened and, while it is read, for what is not UTF-8 or no whole gzip file.
    """
    shown = shown_name(name)
    try:
        with contextlib.ExitStack() as ends:
            raw = sys.stdin.buffer if name == STANDARD_INPUT else ends.enter_context(open(name, "rb"))  # noqa: PTH123
            buffered = cast("io.BufferedReader", raw)
            start = buffered.peek(len(_GZIP))
            plain = gzip.GzipFile(fileobj=buffered) if start.startswith(_GZIP) else buffered
            yield _text(cast("BinaryIO", plain), shown)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise EventsError(f"{shown} is not a whole gzip file: {error}; copy it again, or unpack it first") from None
    except OSError as error:
        raise EventsError(f"{shown}: {error.strerror or error}; name a file of events with --events") from None


def _text(raw: BinaryIO, shown: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    line = 1
    for number in itertools.count():
        piece = raw.read(_PIECE_BYTES)
        if number == 0 and (other := _OTHER_BOMS.get(piece[:2])):
            raise EventsError(f"{shown} is {other}, not UTF-8; {_AS_UTF8}")
        try:
            text = decoder.decode(piece, final=not piece)
        except UnicodeDecodeError as error:
            line += error.object[: error.start].count(b"\n")
            found = f"byte 0x{error.object[error.start]:02x}"
            raise EventsError(f"{shown}, line {line}: {found} is not UTF-8 text; {_AS_UTF8}") from None
        if text:
            yield text
        if not piece:
            return
        line += text.count("\n")
