"""The app's list of who is who: what is taken, and what is refused with its line."""

import csv
import io
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.operations.identities import IdentitiesError, Named, parse, read

HEAD = "customer,user_id\n"


def users(text: str) -> dict[str, str]:
    return {customer: named.user for customer, named in parse(text.encode()).users.items()}


def refusal(raw: bytes | str) -> str:
    with pytest.raises(IdentitiesError) as caught:
        parse(raw.encode() if isinstance(raw, str) else raw)
    return str(caught.value)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_columns_are_found_by_name_among_others(separator: str, ending: str) -> None:
    rows = [["name", " User_ID", "customer ", "plan"], ["Zoë", "u1", "cus_1", "pro"], ["", " u2 ", "cus_2", ""]]
    text = ending.join(separator.join(row) for row in rows)
    assert users(text) == {"cus_1": "u1", "cus_2": "u2"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_that_say_what_they_are_are_read(encoding: str) -> None:
    told = parse("customer,user_id\ncus_1,zoë\n".encode(encoding))
    assert told.users == {"cus_1": Named("zoë", 2)}


def test_another_encoding_is_read_where_only_foreign_columns_need_it() -> None:
    told = parse("name,customer,user_id\nZoë,cus_1,u1\n".encode("latin-1"))
    assert told.users == {"cus_1": Named("u1", 2)}


def test_another_encoding_is_refused_where_a_user_id_may_mean_something_else() -> None:
    told = refusal("customer,user_id\ncus_1,u1\ncus_2,zoë\n".encode("latin-1"))
    assert "line 3: letters beyond ASCII, and the file is not UTF-8: save it as CSV UTF-8" in told


def test_utf_16_without_its_mark_is_refused() -> None:
    assert "save it as CSV UTF-8" in refusal("customer,user_id\n".encode("utf-16-le"))


def test_quotes_hold_separators_quotes_and_line_breaks() -> None:
    text = 'note,customer,user_id\n"a, ""b""\nc",cus_1,u1\nplain,cus_2,u2\n'
    assert parse(text.encode()).users == {"cus_1": Named("u1", 2), "cus_2": Named("u2", 4)}


def test_the_same_row_again_is_counted_and_blank_ones_are_passed() -> None:
    told = parse(f"{HEAD}cus_1,u1\n\n , \ncus_1,u1\ncus_2,\n,u3\n".encode())
    assert (users_of := told.users.keys()) == {"cus_1"}, users_of
    assert (told.rows, told.repeated, told.incomplete) == (4, 1, 2)


def test_a_customer_who_is_two_users_is_refused_with_both_lines() -> None:
    told = refusal(f"{HEAD}cus_1,u1\ncus_2,u2\ncus_1,u9\n")
    assert "lines 2 and 4: cus_1 is two different users; leave the one that is right" in told


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "line 1 must name the columns customer and user_id"),
        ("ada@example.com,u1\n", "line 1 must name the columns customer and user_id"),
        ("customer,user_id,customer\n", "more than once"),
        (f"{HEAD}cus_1\n", "line 2: 1 columns, line 1 has 2"),
        (f"{HEAD}cus_1,u1,x\n", "line 2: 3 columns, line 1 has 2"),
        (f"{HEAD}ada@example.com,u1\n", "line 2: customer must be Stripe's id (cus_…)"),
        (f"{HEAD}cus_1,{'u' * 257}\n", "line 2: user_id has 257 characters, at most 256 are taken"),
        (f"{HEAD}cus_1,a\x00b\n", "UTF-16"),
        (f"{HEAD}cus_1,a\x1bb\n", "line 2: user_id holds a control character"),
        (f'{HEAD}cus_1,"u1\ncus_2,u2\n', "line 2: unexpected end of data"),
        (f'{HEAD}cus_1,"u1" x\ncus_2,u2\n', "line 2: "),
    ],
)
def test_what_may_mean_something_else_is_refused(text: str, reason: str) -> None:
    told = refusal(text)
    assert reason in told
    assert "ada@" not in told


def test_all_problems_are_told_up_to_a_limit() -> None:
    told = refusal(HEAD + "".join(f"x{number},u\n" for number in range(30)))
    assert "has 30 problems, nothing of it was taken" in told
    assert told.count("\n") == 21
    assert told.endswith("and 10 more")


def test_an_address_counts_only_where_one_row_alone_has_it() -> None:
    rows = [",u1,Ada@example.com", ",u2,bob@example.com", ",u3,BOB@example.com", "cus_4,u4,c@x.de", ",u5,c@x.de"]
    told = parse("\n".join(["customer,user_id,email", *rows]).encode())
    assert told.emails == {"ada@example.com": Named("u1", 2)}
    assert told.shared == 3


def test_a_file_without_customers_can_still_be_matched_by_address() -> None:
    assert parse(b"email,user_id\nada@example.com,u1\n").emails == {"ada@example.com": Named("u1", 2)}


def test_a_file_that_is_not_there_is_an_error_of_the_command_line(tmp_path: Path) -> None:
    with pytest.raises(IdentitiesError, match="cannot be read: No such file"):
        read(tmp_path / "none.csv")


def test_a_hundred_thousand_rows_take_a_moment(tmp_path: Path) -> None:
    path = tmp_path / "users.csv"
    path.write_text(HEAD + "".join(f"cus_{number:08d},user_{number:08d}\n" for number in range(100_000)))
    begun = time.process_time()
    assert len(read(path).users) == 100_000
    assert time.process_time() - begun < 5


_TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Z", "Cn", "Cf", "Co")), min_size=1, max_size=20
)


@given(st.dictionaries(st.from_regex(r"cus_[A-Za-z0-9]{1,14}", fullmatch=True), _TEXTS), st.text(max_size=20))
def test_what_a_spreadsheet_writes_is_read_back(wanted: dict[str, str], foreign: str) -> None:
    told = io.StringIO()
    writer = csv.writer(told)
    writer.writerow(["note", "customer", "user_id"])
    writer.writerows([foreign.replace("\0", ""), customer, user] for customer, user in wanted.items())
    assert users(told.getvalue()) == wanted


@given(st.binary(max_size=300))
def test_any_bytes_are_taken_or_refused(raw: bytes) -> None:
    with suppress(IdentitiesError):
        assert parse(raw).rows >= 0
