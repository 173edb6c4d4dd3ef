import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.core.envelope import (
    MAX_BYTES,
    Reference,
    customer_of,
    decode,
    encode,
    group_of,
    parse,
    queue_id,
)
from handlers.core.errors import EventError

EVENT = {"id": "evt_1", "type": "invoice.paid", "created": 1_800_000_000, "livemode": True, "data": {"object": {}}}


def raw(event: object) -> bytes:
    return json.dumps(event, ensure_ascii=False).encode()


def about(**subject: object) -> dict:
    return {**EVENT, "data": {"object": subject}}


def sqs_takes(text: str) -> bool:
    """The rule as the SendMessage reference words it."""
    ranges = [(0x9, 0x9), (0xA, 0xA), (0xD, 0xD), (0x20, 0xD7FF), (0xE000, 0xFFFD), (0x10000, 0x10FFFF)]
    allowed = all(any(low <= ord(character) <= high for low, high in ranges) for character in text)
    return bool(text) and allowed and len(text.encode()) <= 1_048_576


def test_an_event_travels_as_stripe_sent_it():
    body = b'{ "id":"evt_1",\n "amount": 10.00, "name":"Zo\xc3\xab" }'
    assert encode(body, parse(body)) == body.decode()


@settings(deadline=None)
@given(st.dictionaries(st.text(), st.text() | st.integers() | st.none(), max_size=4))
def test_whatever_the_event_holds_it_is_read_back_or_referred_to(fields):
    event = {"type": "x", "created": 1, "livemode": False, **fields, "id": "evt_1"}
    message = encode(raw(event), event)
    assert sqs_takes(message)
    decoded = decode(message)
    assert decoded == event or (isinstance(decoded, Reference) and decoded.id == "evt_1")


@pytest.mark.parametrize("refused", ["\ufffe", "\uffff", "x" * MAX_BYTES], ids=["fffe", "ffff", "1 MiB"])
def test_what_sqs_would_refuse_becomes_a_reference(refused):
    event = {**EVENT, "note": refused}
    message = encode(raw(event), event)
    assert sqs_takes(message)
    assert decode(message) == Reference(id="evt_1", type="invoice.paid", created=1_800_000_000, livemode=True)


def test_one_byte_decides_between_text_and_reference():
    frame = len(raw({**EVENT, "note": ""}))
    fits, too_long = ({**EVENT, "note": "x" * (MAX_BYTES - frame + more)} for more in (0, 1))
    assert decode(encode(raw(fits), fits)) == fits
    assert isinstance(decode(encode(raw(too_long), too_long)), Reference)


def test_a_thin_event_that_sqs_would_refuse_keeps_its_time():
    thin = {"id": "evt_2", "object": "v2.core.event", "type": "v2.x", "created": "2026-10-28T12:00:00.000Z"}
    decoded = decode(encode(raw(thin) + b" " * MAX_BYTES, thin))
    assert decoded == Reference(id="evt_2", type="v2.x", created=1_793_188_800, livemode=False)


@pytest.mark.parametrize("created", [None, "yesterday", [], {}, float("inf"), "0001-01-01T00:00:00"])
def test_an_unreadable_time_is_zero(created):
    event = {**EVENT, "created": created}
    reference = decode(encode(raw(event) + b" " * MAX_BYTES, event))
    assert isinstance(reference, Reference)
    assert reference.created == 0


UNREADABLE = [b"", b"not json", b"[1]", b'"text"', b"{}", b'{"id": 7}', b'{"id": ""}', b"\xff\xfe{}", b"[" * 100_000]


@pytest.mark.parametrize(
    "body", [*UNREADABLE, b"\x00\x01", b"\xed\xa0\x80", b"x" * (MAX_BYTES + 1), "é".encode() * MAX_BYTES]
)
def test_a_body_that_is_no_event_still_fits_the_queue_and_is_parked(body):
    assert parse(body) is None
    message = encode(body, None)
    assert sqs_takes(message)
    with pytest.raises(EventError):
        decode(message)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: body.replace(b"cus_1", b"cus_\xff"),
        lambda body: body.replace(b"cus_1", b"cus_\x00"),
        lambda body: body + b" " * MAX_BYTES + b"x",
    ],
    ids=["not UTF-8", "control character", "cut off"],
)
def test_what_was_made_readable_is_still_parked(spoil):
    body = spoil(raw(about(id="in_1", customer="cus_1")))
    assert parse(body) is None
    message = encode(body, None)
    assert sqs_takes(message)
    assert message.startswith('\ufffd{"id": "evt_1"')
    with pytest.raises(EventError, match="not JSON"):
        decode(message)


