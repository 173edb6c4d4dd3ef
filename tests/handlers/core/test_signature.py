import hashlib
import hmac

import pytest
import stripe
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.core.errors import SignatureError
from handlers.core.signature import TOLERANCE_SECONDS, Reason, UnverifiedError, verify

NOW = 1_800_000_000
SECRET = "whsec_current"
BODY = b'{"id": "evt_1"}'


def signed(body: bytes, secret: str = SECRET, at: int = NOW) -> str:
    return hmac.new(secret.encode(), b"%d.%b" % (at, body), hashlib.sha256).hexdigest()


def header(body: bytes, secret: str = SECRET, at: int = NOW) -> str:
    return f"t={at},v1={signed(body, secret, at)}"


def reason(body: bytes, value: str | None, secrets: tuple[str, ...] = (SECRET,)) -> Reason:
    with pytest.raises(UnverifiedError) as caught:
        verify(body, value, secrets, now=NOW)
    assert isinstance(caught.value, SignatureError)
    return caught.value.reason


def test_it_returns_when_stripe_signed():
    assert verify(BODY, header(BODY, at=NOW - 7), [SECRET], now=NOW) == NOW - 7


def test_it_accepts_what_the_official_package_signs():
    value = stripe.WebhookSignature.generate_signature_header(BODY.decode(), SECRET, timestamp=NOW)
    assert verify(BODY, value, [SECRET], now=NOW) == NOW


@pytest.mark.parametrize("secrets", [(SECRET, "whsec_previous"), ("whsec_previous", SECRET)])
def test_it_accepts_any_of_several_secrets(secrets):
    assert verify(BODY, header(BODY), secrets, now=NOW) == NOW


def test_it_accepts_any_of_several_signatures_as_during_a_secret_roll():
    value = f"t={NOW},v1={signed(BODY, 'whsec_other')},v1={signed(BODY)},v0=ignored"
    assert verify(BODY, value, [SECRET], now=NOW) == NOW


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (NOW - TOLERANCE_SECONDS, None),
        (NOW - TOLERANCE_SECONDS - 1, Reason.STALE),
        (NOW + TOLERANCE_SECONDS, None),
        (NOW + TOLERANCE_SECONDS + 1, Reason.FUTURE),
    ],
)
def test_the_tolerance_holds_on_both_sides(at, expected):
    if expected is None:
        assert verify(BODY, header(BODY, at=at), [SECRET], now=NOW) == at
    else:
        assert reason(BODY, header(BODY, at=at)) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, Reason.MISSING),
        ("", Reason.MISSING),
        ("garbage", Reason.MALFORMED),
        (f"t={NOW}", Reason.MALFORMED),
        (f"v1={signed(BODY)}", Reason.MALFORMED),
        (f"t=,v1={signed(BODY)}", Reason.MALFORMED),
        (f"t= {NOW},v1={signed(BODY)}", Reason.MALFORMED),
        (f"t={NOW}_0,v1={signed(BODY)}", Reason.MALFORMED),
        (f"t=-{NOW},v1={signed(BODY)}", Reason.MALFORMED),
        ("t=1" + "0" * 5000 + ",v1=x", Reason.MALFORMED),
        (f"t={NOW},t={NOW},v1={signed(BODY)}", Reason.MALFORMED),
        (f"t={NOW},v0={signed(BODY)}", Reason.MALFORMED),
        (f"t={NOW},v1=", Reason.MISMATCH),
        (f"t={NOW},v1={signed(BODY).upper()}", Reason.MISMATCH),
        (f"t={NOW},v1={signed(BODY)[:-1]}", Reason.MISMATCH),
        (f"t={NOW},v1=é\ud800", Reason.MISMATCH),
        (f"t={NOW - 1},v1={signed(BODY)}", Reason.MISMATCH),
    ],
)
def test_each_refusal_has_its_reason(value, expected):
    assert reason(BODY, value) is expected


def test_a_body_changed_by_one_byte_is_refused():
    assert reason(BODY + b" ", header(BODY)) is Reason.MISMATCH


def test_no_secret_at_all_accepts_nothing():
    assert reason(BODY, header(BODY), secrets=()) is Reason.MISMATCH


@pytest.mark.parametrize("empty", ["", " \n"])
def test_an_empty_secret_is_never_used(empty):
    with pytest.raises(ValueError, match="empty"):
        verify(BODY, header(BODY, secret=empty), [empty], now=NOW)


def test_a_refusal_shows_neither_body_nor_secret():
    with pytest.raises(UnverifiedError) as caught:
        verify(BODY, header(BODY, "whsec_other"), [SECRET], now=NOW)
    assert SECRET not in str(caught.value)
    assert "evt_1" not in str(caught.value)


def stripe_accepts(body: bytes, value: str, secret: str) -> bool:
    """The official package's verdict, without its clock."""
    try:
        return stripe.WebhookSignature.verify_header(body, value, secret, tolerance=None)
    except (stripe.SignatureVerificationError, TypeError):  # TypeError: it compares non-ASCII text
        return False


def accepts(body: bytes, value: str, secret: str) -> bool:
    try:
        verify(body, value, [secret], now=NOW)
    except UnverifiedError:
        return False
    return True


times = st.integers(NOW - TOLERANCE_SECONDS, NOW + TOLERANCE_SECONDS)
secrets = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=40).map("whsec_".__add__)
schemes = st.sampled_from(["v1", "v0", "t2", ""])


@settings(deadline=None)
@given(st.text().map(str.encode), secrets, secrets, times, st.lists(st.tuples(schemes, st.booleans()), max_size=4))
def test_it_agrees_with_the_official_package_on_well_formed_headers(body, secret, other, at, items):
    parts = [f"t={at}"] + [f"{scheme}={signed(body, secret if good else other, at)}" for scheme, good in items]
    value = ",".join(parts)
    assert accepts(body, value, secret) == stripe_accepts(body, value, secret)


alphabet = st.sampled_from([*"tv10=, +-_é", str(NOW), signed(BODY), f"t={NOW}", f"v1={signed(BODY)}"])


@settings(deadline=None)
@given(st.lists(alphabet, max_size=9).map("".join))
def test_it_never_accepts_a_header_that_the_official_package_refuses(value):
    if accepts(BODY, value, SECRET):
        assert stripe_accepts(BODY, value, SECRET)
