import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from rehearsal.replay.document import Told, document
from rehearsal.replay.history import Event, History, Oddity
from rehearsal.replay.replay import Options, Outcome
from rehearsal.replay.sending import Sent
from rehearsal.replay.text import lines

NAMES = [f"evt_{n}" for n in range(8)]
EVENTS = {
    id_: Event(id=id_, type="invoice.paid" if n % 2 else "", body=b"{}", created=n, livemode=True, line=n + 1)
    for n, id_ in enumerate(NAMES)
}
GRANT = {"id": "sub_1", "kind": "subscription", "state": "active", "access": True, "until": 1790000000,
         "reason": None, "levels": ["writer"], "needs_support": False, "verified": True,
         "facts": {"subscription": {"status": "active", "at": 1789000000, "items": [{"price": "price_a"}]},
                   "paid": {"id": "in_1", "amount": 1900, "renewal": True}}}  # fmt: skip
CHANGE = {"at": 1789000000, "from": "lead", "to": "active", "reason": "subscription_active", "event": "evt_1"}
LEDGER = {
    "evt_0": {"outcome": "applied", "reason": None, "type": "x"},
    "evt_1": {"outcome": "ignored", "reason": "type", "type": "x"},
    "evt_2": {"outcome": "ignored", "reason": "livemode", "type": "x"},
    "evt_3": {"outcome": "ignored", "reason": "type", "type": "x"},
    "unreadable-5": {"outcome": "parked", "reason": "it has no type", "type": "unreadable"},
}
RECORDED = {**{id_: id_ for id_ in LEDGER if id_.startswith("evt")}, "evt_5": "unreadable-5"}


@pytest.fixture
def judged(a_member):
    members = [
        a_member(user_id=None, customers=["cus_9"]),
        a_member(user_id="u_2", state="active", access=True, until=1790000000, grants=[GRANT], transitions=[CHANGE]),
        a_member(user_id=None, customers=["cus_1", "cus_3"]),
        a_member(user_id="u_10", customers=["cus_2"], reason="refunded_in_full", until=5, needs_support=True),
        a_member(user_id="", customers=["cus_4"]),
    ]
    prices = [{"price": "price_b", "grants": 1}, {"price": "price_a", "grants": 2}]
    return {"members": members, "unmapped_prices": prices, "ledger": LEDGER, "disagreements": []}


def history(**more: Any) -> History:
    return History(name="events.jsonl", events=EVENTS, order=[*NAMES, "evt_1"], **more)


def told(**more: Any) -> Told:
    plain: dict[str, Any] = {"history": history(), "now": 5, "livemode": True,
                             "configured": True, "any_price": None, "recorded": RECORDED, "lost": {}}  # fmt: skip
    return Told(**{**plain, **more})


def said(judged: Mapping[str, Any], *, seed: int | None = None, repeat: int = 1, **more: Any) -> str:
    options = Options(project=Path(), stack="prod", events="events.jsonl", seed=seed, repeat=repeat)
    sent = Sent(requests=9, seconds=3.0)
    outcome = Outcome(options=options, history=history(), sent=sent, document=document(told(**more), judged))
    return "\n".join(lines(outcome))


def test_members_are_in_the_order_of_their_users_and_payers_without_one_come_last(judged):
    written = document(told(), judged)
    assert [member["user_id"] for member in written["members"]] == ["", "u_10", "u_2", None, None]
    assert written["unclaimed"] == [["cus_1", "cus_3"], ["cus_9"]]
    assert list(written["members"][2])[:8] == [
        "user_id", "customers", "state", "access", "until", "reason", "grants", "transitions",
    ]  # fmt: skip


def test_the_document_is_the_same_in_whatever_order_it_is_told(judged):
    expected = json.dumps(document(told(), judged))
    for seed in range(10):
        mixed = {
            **judged,
            "members": random.Random(seed).sample(judged["members"], 5),
            "unmapped_prices": judged["unmapped_prices"][::-1],
        }
        recorded = dict(random.Random(seed).sample(list(RECORDED.items()), len(RECORDED)))
        assert json.dumps(document(told(recorded=recorded), mixed)) == expected


def test_every_event_of_the_file_is_counted(judged):
    written = document(told(history=history(others=[Oddity(3, "a text")]), lost={"evt_4": "gone"}), judged)
    assert written["counts"] == {
        "events": 9, "distinct": 8, "repeated": 1, "not_events": 1, "after_now": 2,
        "applied": 1, "parked": 1, "ignored": 3, "lost": 1,
    }  # fmt: skip
    assert written["not_events"] == [{"line": 3, "what": "a text"}]


