"""A vendor that is down, slow, or whose plan is used up costs delay, and one person's attention once."""

import json
import queue
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from handlers.adapters import http
from handlers.adapters.aws import DynamoDb
from handlers.adapters.items import key
from handlers.adapters.quotas import month_end, month_of
from handlers.adapters.vendor_limits import REVIEW_SECONDS, VendorLimits
from handlers.core.delivering import BREAKER_FAILURES, BREAKER_SECONDS
from handlers.core.desired import Desired
from handlers.core.errors import VendorError
from handlers.ports import Recovery
from handlers.settings import destination
from tests.handlers import story
from tests.handlers.crew import Crew, Vendor, join, leave
from tests.handlers.faults import FaultyClient, canceled, times
from tests.handlers.loopback import Answer, serving
from tests.handlers.pipeline_world import World
from tests.handlers.story import DAY, START

DOWN = VendorError("kit: HTTP 503", permanent=False)
FAILED = {"member": "user_ada", "notice": "payment_failed:in_2"}


def printed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def metrics(lines: list[dict[str, Any]]) -> list[str]:
    return [line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"] for line in lines if "_aws" in line]


def told(world: World, prefix: str) -> list[dict[str, Any]]:
    """The notices to operations whose keys start with `prefix`."""
    answer = world.connect("dynamodb").scan(TableName=world.name)
    keys = [item["pk"]["S"] for item in answer["Items"] if item["sk"]["S"] == "DELIVERY#slack"]
    found = [world.item(pk, "DELIVERY#slack") for pk in keys if pk.startswith(f"NOTICE#{prefix}")]
    return [item for item in found if item is not None]


# A vendor that is down


def let_time_pass(crew: Crew, people: list[str], until: float) -> list[float]:
    """Sync whoever is due, moment by moment, as the sweep would; when the vendor was tried."""
    tries: list[float] = []
    crew.vendor.meanwhile = lambda: tries.append(crew.world.clock())
    while True:
        records = {user: crew.record(user) for user in people}
        due = {user: record["due_at"] for user, record in records.items() if "due_at" in record}
        if not due or min(due.values()) >= until:
            return tries
        crew.world.clock.now = max(crew.world.clock.now, min(due.values()))
        crew.sync(*({"member": user} for user, at in due.items() if at <= crew.world.clock()))


def busiest(tries: list[float], seconds: float = 60) -> int:
    return max(sum(at <= other < at + seconds for other in tries) for at in tries)


def test_a_vendor_that_is_down_for_a_day_costs_nothing_but_delay(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    crew = Crew(world, Vendor(error=DOWN), draw=0.9)
    people = ["user_a", "user_b"]
    for user in people:
        join(world, user)
    began = world.clock()
    tries = let_time_pass(crew, people, began + DAY)
    assert len(tries) > 2 * 20
    assert busiest(tries[BREAKER_FAILURES:]) == 1
    crew.vendor.error = None
    world.clock.now = began + DAY
    let_time_pass(crew, people, began + DAY + 2 * 3600)
    assert all(crew.record(user)["delivered_version"] == 2 for user in people)
    assert metrics(printed(capsys)) == []


def test_while_it_is_down_many_who_wait_make_one_try_a_minute_together(world: World) -> None:
    crew = Crew(world, Vendor(error=DOWN))
    people = [f"user_{number}" for number in range(8)]
    for user in people:
        join(world, user)
    began = world.clock()
    tries = let_time_pass(crew, people, began + 480)
    after = [at for at in tries if at > began]
    assert len(tries) - len(after) == BREAKER_FAILURES
    assert 4 <= len(after) <= 8
    assert busiest(after) == 1


def test_one_of_two_workers_tries_whether_the_vendor_is_back(world: World) -> None:
    _ = world.dynamodb
    first, second = (VendorLimits(world.dynamodb, world.name, destination("kit")) for _ in range(2))
    now = int(world.clock())
    for _ in range(BREAKER_FAILURES):
        first.failed(now, None)
    later = now + BREAKER_SECONDS
    assert second.enter(now) is not None
    assert first.enter(later) is None
    wait = second.enter(later)
    assert wait is not None
    assert (wait.until, wait.reason) == (later + BREAKER_SECONDS, "breaker open")
    first.answered()
    assert second.enter(later) is None


def test_a_vendor_that_fails_now_and_then_is_not_taken_for_one_that_is_down(world: World) -> None:
    _ = world.dynamodb
    limits = VendorLimits(world.dynamodb, world.name, destination("kit"))
    now = int(world.clock())
    with serving(lambda asked: Answer(500 if asked.path == "/bad" else 200)) as server:
        for _ in range(BREAKER_FAILURES + 2):
            assert limits.enter(now) is None
            limits.request("GET", f"{server.url}/good", headers={})
            limits.request("GET", f"{server.url}/bad", headers={})
            limits.failed(now, None)
            limits.leave()
        for _ in range(BREAKER_FAILURES - 1):
            assert limits.enter(now) is None
            limits.request("GET", f"{server.url}/bad", headers={})
            limits.failed(now, None)
            limits.leave()
        wait = limits.enter(now)
    http.close()
    assert wait is not None
    assert wait.reason == "breaker open"


def test_a_vendor_that_asks_one_to_wait_is_left_alone_by_all(world: World) -> None:
    crew = Crew(world, Vendor(error=VendorError("kit: HTTP 429", permanent=False, retry_after=90)))
    for user in ("user_a", "user_b"):
        join(world, user)
    crew.sync({"member": "user_a"}, {"member": "user_b"})
    assert len(crew.vendor.shown) == 1
    assert crew.record("user_b")["due_at"] >= world.clock() + 90


def test_a_mistake_of_ours_fails_one_delivery_and_not_the_batch(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    def stumble() -> None:
        crew.vendor.meanwhile = lambda: None
        raise TypeError("ours")

    crew = Crew(world, Vendor(meanwhile=stumble))
    for user in ("user_a", "user_b"):
        join(world, user)
    crew.sync({"member": "user_a"}, {"member": "user_b"})
    assert "delivered_version" not in crew.record("user_a")
    assert crew.record("user_b")["delivered_version"] == 2
    assert [line["reason"] for line in printed(capsys) if line["level"] == "error"] == [
        "sync has a mistake: TypeError: ours"
    ]


# What a person is told


def test_the_escalation_says_who_what_how_often_and_how_to_go_on(world: World) -> None:
    join(world, "user_bo")
    crew = Crew(world, Vendor(error=DOWN))
    crew.sync({"member": "user_bo"})
    world.clock.now += 3600
    crew.vendor.error = VendorError("kit: add tag 11: HTTP 404: Not Found", permanent=True)
    crew.sync({"member": "user_bo"})
    world.clock.now += DAY
    crew.sync({"member": "user_bo"})
    (notice,) = told(world, "parked:kit")
    assert notice["notice"]["key"] == "parked:kit:user_bo:2"
    assert notice["member"] == "user_bo"
    assert notice["notice"]["details"] == {
        "destination": "kit",
        "delivery": "user_bo:2",
        "error": "kit: add tag 11: HTTP 404: Not Found",
        "tried": "2 times, since 2026-09-21 14:14 UTC",
        "replay": "mend the cause, then launch-ready resend --parked --contract contract.json --apply",
    }
    assert world.sweep.run(lambda: 30_000)["nudged"] == 1
    assert world.messages("slack") == [{"member": "user_bo", "notice": "parked:kit:user_bo:2"}]


def test_parked_again_it_is_not_told_again_but_a_newer_state_is(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    join(world, "user_bo")
    crew = Crew(world, Vendor(error=VendorError("kit: HTTP 422", permanent=True)))
    crew.sync({"member": "user_bo"})
    replay(world, "user_bo")
    crew.sync({"member": "user_bo"})
    assert len(crew.vendor.shown) == 2
    assert "parked" in crew.record("user_bo")
    assert len(told(world, "parked:kit")) == 1
    leave(world, "user_bo", START + 30)
    crew.sync({"member": "user_bo"})
    assert {notice["notice"]["key"] for notice in told(world, "parked:kit")} == {
        "parked:kit:user_bo:2",
        "parked:kit:user_bo:3",
    }
    assert metrics(printed(capsys)) == ["SyncParked", "SyncParked"]


def replay(world: World, user: str) -> None:
    """Somebody asks for a parked delivery to be tried again."""
    world.connect("dynamodb").update_item(
        TableName=world.name,
        Key=key(f"MEMBER#{user}", "DELIVERY#kit"),
        UpdateExpression="SET due_at = :now, due_shard = :shard REMOVE parked",
        ExpressionAttributeValues={":now": {"N": "1"}, ":shard": {"S": "0"}},
    )


def test_the_channel_does_not_tell_of_itself(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.deliver(story.subscription(), story.session(), story.invoice("payment_failed", at=START + 50, id_="in_2"))
    refused = VendorError("slack: channel_not_found", permanent=True)
    crew = Crew(world, Vendor(name="slack", recovery=Recovery.AT_MOST_ONCE, error=refused))
    crew.sync(FAILED)
    assert "parked" in crew.notice()
    assert told(world, "parked:") == []
    assert metrics(printed(capsys)) == ["SyncParked"]


def test_a_notice_that_grew_old_while_it_could_not_be_told_is_told_of(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.deliver(story.subscription(), story.session(), story.invoice("payment_failed", at=START + 50, id_="in_2"))
    down = VendorError("slack: HTTP 503", permanent=False)
    crew = Crew(world, Vendor(name="slack", recovery=Recovery.AT_MOST_ONCE, error=down))
    crew.sync(FAILED)
    world.clock.now += 4 * DAY
    crew.sync(FAILED)
    assert crew.notice()["last_error"] == "too old to be told by now: slack: HTTP 503"
    assert metrics(printed(capsys)) == ["SyncParked"]


@pytest.mark.parametrize("lost", [1, 3])
def test_parking_waits_out_other_transactions_on_the_record(world: World, lost: int) -> None:
    join(world, "user_bo")
    real = world.dynamodb
    crew = Crew(world, Vendor(error=VendorError("kit: HTTP 422", permanent=True)))
    world.dynamodb = FaultyClient(
        real, transact_write_items=times(lost, lambda: canceled("TransactionConflict", "None", "None"))
    )
    crew.sync({"member": "user_bo"})
    assert "parked" in crew.record("user_bo")
    assert len(told(world, "parked:kit")) == 1


def test_a_record_that_others_keep_writing_is_parked_by_a_later_worker(world: World) -> None:
    join(world, "user_bo")
    real = world.dynamodb
    crew = Crew(world, Vendor(error=VendorError("kit: HTTP 422", permanent=True)))
    world.dynamodb = FaultyClient(
        real, transact_write_items=times(9, lambda: canceled("TransactionConflict", "None", "None"))
    )
    crew.sync({"member": "user_bo"})
    assert "parked" not in crew.record("user_bo")
    world.dynamodb = real
    world.clock.now += 60
    crew.sync({"member": "user_bo"})
    assert "parked" in crew.record("user_bo")


# The calls of a month


@pytest.fixture
def spent(world: World) -> Iterator[Crew]:
    """Kit's plan allows 20 calls a month, of which 18 were made; and the kit function makes real calls."""
    _ = world.dynamodb
    with serving(lambda asked: Answer()) as server:
        crew = Crew(world, Calling(server.url), calls_per_month=20)
        set_calls(world, 18)
        yield crew
    http.close()


class Calling(Vendor):
    """A vendor that takes one call a state, and may take `timeout` seconds for it."""

    def __init__(self, url: str, timeout: float = 5.0) -> None:
        super().__init__()
        self.url = url
        self.timeout = timeout

    def bring(self, desired: Desired, remote: Mapping[str, str]) -> dict[str, str]:
        self.request("POST", self.url, headers={}, timeout=self.timeout)
        return super().bring(desired, remote)


def set_calls(world: World, calls: int) -> None:
    item = {**key("QUOTA#kit", month_of(int(world.clock()))), "calls": {"N": str(calls)}}
    world.connect("dynamodb").put_item(TableName=world.name, Item=item)


def test_when_the_months_calls_are_used_up_new_states_wait_and_one_person_is_told(
    spent: Crew, capsys: pytest.CaptureFixture[str]
) -> None:
    world = spent.world
    for user in ("user_a", "user_b"):
        join(world, user)
    spent.sync({"member": "user_a"}, {"member": "user_b"})
    assert spent.vendor.shown == []
    waiting = spent.record("user_a")
    assert REVIEW_SECONDS <= waiting["due_at"] - world.clock() <= REVIEW_SECONDS + 600
    assert waiting["attempts"] == 0
    (notice,) = told(world, "quota_spent:")
    assert notice["notice"]["key"] == f"quota_spent:kit:{month_of(int(world.clock()))}"
    assert notice["notice"]["details"]["calls_per_month"] == "20"
    assert metrics(printed(capsys)) == ["Alert"]
    world.clock.now = waiting["due_at"]
    spent.sync({"member": "user_a"})
    assert metrics(printed(capsys)) == []


def test_in_the_next_month_they_are_shown(spent: Crew) -> None:
    world = spent.world
    join(world, "user_a")
    world.clock.now = month_end(int(world.clock())) - 3600
    set_calls(world, 18)
    spent.sync({"member": "user_a"})
    due = spent.record("user_a")["due_at"]
    assert month_end(int(world.clock())) <= due <= month_end(int(world.clock())) + 600
    world.clock.now = due
    spent.sync({"member": "user_a"})
    assert spent.record("user_a")["delivered_version"] == 2


def test_a_removal_of_access_goes_out_on_the_reserve(spent: Crew) -> None:
    world = spent.world
    set_calls(world, 0)
    join(world, "user_a")
    spent.sync({"member": "user_a"})
    set_calls(world, 18)
    leave(world, "user_a", START + 30)
    spent.sync({"member": "user_a"})
    assert spent.record("user_a")["labels"] == ["cancelled"]
    set_calls(world, 20)
    join(world, "user_b")
    spent.sync({"member": "user_b"})
    assert len(spent.vendor.shown) == 2


def test_a_removal_does_not_wait_behind_what_was_put_off(spent: Crew) -> None:
    world = spent.world
    set_calls(world, 0)
    join(world, "user_a")
    spent.sync({"member": "user_a"})
    set_calls(world, 18)
    renewed = story.invoice("payment_failed", at=START + 20, id_="in_9", subscription="sub_user_a")
    world.deliver(renewed)
    spent.sync({"member": "user_a"})
    assert spent.record("user_a")["due_at"] >= world.clock() + REVIEW_SECONDS
    leave(world, "user_a", START + 40)
    spent.sync({"member": "user_a"})
    assert spent.record("user_a")["labels"] == ["cancelled"]
    assert "waiting_version" not in spent.record("user_a")


def test_a_month_is_a_calendar_month() -> None:
    at = 1_798_761_599  # 2026-12-31 23:59:59 UTC
    assert (month_of(at), month_of(at + 1)) == ("2026-12", "2027-01")
    assert month_end(at) == at + 1
    assert month_end(at + 1) - (at + 1) == 31 * DAY


# A vendor that is slow


def test_a_vendor_that_never_answers_delays_no_other_destination(world: World) -> None:
    """Each destination's function works off its own queue; all that they could share is the table."""
    people = [f"user_{number}" for number in range(4)]
    for user in people:
        join(world, user)
        world.deliver(story.invoice("payment_failed", at=START + 50, id_=f"in_{user}", subscription=f"sub_{user}"))
    with serving(lambda asked: Answer(then="never answer")) as silent:
        stuck, failed = working(world, Crew(world, Calling(silent.url, timeout=3.0)))
        slack = Crew(world, Vendor(name="slack", recovery=Recovery.AT_MOST_ONCE))
        while not silent.asked:
            time.sleep(0.01)
        began = time.monotonic()
        while nudges := world.messages("slack"):
            slack.sync(*nudges)
        took = time.monotonic() - began
        assert stuck.is_alive()
        assert {notice.member_id for notice in slack.vendor.told} == set(people)
        assert took < 2.0
        silent.finish.set()
        stuck.join()
    assert failed.empty()


def working(world: World, crew: Crew) -> tuple[threading.Thread, queue.Queue[BaseException]]:
    """A worker of its own, as a client serves one thread at a time, with the nudges that wait; and how it failed."""
    beside = replace(world)
    vars(beside).update(dynamodb=DynamoDb(world.environ), queue_urls=world.queue_urls)
    crew.world = beside
    nudges = world.messages(crew.vendor.name)
    failed: queue.Queue[BaseException] = queue.Queue()

    def work() -> None:
        try:
            crew.sync(*nudges[:1])
        except BaseException as error:  # noqa: BLE001 - told by the test
            failed.put(error)
        finally:
            beside.close()
            http.close()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread, failed
