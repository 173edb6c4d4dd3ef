import base64
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.core.identity import (
    MAX_REFERENCE,
    MAX_REFERENCE_USER_BYTES,
    ClaimError,
    IdentityKeyError,
    claim_token,
    claimed_customer,
    parse_keys,
    sign_reference,
    user_of_reference,
)
from handlers.core.nodes import MAX_USER_ID

KEY = "an example key, known to everybody: 1"
NEXT = "an example key, known to everybody: 2"
NOW = 1_790_000_000
# Made with `openssl dgst -sha256 -mac HMAC` over "launch-ready claim v1\0" and what follows the MAC.
TOKEN = "lc1_a7ys9Bn-1V1OuCJaQtHz7L2P5MGlJIAs0q9SiL_xUfI1790000000-cus_Ada0001"

URL_SAFE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

user_ids = st.text(st.characters(categories=["L", "M", "N", "P", "S"]) | st.just(" "), min_size=1, max_size=60).filter(
    lambda user_id: user_id.isprintable() and len(user_id.encode()) <= MAX_REFERENCE_USER_BYTES
)
keys = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=32, max_size=80)
stripe_ids = st.from_regex(r"[A-Za-z0-9_]{1,255}", fullmatch=True)
expiries = st.integers(1, 10**12 - 1)


@st.composite
def changes(draw: st.DrawFn, text: str) -> str:
    """`text` with one character replaced, left out or put in."""
    place = draw(st.integers(0, len(text) - 1))
    put = draw(st.sampled_from([*URL_SAFE, "", "=", "+", "\n", "é", "\ud800"]))
    changed = text[:place] + put + text[place + draw(st.sampled_from([0, 1])) :]
    return changed if changed != text else text + put + "A"


def refused(token: str, keys: tuple[str, ...] = (KEY,), now: int = NOW) -> str:
    with pytest.raises(ClaimError) as caught:
        claimed_customer(token, keys, now)
    return caught.value.reason


@given(user_ids, keys, keys)
def test_a_signed_reference_gives_the_user_back_to_whoever_holds_the_key(user_id, key, other):
    reference = sign_reference(user_id, key)
    assert user_of_reference(reference, (key,)) == user_id
    assert user_of_reference(reference, (other, key)) == user_id
    if other != key:
        assert user_of_reference(reference, (other,)) is None


@given(user_ids, keys)
def test_stripe_takes_every_reference_as_it_is(user_id, key):
    reference = sign_reference(user_id, key)
    assert len(reference) <= MAX_REFERENCE
    assert set(reference) <= set(URL_SAFE)


@given(st.data(), user_ids)
def test_a_reference_with_any_character_changed_names_nobody(data, user_id):
    changed = data.draw(changes(sign_reference(user_id, KEY)))
    assert user_of_reference(changed, (KEY, NEXT)) is None


@given(st.text() | st.text(URL_SAFE, min_size=45, max_size=200).map("lr1_".__add__))
def test_what_a_payer_types_names_nobody(typed):
    assert user_of_reference(typed, (KEY,)) is None


def test_the_longest_user_id_fills_what_stripe_takes():
    assert len(sign_reference("u" * MAX_REFERENCE_USER_BYTES, KEY)) == MAX_REFERENCE - 1
    # One more would need two characters, as base64 writes three bytes in four.
    with pytest.raises(ValueError, match="at most 114 bytes of UTF-8 here, got 115"):
        sign_reference("u" * (MAX_REFERENCE_USER_BYTES + 1), KEY)
    assert MAX_REFERENCE_USER_BYTES <= MAX_USER_ID  # so that the table can hold every user that a reference names


@pytest.mark.parametrize("user_id", ["", "user\n", "\0", "user\u00a0ada", "user\ud800"])
def test_a_user_id_that_cannot_be_one_is_not_signed(user_id):
    with pytest.raises(ValueError, match="printable"):
        sign_reference(user_id, KEY)


@pytest.mark.parametrize(
    "sign", [lambda key: sign_reference("user_ada", key), lambda key: claim_token("cus_1", key, 1)]
)
def test_nothing_is_signed_with_a_key_that_can_be_guessed(sign):
    with pytest.raises(ValueError, match="at least 32 characters, got 31") as caught:
        sign(KEY[:31])
    assert KEY[:31] not in str(caught.value)


