"""The app's own list of who is who: a CSV file of Stripe customers and the app's user ids.

Accounts are joined by what somebody wrote down on purpose, so a file is taken whole or not at all: whatever might mean
something else than it seems is refused with its line. Columns: `customer` (cus_…, or pi_… of a payment without one) and
`user_id`; `email` is read too, for `--match-email`. Others are left alone. RFC 4180, with any of , ; and tab between.
"""

import codecs
import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from handlers.core.nodes import MAX_USER_ID
from handlers.core.stripe_objects import MAX_TEXT
from handlers.operations.errors import UsageError

CUSTOMER, USER, EMAIL = "customer", "user_id", "email"
SUBJECTS = ("cus_", "acct_", "pi_", "ch_", "py_", "cs_")  # who pays: a customer, an account, or a payment without one
MAX_BYTES = 100 * 1024 * 1024
MAX_PROBLEMS = 20  # that are told at once

_SEPARATORS = (",", ";", "\t")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class IdentitiesError(UsageError):
    """The file cannot be taken; the message names each line, what is wrong with it and what to do."""


@dataclass(frozen=True)
class Named:
    """Who somebody is by the app's account: `user`, on line `line` of the file."""

    user: str
    line: int


@dataclass(frozen=True, kw_only=True)
class Identities:
    """What a file says. `emails` are compared without regard to case, and hold those that one row alone has."""

    users: Mapping[str, Named] = field(default_factory=dict)  # by customer, or by payment
    emails: Mapping[str, Named] = field(default_factory=dict)  # of rows that name no customer
    rows: int = 0
    repeated: int = 0  # rows that say what another says
    incomplete: int = 0  # rows without a user, or with nothing to know a payer by
    shared: int = 0  # rows without a customer whose e-mail another row has too


@dataclass(frozen=True)
class _Row:
    line: int
    customer: str
    user: str
    email: str


def read(path: Path) -> Identities:
    """The identities in the file at `path`. Raises IdentitiesError."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise IdentitiesError(f"{path} has {size} bytes, at most {MAX_BYTES} are taken: split it")
        raw = path.read_bytes()
    except OSError as error:
        raise IdentitiesError(f"{path} cannot be read: {error.strerror}") from None
    return parse(raw, str(path))


def parse(raw: bytes, name: str = "the file") -> Identities:
    """The identities in a file's bytes. Raises IdentitiesError."""
    text, doubtful = _decoded(raw, name)
    problems: list[str] = []
    rows = list(_rows(text, name, doubtful=doubtful, problems=problems))
    users: dict[str, Named] = {}
    repeated = incomplete = 0
    for row in rows:
        known = users.get(row.customer)
        if not row.user or not (row.customer or row.email):
            incomplete += 1
        elif not row.customer:
            continue
        elif known is None:
            users[row.customer] = Named(row.user, row.line)
        elif known.user == row.user:
            repeated += 1
        else:
            problems.append(
                f"lines {known.line} and {row.line}: {row.customer} is two different users; leave the one that is right"
            )
    if problems:
        raise IdentitiesError(_listed(name, problems))
    emails, shared = _by_email(rows)
    return Identities(
        users=users, emails=emails, rows=len(rows), repeated=repeated, incomplete=incomplete, shared=shared
    )


def email_key(email: str) -> str:
    """What two spellings of one address have in common."""
    return email.strip().casefold()


def _by_email(rows: list[_Row]) -> tuple[dict[str, Named], int]:
    """The users of rows without a customer whose address no other row has, and how many such rows share theirs."""
    holders: dict[str, list[_Row]] = {}
    for row in rows:
        if row.email and row.user:
            holders.setdefault(email_key(row.email), []).append(row)
    nameless = {
        email: [row for row in sharing if not row.customer]
        for email, sharing in holders.items()
        if not all(row.customer for row in sharing)
    }
    found = {email: Named(own[0].user, own[0].line) for email, own in nameless.items() if len(holders[email]) == 1}
    return found, sum(len(own) for email, own in nameless.items() if email not in found)


