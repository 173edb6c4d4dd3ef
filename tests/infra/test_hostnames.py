import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.hostnames import absolute, domain_fault, label_fault, owner_fault, record_fault

INNER = string.ascii_lowercase + string.digits
label = st.builds(
    lambda first, middle, last: first + middle + last,
    st.sampled_from(string.ascii_lowercase),
    st.text(INNER + "-", max_size=40).filter(lambda middle: "--" not in middle),
    st.sampled_from(INNER),
)
domain = st.lists(label, min_size=2, max_size=4).map(".".join)


@given(domain)
def test_a_domain_of_sound_labels_is_accepted(name: str) -> None:
    assert domain_fault(name) is None


@given(
    domain, st.sampled_from(["https://{}", "{}.", "{}:443", "{}/path", ".{}", "{} ", "a..{}", "-{}", "_x.{}", "*.{}"])
)
def test_a_domain_with_anything_around_it_is_refused(name: str, around: str) -> None:
    assert domain_fault(around.format(name))


@given(domain)
def test_a_domain_in_capitals_is_refused(name: str) -> None:
    assert domain_fault(name.upper()) == "a name is written in lower case"


@given(st.integers(min_value=64, max_value=300))
def test_a_label_of_more_than_63_characters_is_refused(length: int) -> None:
    fault = domain_fault("a" * length + ".example") or ""
    assert "63 characters" in fault or "253 characters" in fault


def test_the_longest_label_and_the_longest_name_are_accepted_and_one_more_is_not() -> None:
    longest = ".".join(["a" * 63] * 3 + ["b" * 61])
    assert len(longest) == 253
    assert domain_fault(longest) is None
    assert "253 characters (RFC 1035), this one 254" in (domain_fault(longest + "b") or "")


@given(st.text(max_size=60))
def test_any_text_is_judged_without_an_exception(text: str) -> None:
    for judge in (domain_fault, label_fault, owner_fault, record_fault):
        assert judge(text) is None or judge(text)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "not empty"),
        ("example", "at least two labels"),
        ("192.0.2.1", "an address is not a domain"),
        ("schöne.example", "here xn--schne-lua.example"),
        ("xn--0.example", "not a valid IDNA label"),
        ("a_b.example", "letters, digits and inner hyphens"),
    ],
)
def test_what_is_wrong_with_a_domain_is_said(name: str, said: str) -> None:
    assert said in (domain_fault(name) or "")


def test_no_other_name_is_proposed_than_the_one_that_was_typed() -> None:
    assert domain_fault("straße.example") == "a name is written in its IDNA form"


def test_an_idna_label_is_accepted() -> None:
    assert domain_fault("xn--schne-lua.example") is None


def test_records_may_have_underscores_and_hosts_may_not() -> None:
    assert record_fault("_dmarc.tidewriters.example") is None
    assert record_fault("_dmarc.tidewriters.example", host_only=True)


@pytest.mark.parametrize("name", ["@", "*", "*.eu", "_dmarc", "s1._domainkey.eu", "xn--schn-7qa", "0"])
def test_a_record_stands_at_any_name_of_the_zone(name: str) -> None:
    assert owner_fault(name) is None


@given(domain)
def test_an_asterisk_is_the_whole_first_label_of_a_wildcard_or_none(name: str) -> None:
    assert owner_fault(f"*.{name}") is None
    for elsewhere in (f"{name}.*", f"a.*.{name}", f"*a.{name}", f"**.{name}"):
        assert owner_fault(elsewhere)


def test_an_address_is_no_target_of_a_record() -> None:
    assert record_fault("192.0.2.1") == "an address is not a name"


def test_a_relative_target_is_refused() -> None:
    assert "relative name" in (record_fault("app") or "")


def test_the_apex_is_the_domain_itself() -> None:
    assert (absolute("@", "a.example"), absolute("app", "a.example")) == ("a.example", "app.a.example")