@pytest.mark.parametrize("name", ["x" * 256, "x" * MAX_BYTES, ["x"], {"x": 1}, None, ""], ids=type)
def test_a_type_that_is_no_name_makes_no_reference_too_large(name):
    event = {**EVENT, "type": name, "note": "\ufffe"}
    message = encode(raw(event), event)
    assert len(message) < 200
    assert decode(message) == Reference(id="evt_1", type="", created=1_800_000_000, livemode=True)


@pytest.mark.parametrize("id_", ["x" * 256, "x" * MAX_BYTES], ids=["256", "1 MiB"])
def test_an_id_longer_than_any_of_stripes_is_no_event(id_):
    body = raw({**EVENT, "id": id_})
    assert parse(body) is None
    with pytest.raises(EventError):
        decode(encode(body, None))


@pytest.mark.parametrize(
    "fields",
    [
        None,
        {},
        {"id": "", "type": "x", "created": 1, "livemode": True},
        {"id": "evt_1", "type": "x", "created": "1", "livemode": True},
        {"id": "evt_1", "type": "x", "created": 1, "livemode": None},
    ],
)
def test_a_broken_reference_is_an_event_error(fields):
    with pytest.raises(EventError, match="reference"):
        decode(json.dumps({"launch_ready_reference": fields}))


@pytest.mark.parametrize(
    ("event", "group"),
    [
        (about(id="in_1", customer="cus_1", customer_account="acct_1", payment_intent="pi_1"), "cus_1"),
        (about(id="in_1", customer={"id": "cus_1", "object": "customer"}), "cus_1"),
        (about(id="cus_1", object="customer"), "cus_1"),
        (about(id="cs_1", customer=None, customer_account="acct_1", payment_intent="pi_1"), "acct_1"),
        (about(id="dp_1", object="dispute", charge="ch_1", payment_intent="pi_1"), "pi_1"),
        (about(id="inpay_1", payment={"type": "payment_intent", "payment_intent": "pi_1"}), "pi_1"),
        (about(id="inpay_1", payment={"type": "charge", "payment_intent": {"id": "pi_1"}}), "pi_1"),
        (about(id="pi_1", object="payment_intent"), "pi_1"),
        (about(id="ch_1", customer="", payment_intent=None), "ch_1"),
        (about(customer=7, payment=[]), "evt_1"),
        (about(id="in_1", customer="x" * 256, payment_intent="pi_1"), "pi_1"),
        ({"id": "evt_1", "object": "v2.core.event", "related_object": {"id": "mtr_1", "type": "x"}}, "mtr_1"),
        ({"id": "evt_1", "object": "v2.core.event", "data": None, "related_object": None}, "evt_1"),
        ({"data": "text"}, "unknown"),
    ],
)
def test_the_group_is_what_the_event_happened_to(event, group):
    assert group_of(event) == group


def test_the_customer_is_named_only_where_the_object_names_one():
    assert customer_of(about(id="in_1", customer="cus_1")) == "cus_1"
    assert customer_of(about(id="cus_1", object="customer")) == "cus_1"
    assert customer_of(about(id="inpay_1", payment_intent="pi_1")) is None


@settings(deadline=None)
@given(st.text())
def test_any_text_makes_an_id_that_sqs_takes(text):
    made = queue_id(text)
    assert 1 <= len(made) <= 128
    assert made.isascii()
    assert made.isprintable()
    assert " " not in made
    assert queue_id(made) == made


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["id", "object", "customer", "payment"]), inner),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["id", "data", "related_object", "object"]), json_values))
def test_no_shape_of_event_breaks_the_choice_of_group(event):
    assert group_of(event)
