import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.redaction import holds_secret, redact

KINDS = ("sk_live_", "rk_test_", "whsec_", "xoxb-", "kit_", "AKIA", "ghp_")


@given(
    st.sampled_from(KINDS),
    st.text(string.ascii_letters + string.digits, min_size=8, max_size=60),
    st.text(" \"'<>{}:;,", max_size=5),
)
def test_no_secret_survives_wherever_it_stands(kind, rest, around):
    text = f"{around}{kind}{rest}{around}"

    assert holds_secret(text)
    assert kind + rest not in redact(text)
    assert kind in redact(text)


@given(st.sampled_from(KINDS), st.text(string.ascii_letters, min_size=8))
def test_redacting_twice_changes_nothing(kind, rest):
    once = redact(f"{kind}{rest}")

    assert redact(once) == once


def test_equal_secrets_are_told_to_be_equal_and_others_not():
    assert redact("sk_live_aaaaaaaa") == redact("sk_live_aaaaaaaa")
    assert redact("sk_live_aaaaaaaa") != redact("sk_live_bbbbbbbb")


def test_private_keys_and_signatures_are_taken_out():
    key = "-----BEGIN RSA PRIVATE KEY-----\nMIIB\nabc\n-----END RSA PRIVATE KEY-----"

    assert redact(f"a {key} b") == "a [private key] b"
    assert redact(f"t=1,v1={'0f' * 32}") == "t=1,v1=[signature]"


@pytest.mark.parametrize("text", ["", "max-age=31536000", "arn:aws:secretsmanager:eu-west-1:000000000001:secret:x/kit"])
def test_what_is_no_secret_stays(text):
    assert not holds_secret(text)
    assert redact(text) == text
