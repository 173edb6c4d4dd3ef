"""Bodies that Stripe could have signed: the recorded events, changed as nobody would expect, as the bytes of a request.

Everything here is genuine; whether a request that carries it is signed is for the tests to decide.
"""

import copy
import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from hypothesis import strategies as st

from tests.handlers import story

Place = tuple[str | int, ...]

RECORDED = [story.recorded(path.stem) for path in sorted(story.FOLDER.glob("*.json"))]

# What no reason and no log may show again, wherever in an event it stood.
SECRETS = ("mallory@example.com", "whsec_NeverShown1", "sk_live_NeverShown2")

MEGABYTES = 2 * 1024 * 1024
_DROPPED = object()
_DEEP = re.compile(rb'"deep:(\d+)"')  # json.dumps itself does not go that deep


class Body(bytes):
    """The bytes of a body; a failing example shows the beginning only."""

    def __repr__(self) -> str:
        return f"{bytes(self[:600])!r} ({len(self)} bytes)"


class Change(NamedTuple):
    """What happens at one place of an event; `make` gets the value there."""

    name: str
    make: Callable[[Any], Any]


def places(value: Any, path: Place = ()) -> list[Place]:
    """The path of every field and entry inside `value`."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, entry in inside for place in [(*path, key), *places(entry, (*path, key))]]


# Fields that the parser looks at: half of all changes go there, the rest anywhere.
READ = frozenset(
    {
        *("id", "type", "created", "livemode", "account", "data", "object", "api_version", "status", "items", "price"),
        *("lookup_key", "customer", "customer_account", "current_period_end", "metadata", "user_id", "cancel_at"),
        *("cancel_at_period_end", "canceled_at", "ended_at", "trial_end", "pause_collection", "latest_invoice"),
        *("parent", "subscription_details", "subscription", "amount_paid", "billing_reason", "payment", "payments"),
        *("customer_email", "customer_details", "email", "payment_intent", "charge", "invoice", "amount", "refunded"),
        *("amount_refunded", "mode", "payment_status", "amount_total", "currency", "status_transitions", "paid_at"),
        *("client_reference_id", "lines", "line_items", "pricing", "price_details", "plan", "behavior", "resumes_at"),
        *("amount_captured", "amount_received", "receipt_email", "deleted"),
    }
)
EVERYWHERE = [(number, place) for number, event in enumerate(RECORDED) for place in places(event)]
WHERE_IT_READS = [(number, place) for number, place in EVERYWHERE if place[-1] in READ and "lines" not in place[:-1]]

_texts = st.sampled_from(
    [
        *("", " ", "0", "null", "active", "unheard_of", "\x00", "\n", "\ud800", "\ufffe", "\U0001f980", "\u202e"),
        *SECRETS,
        *(secret * 60 for secret in SECRETS),
        *(f"{secret}\x07" for secret in SECRETS),
        "x" * 256,
        "x" * 513,
        "\U0001d4d0" * 512,
        "x" * 5000,
    ]
)
_numbers = st.sampled_from(
    [0, -1, 1, 2**31, 2**53 + 1, 10**14, -(10**14), 10**16, 10**40, 0.5, 1e308, float("inf"), float("nan")]
)
_values = st.one_of(
    st.none(),
    st.booleans(),
    _numbers,
    st.integers(),
    _texts,
    st.text(max_size=5),
    st.sampled_from([[], {}, [None], [[]], {"id": None}, {"id": 5}, {"data": None}, {"data": [1]}, {"data": {}}]),
    st.sampled_from([40, 300, 600, 10_000]).map(lambda depth: f"deep:{depth}"),
)
changes = st.one_of(
    st.just(Change("dropped", lambda _: _DROPPED)),
    st.just(Change("as text", lambda value: str(value))),
    st.just(Change("in a list", lambda value: [value])),
    st.just(Change("in an object", lambda value: {"id": value, "data": [value]})),
    st.just(Change("twice", lambda value: [value, value])),
    _values.map(lambda junk: Change("replaced", lambda _: junk)),
)


def changed(event: Any, place: Place, change: Change) -> Any:
    """`event` with `change` at `place`; as it is where an earlier change took that place away."""
    made = copy.deepcopy(event)
    inner = made
    for key in place[:-1]:
        inner = _at(inner, key)
    old = _at(inner, place[-1])
    if old is _DROPPED:
        return made
    new = change.make(old)
    if new is _DROPPED:
        del inner[place[-1]]
    else:
        inner[place[-1]] = new
    return made


def _at(value: Any, key: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(key, _DROPPED)
    return value[key] if isinstance(value, list) and isinstance(key, int) and key < len(value) else _DROPPED


targets = st.one_of(st.sampled_from(WHERE_IT_READS), st.sampled_from(EVERYWHERE))
added = st.fixed_dictionaries(
    {},
    optional={
        "account": st.sampled_from(["acct_1Other", "", 5]),
        "api_version": st.sampled_from(["2020-08-27", "2024-06-20", None, 7]),
        "livemode": st.sampled_from([False, "true", None]),
        "related_object": st.sampled_from([None, {"id": "mtr_1", "type": "x", "url": "/v1/x"}]),
        "type": st.sampled_from(["invoice.unheard_of", "v2.core.x", "", ["x"], {"a": "deep:600"}, *SECRETS]),
    },
)


@st.composite
def events(draw: st.DrawFn) -> Any:
    """A recorded event with up to three changes; text such as "deep:600" stands for a value nested that deep."""
    number, place = draw(targets)
    event = changed(RECORDED[number], place, draw(changes))
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        event = changed(event, draw(st.sampled_from(places(event) or [()])), draw(changes)) if event else event
    return {**event, **draw(st.one_of(st.just({}), added))}


def encoded(event: Any) -> bytes:
    """`event` as JSON, with what is nested deep, and non-ASCII characters as they are where UTF-8 has them."""
    try:
        text = json.dumps(event, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # half of a surrogate pair: only an escape can carry it
        text = json.dumps(event).encode()
    return _DEEP.sub(lambda found: b"[" * int(found[1]) + b"]" * int(found[1]), text)


Spoiled = Callable[[bytes], bytes]
_spoilings: list[Spoiled] = [
    lambda _: b"",
    lambda raw: raw[: len(raw) // 2],
    lambda raw: raw[:-1] + b',"note":"\xff\xfe"}',
    lambda raw: b"\xef\xbb\xbf" + raw,
    lambda raw: raw.decode("utf-8", "replace").encode("utf-16"),
    lambda raw: b"[" + raw + b"]",
    lambda raw: b"[" * 10_000,
    lambda raw: b'{"a":' * 10_000,
    lambda raw: raw[:-1] + b',"note":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    lambda raw: raw[:-1] + b',"note":' + b"9" * 5000 + b"}",
    lambda raw: raw + b"\x00",
    lambda raw: b"type=invoice.paid&id=evt_1",
    lambda raw: b"<?xml version='1.0'?><event/>",
    # one key twice: what JSON leaves open, and every reader of ours must settle in the same way
    lambda raw: b'{"id":"evt_first","livemode":true,"type":"invoice.paid","data":{},' + raw[1:],
    lambda raw: raw[:-1] + b',"type":"charge.refunded"}',
    lambda raw: raw[:-1] + b',"data":{"object":{"id":"in_1","object":"invoice","customer":"cus_other"}}}',
    lambda raw: raw[:-1] + b',"note":"' + b"x" * MEGABYTES + b'"}',
    lambda raw: raw + b" " * MEGABYTES,
    lambda raw: b"\xff" * MEGABYTES,
    lambda raw: b'{"id":"' + b"x" * MEGABYTES + b'"}',
    lambda raw: raw[:-1] + b',"type":"' + b"x" * MEGABYTES + b'"}',
]

structural = events().map(encoded).map(Body)
spoiled = st.builds(lambda raw, spoil: Body(spoil(raw)), structural, st.sampled_from(_spoilings))
# Hypothesis draws from the branches alike; two thirds of what is tried should get as far as a field.
raw_bodies = st.one_of(structural, structural, spoiled)