def _decoded(raw: bytes, name: str) -> tuple[str, bool]:
    """The text, and whether letters beyond ASCII may have been meant otherwise."""
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            try:
                return raw.decode(encoding), False
            except UnicodeDecodeError as error:
                raise IdentitiesError(f"{name}: byte {error.start} is not {encoding}: save it as CSV UTF-8") from None
    if b"\0" in raw[:4096]:
        raise IdentitiesError(f"{name} looks like UTF-16 without its mark, or is no text: save it as CSV UTF-8")
    try:
        return raw.decode("utf-8"), False
    except UnicodeDecodeError:
        return raw.decode("latin-1"), True


def _rows(text: str, name: str, *, doubtful: bool, problems: list[str]) -> Iterator[_Row]:
    """The rows that say something; what is wrong with the others is added to `problems`."""
    separator = _separator(text.partition("\n")[0])
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    begun = 1
    try:
        head = next(reader, [])
        places = _places(head, name)
        begun = reader.line_num + 1
        for cells in reader:
            line, begun = begun, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(head):
                problems.append(f"line {line}: {len(cells)} columns, line 1 has {len(head)}; is a quote missing?")
                continue
            told = {column: cells[place].strip() for column, place in places.items()}
            row = _Row(line, told.get(CUSTOMER, ""), told[USER], told.get(EMAIL, ""))
            wrong = _wrong(row, doubtful=doubtful)
            if wrong:
                problems.append(f"line {line}: {wrong}")
            else:
                yield row
    except csv.Error as error:
        problems.append(f"line {begun}: {error}; quote cells that hold quotes or line breaks, and double their quotes")


def _separator(head: str) -> str:
    """What parts the columns: whatever parts the most of them in the first line."""
    return max(_SEPARATORS, key=head.count)


def _places(head: list[str], name: str) -> dict[str, int]:
    """Where the columns that we read are. Raises IdentitiesError, which quotes none: it may be somebody's address."""
    columns = [cell.strip().lower() for cell in head]
    wanted = (CUSTOMER, USER, EMAIL)
    twice = [column for column in wanted if columns.count(column) > 1]
    if twice:
        raise IdentitiesError(f"{name}: line 1 names the column {twice[0]} more than once")
    if USER not in columns or not {CUSTOMER, EMAIL} & set(columns):
        raise IdentitiesError(
            f"{name}: line 1 must name the columns {CUSTOMER} and {USER}, it has {len(columns)} others or one of them"
        )
    return {column: columns.index(column) for column in wanted if column in columns}


def _wrong(row: _Row, *, doubtful: bool) -> str | None:
    """What is wrong with the row, without quoting it."""
    cells = {CUSTOMER: row.customer, USER: row.user, EMAIL: row.email}
    if doubtful and not all(cell.isascii() for cell in cells.values()):
        return "letters beyond ASCII, and the file is not UTF-8: save it as CSV UTF-8"
    for column, cell in cells.items():
        if cell and not cell.isprintable():
            return f"{column} holds a control character or a line break"
    if row.customer and not row.customer.startswith(SUBJECTS):
        return f"{CUSTOMER} must be Stripe's id (cus_…), or of a payment without a customer (pi_…)"
    if len(row.customer) > MAX_TEXT:
        return f"{CUSTOMER} has {len(row.customer)} characters, at most {MAX_TEXT} are taken"
    if len(row.user) > MAX_USER_ID:
        return f"{USER} has {len(row.user)} characters, at most {MAX_USER_ID} are taken"
    return None


def _listed(name: str, problems: list[str]) -> str:
    told = problems[:MAX_PROBLEMS]
    more = [f"and {len(problems) - len(told)} more"] if len(problems) > len(told) else []
    return "\n  ".join([f"{name} has {len(problems)} problems, nothing of it was taken:", *told, *more])
