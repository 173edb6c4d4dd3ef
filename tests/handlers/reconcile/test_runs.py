"""Runs: stopped and resumed, two at once, and a Stripe that does not answer as hoped."""

from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from handlers.adapters.aws import AwsError
from handlers.adapters.reconcile_table import LEASE_SECONDS, BusyError, Cursor, Pass, ReconcileTable
from handlers.core.errors import VendorError
from handlers.entrypoints.comparisons import EVENTS_PAGE, ModeError
from handlers.entrypoints.reconcile import UnreadError
from tests.handlers.faults import FaultyClient, refused, times
from tests.handlers.loopback import Answer, Asked, serving
from tests.handlers.reconcile.conftest import DAY, Shop

NOTHING = Answer.of({"object": "list", "data": [], "has_more": False})


def test_a_run_that_was_stopped_anywhere_is_gone_on_with_and_ends_the_same(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.entrypoints.comparisons.EVENTS_PAGE", 3)
    shop.subscription()
    shop.subscription(user="user_bob", name="bob")
    shop.spread()
    shop.reconcile(heal=False)
    expected = sorted(found.id for found in shop.found)
    runs = 1
    while not shop.reconcile(left_ms=lambda: 0).complete:
        runs += 1
        assert runs < 20
    assert runs > 4
    assert sorted(shop.take()) == expected
    assert (shop.state(), shop.state("user_bob")) == ("active", "active")
    cursor = shop.table.cursor()
    assert (cursor.current, cursor.watermark, cursor.lease_until) == (None, int(shop.world.clock()), 0)


def test_a_second_with_more_events_than_a_page_is_left_behind(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.entrypoints.comparisons.EVENTS_PAGE", 1)
    shop.subscription()
    runs = 1
    while not shop.reconcile(left_ms=lambda: 0).complete:
        runs += 1
        assert runs < 10


def test_a_new_pass_begins_where_none_was_left(shop: Shop) -> None:
    shop.reconcile()
    first = shop.table.cursor().watermark
    shop.later(DAY)
    shop.reconcile()
    assert shop.table.cursor().watermark == (first or 0) + DAY


def test_by_hand_a_pass_begins_anew(shop: Shop) -> None:
    shop.subscription()
    shop.deliver()
    shop.reconcile(left_ms=lambda: 0)
    assert shop.table.cursor().current is not None
    shop.later(60)
    shop.passes.clear()
    shop.reconcile(resume=False)
    assert {current.started for current in shop.passes} == {int(shop.world.clock())}


def test_a_pass_over_less_than_all_leaves_the_watermark(shop: Shop) -> None:
    shop.reconcile(since=int(shop.world.clock()) - DAY)
    assert shop.table.cursor().watermark is None
    shop.reconcile()
    before = shop.table.cursor().watermark
    shop.later(2 * DAY)
    shop.reconcile(since=int(shop.world.clock()) - DAY)
    assert shop.table.cursor().watermark == before


def test_two_at_once_are_one(shop: Shop) -> None:
    shop.table.take(int(shop.world.clock()))
    with pytest.raises(BusyError, match="another run is at work, for at most 330 s"):
        shop.reconcile()
    assert shop.reconcile(heal=False).complete  # that one writes nothing, so it is in nobody's way
    shop.later(LEASE_SECONDS)
    assert shop.reconcile().complete


def test_a_run_that_was_overtaken_writes_no_more(shop: Shop) -> None:
    mine = shop.table.take(int(shop.world.clock()))
    shop.later(LEASE_SECONDS)
    theirs = shop.table.take(int(shop.world.clock()))
    with pytest.raises(BusyError, match="taken over"):
        shop.table.save(replace(mine, watermark=1))
    assert shop.table.cursor() == theirs


def test_the_place_in_the_table_is_read_as_it_was_written(shop: Shop) -> None:
    current = Pass(started=9, oldest_event=1, since=3, phase="refunds", reached="8", unread=("disputes",))
    written = shop.table.save(Cursor(watermark=3, lease_until=7, current=current))
    assert shop.table.cursor() == written


def test_a_run_that_fails_gives_its_lease_back_and_keeps_its_place(shop: Shop) -> None:
    shop.subscription()
    shop.deliver()
    failing = serving(lambda asked: NOTHING if "/events" in asked.path else Answer.of({}, 500))
    with failing as server, pytest.raises(VendorError, match="list /v1/subscriptions: HTTP 500"):
        shop.reconcile(url=server.url)
    cursor = shop.table.cursor()
    assert (cursor.lease_until, cursor.watermark) == (0, None)
    assert shop.reconcile().complete


def test_a_queue_that_is_down_is_asked_again_by_the_next_run(shop: Shop) -> None:
    shop.subscription()
    real = shop.world.sqs
    shop.world.sqs = FaultyClient(real, send_message_batch=lambda _: refused("ServiceUnavailable"))
    with pytest.raises(AwsError):
        shop.reconcile()
    shop.world.sqs = real
    assert shop.reconcile().missing > 0
    shop.take()
    assert shop.state() == "active"


def test_messages_that_the_queue_refuses_are_not_taken_for_sent(shop: Shop) -> None:
    class Refusing:
        def send_message_batch(self, **request: object) -> dict[str, object]:
            return {"Failed": [{"Id": "0", "Code": "InternalError"}]}

    shop.subscription()
    real, shop.world.sqs = shop.world.sqs, Refusing()
    with pytest.raises(AwsError, match=r"refused 1 of \d+ messages: InternalError"):
        shop.reconcile()
    shop.world.sqs = real
    assert shop.table.cursor().current is None
    assert shop.reconcile().missing > 0


def test_a_stripe_that_is_busy_for_a_while_is_asked_again(shop: Shop) -> None:
    tries: list[str] = []

    def busy(asked: Asked) -> Answer:
        tries.append(urlsplit(asked.path).path)
        return Answer.of({}, 429) if len(tries) < 5 else NOTHING

    with serving(busy) as server:
        assert shop.reconcile(url=server.url).complete
    assert tries[:5] == ["/v1/events"] * 5


def test_a_key_that_may_not_read_disputes_reads_the_rest_and_says_so(shop: Shop) -> None:
    def refusing(asked: Asked) -> Answer:
        message = "The provided key 'rk_live_*********1234' does not have the required permissions for this endpoint. "
        message += "Having the 'rak_dispute_read' permission would allow this request to continue."
        return Answer.of({"error": {"message": message}}, 403) if "/disputes" in asked.path else NOTHING

    with serving(refusing) as server:
        outcome = shop.reconcile(url=server.url)
        assert outcome.unread == {"disputes": "stripe: list /v1/disputes: HTTP 403: the key lacks rak_dispute_read"}
        with pytest.raises(UnreadError, match="rak_dispute_read"):
            outcome.raise_unread()
    assert outcome.complete
    assert shop.table.cursor().watermark is None  # that pass did not see everything


@pytest.mark.parametrize("path", ["/v1/events", "/v1/subscriptions"])
def test_what_the_other_mode_shows_is_not_taken_for_ours(shop: Shop, path: str) -> None:
    other = {"id": "x_1", "object": "x", "livemode": False, "created": 1_700_000_000}
    page = Answer.of({"object": "list", "data": [other], "has_more": False})
    showing = serving(lambda asked: page if asked.path.startswith(path) else NOTHING)
    with showing as server, pytest.raises(ModeError, match="Stripe shows test objects"):
        shop.reconcile(url=server.url)
    assert shop.rows() == {}


def test_a_page_of_events_stays_within_what_an_answer_may_have(shop: Shop) -> None:
    asked: list[str] = []

    def listing(request: Asked) -> Answer:
        asked.append(request.path)
        return NOTHING

    with serving(listing) as server:
        shop.reconcile(url=server.url)
    assert sum(f"limit={EVENTS_PAGE}&" in path for path in asked) == 2


def test_a_table_that_is_down_ends_the_run(shop: Shop) -> None:
    shop.subscription()
    shop.deliver()
    real = shop.world.dynamodb
    shop.world.dynamodb = FaultyClient(real, batch_get_item=times(1, lambda: refused("ThrottlingException")))
    with pytest.raises(AwsError):
        shop.reconcile()
    shop.world.dynamodb = real
    assert shop.reconcile().complete


def test_a_write_that_is_repeated_because_its_answer_was_lost_is_no_other_run(shop: Shop) -> None:
    real = shop.world.dynamodb

    class AnswersToNobody:
        """Carries the first write out and says nothing of it, so that the client tries again."""

        def __getattr__(self, operation: str) -> object:
            return getattr(real, operation)

        def put_item(self, **request: object) -> object:
            real.put_item(**request)
            return real.put_item(**request)

    table = ReconcileTable(AnswersToNobody(), shop.world.name)  # ty: ignore[invalid-argument-type]
    taken = table.take(int(shop.world.clock()))
    assert table.save(replace(taken, watermark=7)).watermark == 7
    with pytest.raises(BusyError, match="at work"):
        shop.table.take(int(shop.world.clock()))