def test_parked_and_ignored_events_are_told_by_reason_and_type(judged):
    written = document(told(), judged)
    assert written["ignored"] == [
        {"reason": "livemode", "type": "", "count": 1, "events": ["evt_2"]},
        {"reason": "type", "type": "invoice.paid", "count": 2, "events": ["evt_1", "evt_3"]},
    ]
    assert written["parked"] == [{"reason": "it has no type", "type": "invoice.paid", "count": 1, "events": ["evt_5"]}]


def test_the_text_tells_each_member_with_why(judged):
    text = said(judged)
    assert (
        "u_2\n  active, access until 2026-09-21 14:13:20: no reason\n"
        "  grant sub_1 (subscription, writer): active, access until 2026-09-21 14:13:20: no reason\n"
        "    subscription: status active, at 2026-09-10 00:26:40, items price price_a\n"
        "    paid: id in_1, amount 1900, renewal yes\n"
        "  2026-09-10 00:26:40  lead -> active: subscription_active, evt_1\n"
    ) in text
    assert "u_10  cus_2\n  lead, no access since 1970-01-01 00:00:05: refunded_in_full; needs support\n" in text
    assert "(no user claims this payer)  cus_1, cus_3\n" in text
    assert text.endswith("REPLAYED: 5 members, 1 have access; no user claims 2 of them.")


def test_an_end_that_is_still_to_come_is_no_end_of_access_that_was(judged, a_member):
    ahead = {**judged, "members": [a_member(user_id="u_1", until=6, reason="price_not_mapped")]}
    assert "  lead, no access: price_not_mapped\n" in said(ahead)


def test_the_text_says_what_was_sent_and_how(judged):
    text = said(judged, seed=7, repeat=3)
    assert "8 different ones, 1 repetitions in the file, 2 later than --now, which members do not know of" in text
    assert "9 requests, each 3 times, shuffled with seed 7: 3 a second" in text
    assert "mode        live, as the stack's own" in text
    assert "mode        test, as most events are; the stack's own is live" in said(judged, livemode=False)
    assert "in the file's order" in said(judged)
    assert "the last page says that there are more" in said(judged, history=history(goes_on=True))


def test_prices_without_a_level_are_told_with_what_to_do(judged):
    text = said(judged)
    assert "no level    price_a (2 grants)\nno level    price_b (1 grants)\n" in text
    assert "{price: price_a, level: …}" in text
    assert "products in Pulumi.prod.yaml" in text
    taken = said(judged, any_price="writer")
    assert "as writer   price_a (2 grants)\nas writer   price_b (1 grants)\n" in taken
    assert "Pulumi.prod.yaml" not in taken


def test_the_text_names_what_was_not_applied(judged):
    text = said(judged, history=history(others=[Oddity(n, "a text") for n in range(30)], unlike=[Oddity(2, "differs")]))
    assert "ignored     1: they are of the other mode than the replay (1 of no type; evt_2)" in text
    assert "ignored     2: their type tells nothing of membership (2 invoice.paid; evt_1, evt_3)" in text
    assert "parked      1: it has no type (1 invoice.paid; evt_5)" in text
    assert "no event    line 9: a text\nno event    and 20 more; --json FILE has all\n" in text
    assert "same id     line 2: differs" in text


def test_lost_events_and_disagreements_fail_the_replay(judged):
    text = said({**judged, "disagreements": ["u_2"]}, lost={"evt_4": "the webhook answered 503"})
    assert "LOST        evt_4: the webhook answered 503\n" in text
    assert "DISAGREES   u_2\n" in text
    assert text.endswith("NOT REPLAYED: 1 events were lost, 1 members differ from their events in order.")


@pytest.mark.parametrize(
    ("lost", "disagreements", "hoped"), [({}, [], True), ({"evt_4": ""}, [], False), ({}, ["u"], False)]
)
def test_it_went_as_hoped_when_nothing_was_lost_and_nobody_differs(judged, lost, disagreements, hoped):
    written = document(told(lost=lost), {**judged, "disagreements": disagreements})
    options = Options(project=Path(), stack="prod", events="-")
    assert Outcome(options=options, history=history(), sent=Sent(), document=written).as_hoped is hoped


def test_what_a_terminal_would_obey_is_written_out(judged, a_member):
    text = said({**judged, "members": [a_member(user_id="\x1b[2Ju\ud800 Zoë")]})
    assert text.startswith("\\x1b[2Ju\\ud800 Zoë\n")
