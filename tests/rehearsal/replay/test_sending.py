import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import httpx
import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.replay.history import Event
from rehearsal.replay.sending import TRIES, in_order, send

SECRET = "whsec_of_the_endpoint"


@dataclass
class Taking:
    """An endpoint that checks each signature as Stripe's SDK does; `answers` come before a 200."""

    secret: str = SECRET
    answers: list[int | Exception] = field(default_factory=list)
    seconds: float = 0.0
    bodies: list[bytes] = field(default_factory=list)
    signatures: list[str] = field(default_factory=list)
    most_at_once: int = 0
    _now: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def post(self, body: bytes, signature: str | None) -> int:
        assert signature
        assert stripe.WebhookSignature.verify_header(body.decode(), signature, SECRET, tolerance=5)
        with self._lock:
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
            self.bodies.append(body)
            self.signatures.append(signature)
            answer = self.answers.pop(0) if self.answers else 200
        time.sleep(self.seconds)
        with self._lock:
            self._now -= 1
        if isinstance(answer, Exception):
            raise answer
        return answer


def events(count: int) -> dict[str, Event]:
    return {
        f"evt_{n}": Event(id=f"evt_{n}", type="x", body=b'{"n":%d}' % n, created=n, livemode=True, line=n)
        for n in range(count)
    }


@given(st.lists(st.sampled_from(["a", "b", "c"])), st.integers(1, 4), st.integers())
def test_a_shuffled_order_is_the_same_events_as_often_and_the_same_for_a_seed(ids, repeat, seed):
    shuffled = in_order(ids, repeat, seed)
    assert Counter(shuffled) == Counter({id_: count * repeat for id_, count in Counter(ids).items()})
    assert shuffled == in_order(ids, repeat, seed)
    expected = ids * repeat
    random.Random(seed).shuffle(expected)
    assert shuffled == expected


def test_without_a_seed_the_order_stays(monkeypatch):
    assert in_order(["b", "a", "b"], 2, None) == ["b", "a", "b", "b", "a", "b"]


def test_each_event_is_signed_and_sent_in_order_one_after_another():
    told, endpoint, seen = events(5), Taking(seconds=0.001), []
    sent = send(told, [*told, "evt_0"], endpoint, progress=seen.append)
    assert endpoint.bodies == [*(event.body for event in told.values()), told["evt_0"].body]
    assert endpoint.most_at_once == 1
    assert (sent.requests, sent.refused, seen) == (6, {}, [1, 2, 3, 4, 5, 6])
    assert sent.rate > 0


def test_several_connections_send_each_event_once():
    told, endpoint = events(40), Taking(seconds=0.005)
    sent = send(told, list(told), endpoint, connections=4)
    assert sorted(endpoint.bodies) == sorted(event.body for event in told.values())
    assert 1 < endpoint.most_at_once <= 4
    assert sent.requests == 40


@pytest.mark.parametrize("trouble", [503, 500, 429, httpx.ConnectError("refused"), httpx.ReadTimeout("late")])
def test_what_the_webhook_could_not_take_is_sent_again_later(trouble):
    endpoint, pauses = Taking(answers=[trouble, trouble]), []
    sent = send(events(1), ["evt_0"], endpoint, pause=pauses.append)
    assert len(endpoint.bodies) == 3
    assert pauses == [0.1, 0.2]
    assert not sent.refused


@pytest.mark.parametrize(
    ("answers", "tries", "why"),
    [
        ([400], 1, "the webhook answered 400"),
        ([302], 1, "the webhook answered 302"),
        ([503] * TRIES, TRIES, "the webhook answered 503"),
        ([httpx.ConnectError("refused")] * TRIES, TRIES, "the webhook did not answer: refused"),
    ],
)
def test_what_it_never_takes_is_told_with_its_last_answer_and_the_rest_goes_on(answers, tries, why):
    endpoint = Taking(answers=list(answers))
    sent = send(events(2), ["evt_0", "evt_1"], endpoint, pause=lambda _: None)
    assert sent.refused == {"evt_0": why}
    assert len(endpoint.bodies) == tries + 1


def test_an_event_that_is_taken_at_its_repetition_was_not_refused():
    sent = send(events(1), ["evt_0", "evt_0"], Taking(answers=[400]))
    assert not sent.refused


def test_an_interrupt_ends_it_with_what_is_under_way():
    told, endpoint = events(1000), Taking(seconds=0.01)

    def interrupted(done: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        send(told, list(told), endpoint, connections=2, progress=interrupted)
    assert len(endpoint.bodies) < 10
