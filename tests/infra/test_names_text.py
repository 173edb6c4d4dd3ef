import dns.rdata
import dns.rdataclass
import dns.rdatatype
import pytest
from dns.rdtypes.ANY.TXT import TXT
from hypothesis import given
from hypothesis import strategies as st

from infra.names.text import STRING_OCTETS, joined, plain, quoted

any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=700)


def strings(content: str) -> tuple[bytes, ...]:
    rdata = dns.rdata.from_text("IN", "TXT", content)
    assert isinstance(rdata, TXT)
    return rdata.strings


@given(any_text)
def test_any_text_is_read_back_as_it_was_written(text: str) -> None:
    assert joined(quoted(text)) == text
    assert b"".join(strings(quoted(text))).decode() == text


@given(any_text)
def test_every_string_but_the_last_is_full(text: str) -> None:
    assert all(len(part) == STRING_OCTETS for part in strings(quoted(text))[:-1])
    assert len(strings(quoted(text))[-1]) <= STRING_OCTETS


@given(any_text)
def test_what_is_sent_is_printable_ascii(text: str) -> None:
    assert quoted(text).isascii()
    assert quoted(text).isprintable()


@given(st.lists(st.binary(max_size=255).filter(lambda part: not part.startswith(b"\xff")), min_size=1, max_size=5))
def test_strings_that_were_split_elsewhere_mean_the_same(parts: list[bytes]) -> None:
    content = TXT(dns.rdataclass.IN, dns.rdatatype.TXT, parts).to_text()
    try:
        meant = b"".join(parts).decode()
    except UnicodeDecodeError:
        with pytest.raises(ValueError, match="no UTF-8"):
            joined(content)
    else:
        assert joined(content) == meant
        assert joined(quoted(joined(content))) == meant


@pytest.mark.parametrize(("length", "parts"), [(0, 1), (1, 1), (255, 1), (256, 2), (510, 2), (511, 3)])
def test_a_text_is_split_at_exactly_255_octets(length: int, parts: int) -> None:
    assert len(strings(quoted("a" * length))) == parts


def test_octets_are_counted_and_not_characters() -> None:
    assert [len(part) for part in strings(quoted("é" * 128))] == [255, 1]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("v=spf1 -all", "v=spf1 -all"),
        ('"v=spf1 -all"', "v=spf1 -all"),
        ('"v=spf1 " "-all"', "v=spf1 -all"),
        ('say "hello"', 'say "hello"'),
        (r'"say \"hello\""', 'say "hello"'),
        (r"back\slash", r"back\slash"),
        ("  kept  ", "  kept  "),
    ],
)
def test_quotes_around_the_whole_are_the_zone_files_and_others_are_meant(written: str, meant: str) -> None:
    assert plain(written) == meant
    assert joined(quoted(plain(written))) == meant


@pytest.mark.parametrize("content", ['"', '"a', '"a" "', '"a" b"', '"' + "a" * 256 + '"'])
def test_quotes_that_do_not_fit_are_refused(content: str) -> None:
    with pytest.raises(ValueError, match="quotes do not fit"):
        joined(content)