@given(stripe_ids, keys, keys, expiries, st.data())
def test_a_claim_token_names_the_customer_until_it_expires(customer, key, other, expires_at, data):
    token = claim_token(customer, key, expires_at)
    assert set(token) <= set(URL_SAFE)
    before = data.draw(st.integers(0, expires_at - 1))
    assert claimed_customer(token, (key,), before) == customer
    assert claimed_customer(token, (other, key), before) == customer
    assert refused(token, (key,), now=data.draw(st.integers(expires_at, 2**40))) == "expired"
    if other != key:
        assert refused(token, (other,), now=before) == "not ours"


@given(st.data(), stripe_ids, expiries)
def test_a_claim_token_with_any_character_changed_is_not_ours(data, customer, expires_at):
    changed = data.draw(changes(claim_token(customer, KEY, expires_at)))
    assert refused(changed, (KEY, NEXT), now=0) == "not ours"


def test_a_claim_token_is_what_the_page_says():
    assert claim_token("cus_Ada0001", KEY, NOW) == TOKEN
    assert claimed_customer(TOKEN, (NEXT, KEY), NOW - 1) == "cus_Ada0001"
    assert refused(TOKEN, now=NOW) == "expired"


def test_a_forged_token_is_never_told_that_it_expired():
    assert refused(TOKEN.replace("1790000000", "1790000001"), now=2**40) == "not ours"
    assert refused(TOKEN, (NEXT,), now=2**40) == "not ours"


def test_expiry_and_customer_cannot_trade_digits():
    assert refused(TOKEN.replace("1790000000-", "179000000-0"), now=0) == "not ours"
    assert refused(TOKEN.replace("1790000000-", "01790000000-"), now=0) == "not ours"


def test_a_reference_is_no_claim_and_a_claim_no_reference():
    """Even under the other's prefix, and with content that is well-formed in both."""
    content = f"{NOW}-cus_Ada0001"
    as_claim = "lc1_" + sign_reference(content, KEY)[4:47] + content
    assert refused(as_claim, now=0) == "not ours"
    as_reference = "lr1_" + TOKEN[4:47] + base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")
    assert user_of_reference(as_reference, (KEY,)) is None
    assert refused(sign_reference("user_ada", KEY), now=0) == "not ours"
    assert user_of_reference(TOKEN, (KEY,)) is None


@pytest.mark.parametrize("customer", ["", "cus-1", "cus_1\n", "küs_1", "c" * 256])
def test_what_is_no_stripe_id_cannot_be_claimed(customer):
    with pytest.raises(ValueError, match="1 to 255 letters, digits and underscores"):
        claim_token(customer, KEY, NOW)


@pytest.mark.parametrize("expires_at", [0, -1, 10**12])
def test_an_expiry_is_a_moment(expires_at):
    with pytest.raises(ValueError, match="got"):
        claim_token("cus_1", KEY, expires_at)


def test_whatever_matches_is_compared_in_constant_time(monkeypatch):
    compared = []
    monkeypatch.setattr(hmac, "compare_digest", lambda a, b: compared.append((a, b)) or a == b)
    claimed_customer(TOKEN, (NEXT, KEY), 0)
    user_of_reference(sign_reference("user_ada", KEY), (NEXT, KEY))
    assert [len(a) == len(b) for a, b in compared] == [True] * 4


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"current": KEY, "previous": NEXT}, (KEY, NEXT)),
        ({"current": KEY, "previous": None}, (KEY,)),
        ({"current": KEY}, (KEY,)),
        ({"current": "k" * 32}, ("k" * 32,)),
    ],
)
def test_the_keys_come_current_first(document, expected):
    assert parse_keys(json.dumps(document)) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must be JSON"),
        (KEY, "must be JSON"),
        ("[" * 100_000, "must be JSON"),
        (json.dumps([KEY]), "must be JSON"),
        (json.dumps({"previous": KEY}), "must be JSON"),
        (json.dumps({"current": KEY, KEY: None}), "must be JSON"),
        (json.dumps({"current": None}), "current must be a text, got NoneType"),
        (json.dumps({"current": KEY[:31]}), "current must have at least 32 characters, got 31"),
        (json.dumps({"current": KEY, "previous": ""}), "previous must have at least 32 characters, got 0"),
        (json.dumps({"current": KEY, "previous": [KEY]}), "previous must be a text, got list"),
        (json.dumps({"current": KEY + "\n"}), "current must not begin or end with blanks"),
        (json.dumps({"current": KEY, "previous": KEY + "\0" + KEY}), "previous must not begin or end with blanks"),
    ],
)
def test_a_secret_that_cannot_be_used_is_refused_without_showing_it(text, message):
    with pytest.raises(IdentityKeyError, match=message) as caught:
        parse_keys(text)
    assert KEY[:31] not in str(caught.value)
