import pytest

from infra.redirects.lines import Line, read

HEAD = b"from,to,status\n"


def lines(content: bytes) -> list[Line]:
    found, faults = read(content)
    assert not faults
    return found


def fault(content: bytes) -> tuple[int, str]:
    found, faults = read(content)
    assert not found
    [only] = faults
    assert only.value
    assert only.remedy.endswith(".")
    return only.line, only.limit


def test_a_line_is_read_as_it_is_written() -> None:
    assert lines(HEAD + b"/old,/new,302\n") == [Line(number=2, source="/old", target="/new", status=302)]


@pytest.mark.parametrize("written", [b"/old,/new", b"/old,/new,", b"/old,/new,301", b"/old,/new, 301 "])
def test_the_status_may_be_left_out(written: bytes) -> None:
    assert [line.status for line in lines(HEAD + written)] == [301]


def test_blank_lines_and_windows_line_ends_are_fine_and_are_counted() -> None:
    found = lines(b"from,to,status\r\n\r\n/a,/b\r\n   \r\n/c,/d\r\n")
    assert [(line.number, line.source, line.target) for line in found] == [(3, "/a", "/b"), (5, "/c", "/d")]


def test_a_quoted_column_may_hold_a_comma() -> None:
    assert lines(HEAD + b'"/a,b",/c')[0].source == "/a,b"


def test_a_file_with_its_header_alone_is_empty() -> None:
    assert lines(HEAD) == []
    assert lines(HEAD.strip()) == []


@pytest.mark.parametrize(
    ("content", "line", "limit"),
    [
        (b"", 1, "the first line names the columns"),
        (b"/a,/b,301\n", 1, "the first line names the columns"),
        (b"from;to;status\n", 1, "the first line names the columns"),
        (b"From,To,Status\n", 1, "the first line names the columns"),
        (b"\xef\xbb\xbffrom,to,status\n", 1, "without a byte order mark"),
        ("from,to,status\n".encode("utf-16"), 1, "without a byte order mark"),
        (HEAD + b"/a,/b\n/caf\xe9,/c\n", 3, "byte 25 begins no character"),
        (HEAD + b"/a\x00,/b", 2, "no control characters"),
        (HEAD + b"/a\t,/b", 2, "no control characters"),
        (HEAD + b"/a,/b\r/c,/d", 2, "no control characters"),
        (HEAD + b'"/a,/b\n', 2, "ends with a quote on the same line"),
        (HEAD + b'"/a"b,/c\n', 2, "ends with a quote on the same line"),
        (HEAD + b"/a\n", 2, "this one 1"),
        (HEAD + b"/a,/b,301,x\n", 2, "this one 4"),
        (HEAD + b"/a,/b,303\n", 2, "a status is 301, 302, 307, 308"),
        (HEAD + b"/a,/b,permanent\n", 2, "a status is 301, 302, 307, 308"),
    ],
)
def test_what_is_no_line_of_the_file_is_told_with_its_number(content: bytes, line: int, limit: str) -> None:
    found, text = fault(content)
    assert found == line
    assert limit in text


def test_a_stray_quote_spoils_its_own_line_alone() -> None:
    found, faults = read(HEAD + b'/a,/b\n"/c,/d\n/e,/f\n')
    assert [line.number for line in found] == [2, 4]
    assert [each.line for each in faults] == [3]


def test_what_cannot_be_printed_is_shown_escaped_and_short() -> None:
    _, [each] = read(HEAD + b"/a\x1b[31m" + b"x" * 200 + b",/b")
    assert each.value.startswith("/a\\x1b[31m")
    assert len(each.value) == 80
