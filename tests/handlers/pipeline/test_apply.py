"""apply against a real table: each event once, in one transaction, and what cannot be read stands in nobody's way."""

import copy
import json
import threading
import zlib
from collections.abc import Mapping
from typing import Any

import pytest

from handlers.adapters.aws import AwsError
from handlers.adapters.items import PAYLOAD_SECONDS
from handlers.core import again, linking
from handlers.core.again import Again
from tests.handlers import story
from tests.handlers.faults import FaultyClient, canceled, refused, times
from tests.handlers.loopback import Answer, Asked, serving
from tests.handlers.pipeline_world import World
from tests.handlers.story import MONTH, START


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def metrics(printed: list[dict[str, Any]]) -> list[str]:
    directives = [line["_aws"]["CloudWatchMetrics"][0] for line in printed if "_aws" in line]
    return [metric["Name"] for directive in directives for metric in directive["Metrics"]]


def results(printed: list[dict[str, Any]]) -> list[str]:
    return [line["result"] for line in printed if line.get("action") == "apply"]


def test_a_subscription_makes_a_member_who_can_be_read_back(world: World) -> None:
    assert world.member() is None
    assert world.deliver(story.recorded("customer.subscription.created")) == []
    member = world.member()
    assert member is not None
    assert (member["state"], member["access"], member["levels"]) == ("active", True, ["member"])
    assert member["until"] == START + MONTH
    assert member["version"] == 1
    assert member["transitions"] == [
        {"at": START, "from": "lead", "to": "active", "reason": "paid", "event": "evt_1customersubscription"}
    ]


def test_an_event_is_in_the_ledger_for_ever_and_its_payload_for_ninety_days(world: World) -> None:
    event = story.subscription()
    world.deliver(event)
    entry = world.item(f"EVENT#{event['id']}", "LEDGER")
    assert entry is not None
    assert (entry["type"], entry["created"], entry["outcome"]) == ("customer.subscription.created", START, "applied")
    assert len(entry["digest"]) == 64
    assert "expires_at" not in entry
    payload = world.item(f"EVENT#{event['id']}", "PAYLOAD")
    assert payload is not None
    assert json.loads(zlib.decompress(payload["payload"])) == event
    assert payload["expires_at"] == world.clock() + PAYLOAD_SECONDS


def test_the_same_event_again_has_no_effect(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    purchase = [story.subscription(), story.session()]
    world.deliver(*purchase)
    before = world.member()
    assert len(world.messages("kit")) == 1
    capsys.readouterr()
    assert world.deliver(*purchase) == []
    assert world.member() == before
    assert world.messages("kit") == []
    assert results(lines(capsys)) == ["duplicate", "duplicate"]


def test_the_same_event_at_the_same_moment_is_applied_once(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    event = story.subscription()
    world.store.read([])  # the table is made before the threads ask for it
    at_once([lambda: world.deliver_beside(event)] * 4)
    member = world.member()
    assert member is not None
    assert member["version"] == 1
    assert sorted(results(lines(capsys))) == ["applied", "duplicate", "duplicate", "duplicate"]


def test_workers_on_the_same_member_lose_nothing(world: World) -> None:
    purchases = [story.subscription(id_=f"sub_{n}") for n in range(6)]
    world.store.read([])
    at_once([lambda event=event: world.deliver_beside(event) for event in purchases])
    member = world.member()
    assert member is not None
    assert sorted(grant["id"] for grant in member["grants"]) == [f"sub_{n}" for n in range(6)]
    assert member["version"] == 6


def at_once(actions: list[Any]) -> None:
    start = threading.Barrier(len(actions))

    def run(action: Any) -> None:
        start.wait()
        assert action() == []

    threads = [threading.Thread(target=run, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_an_event_of_the_other_mode_is_recorded_and_ignored(world: World) -> None:
    event = {**story.subscription(), "livemode": False}
    assert world.deliver(event) == []
    assert world.member() is None
    entry = world.item(f"EVENT#{event['id']}", "LEDGER")
    assert entry is not None
    assert (entry["outcome"], entry["reason"]) == ("ignored", "livemode")


def test_a_type_that_is_not_ours_is_recorded_and_ignored(world: World) -> None:
    event = {**story.subscription(), "type": "price.created"}
    assert world.deliver(event) == []
    entry = world.item(f"EVENT#{event['id']}", "LEDGER")
    assert entry is not None
    assert (entry["outcome"], entry["reason"]) == ("ignored", "type")


def test_what_cannot_be_read_is_parked_and_does_not_block_its_group(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = story.subscription()
    broken["data"]["object"]["status"] = 7
    assert world.deliver("not json", broken, story.subscription(id_="sub_good")) == []
    assert world.member() is not None
    entry = world.item(f"EVENT#{broken['id']}", "LEDGER")
    assert entry is not None
    assert (entry["outcome"], entry["reason"]) == ("parked", "subscription: status must be a text, got int")
    printed = lines(capsys)
    assert results(printed) == ["parked", "parked", "applied"]
    assert metrics(printed) == ["EventParked", "EventParked"]


def test_facts_that_do_not_fit_what_is_known_are_parked(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linking, "MAX_UNNAMED", 2)
    told = [story.subscription(id_=f"sub_{place}", user=None) for place in range(3)]
    assert world.deliver(*told) == []
    entry = world.item(f"EVENT#{told[2]['id']}", "LEDGER")
    assert entry is not None
    assert entry["outcome"] == "parked"
    assert entry["reason"] == "customer cus_Ada0001 has over 2 purchases that name no user"
    assert world.item("SUBSCRIPTION#sub_2", "SUBSCRIPTION") is None


def reference(event_id: str) -> str:
    fields = {"id": event_id, "type": "customer.subscription.created", "created": START, "livemode": True}
    return json.dumps({"launch_ready_reference": fields})


def test_an_event_that_did_not_fit_on_the_queue_is_fetched(world: World) -> None:
    event = story.subscription()

    def stripe(asked: Asked) -> Answer:
        assert asked.headers["authorization"] == "Bearer rk_live_read"
        assert asked.headers["stripe-version"] == "2026-10-28.endive"
        return Answer.of(event) if asked.path == f"/v1/events/{event['id']}" else Answer.of({}, 404)

    with serving(stripe) as server:
        world.stripe_url = server.url
        assert world.deliver(reference(event["id"]), reference("evt_gone")) == []
    assert world.member() is not None


def test_a_reference_waits_while_stripe_is_down(world: World) -> None:
    with serving(lambda _: Answer.of({}, 503)) as server:
        world.stripe_url = server.url
        assert world.deliver(reference("evt_1"), story.subscription()) == ["m0", "m1"]
    assert world.member() is None


def test_after_a_failure_the_rest_of_the_group_waits_and_other_groups_go_on(world: World) -> None:
    faulty = FaultyClient(world.dynamodb, transact_write_items=times(1, lambda: refused("InternalServerError")))
    world.dynamodb = faulty
    records = [
        record("m0", "a", story.subscription(id_="sub_0")),
        record("m1", "a", story.subscription(id_="sub_1")),
        record("m2", "b", story.subscription(id_="sub_2")),
        record("m3", "a", story.subscription(id_="sub_3")),
    ]
    answer = world.apply.handle({"Records": records}, lambda: 5000)
    assert answer == {"batchItemFailures": [{"itemIdentifier": id_} for id_ in ("m0", "m1", "m3")]}
    member = world.member()
    assert member is not None
    assert [grant["id"] for grant in member["grants"]] == ["sub_2"]


def test_a_mistake_of_ours_fails_its_own_group_only(world: World) -> None:
    world.dynamodb = FaultyClient(world.dynamodb, transact_write_items=times(1, lambda: TypeError("a bug")))
    records = [record("m0", "a", story.subscription()), record("m1", "b", story.subscription(id_="sub_b"))]
    answer = world.apply.handle({"Records": records}, lambda: 5000)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert world.member() is not None


def record(message: str, group: str, event: Mapping[str, Any]) -> dict[str, Any]:
    return {"messageId": message, "body": json.dumps(event), "attributes": {"MessageGroupId": group}}


def test_without_enough_time_left_the_rest_goes_back(world: World) -> None:
    records = [record("m0", "a", story.subscription()), record("m1", "b", story.subscription())]
    left = iter([5000, 900])
    answer = world.apply.handle({"Records": records}, lambda: next(left))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}


@pytest.mark.parametrize(
    "conflict",
    [
        lambda: canceled("None", "TransactionConflict"),
        lambda: canceled("None", "None", "ConditionalCheckFailed"),
        lambda: refused("TransactionConflictException"),
    ],
)
def test_a_conflict_is_repeated_in_the_process(world: World, conflict: Any, capsys: pytest.CaptureFixture[str]) -> None:
    faulty = FaultyClient(world.dynamodb, transact_write_items=times(3, conflict))
    world.dynamodb = faulty
    assert world.deliver(story.subscription()) == []
    assert world.member() is not None
    assert faulty.calls["transact_write_items"] == 4
    assert metrics(lines(capsys)) == ["WriteConflict"] * 3


def test_conflicts_without_end_go_back_to_the_queue(world: World) -> None:
    faulty = FaultyClient(world.dynamodb, transact_write_items=lambda _: canceled("TransactionConflict"))
    world.dynamodb = faulty
    assert world.deliver(story.subscription()) == ["m0"]
    assert faulty.calls["transact_write_items"] == 10


def test_a_write_whose_answer_was_lost_is_found_in_the_ledger(world: World) -> None:
    real = world.dynamodb
    purchase = [story.subscription(), story.session()]
    world.deliver(purchase[0])

    def write_and_hang_up(request: Mapping[str, Any]) -> Exception:
        real.transact_write_items(**request)
        return AwsError("no answer")

    world.dynamodb = FaultyClient(real, transact_write_items=write_and_hang_up)
    assert world.deliver(purchase[1]) == ["m0"]
    world.dynamodb = real
    assert world.deliver(purchase[1]) == []
    member = world.member()
    assert member is not None
    assert member["version"] == 2
    delivery = world.item("MEMBER#user_ada", "DELIVERY#kit")
    assert delivery is not None
    assert delivery["due_at"] == world.clock()  # nobody nudged: the sweep will


@pytest.mark.parametrize(
    ("event", "most"),
    [
        (lambda: story.subscription("updated", at=START + 9, status="active"), 2),
        (lambda: story.invoice("paid", at=START + 9, id_="in_9", user="user_ada"), 2),
        (lambda: story.invoice_payment(at=START + 9), 3),
        (lambda: story.refund(at=START + 9), 3),
    ],
)
def test_an_event_of_a_known_member_takes_few_round_trips(world: World, event: Any, most: int) -> None:
    world.deliver(story.subscription(), story.session(), story.invoice("paid"), story.invoice_payment())
    faulty = FaultyClient(world.dynamodb)
    world.dynamodb = faulty
    assert world.deliver(event()) == []
    assert sum(faulty.calls.values()) <= most


def test_destinations_are_nudged_once_there_is_somebody_to_show(world: World) -> None:
    world.deliver(story.subscription())
    assert world.messages("kit") == []
    world.deliver(story.session())
    assert world.messages("kit") == [{"member": "user_ada"}]
    world.deliver(story.invoice("paid"), story.invoice_payment())
    assert world.messages("kit") == []
    assert world.messages("slack") == []


def test_a_nudge_that_is_lost_leaves_the_delivery_due(world: World) -> None:
    world.__dict__["sqs"] = FaultyClient(world.sqs, send_message_batch=lambda _: refused("ServiceUnavailable"))
    assert world.deliver(story.subscription(), story.session()) == []
    delivery = world.item("MEMBER#user_ada", "DELIVERY#kit")
    assert delivery is not None
    assert (delivery["desired_version"], delivery["due_at"]) == (2, world.clock())


def test_operations_hear_of_a_failed_payment_once(world: World) -> None:
    world.clock.now = START + MONTH + 4000
    world.deliver(story.subscription(), story.session())
    failed = [story.invoice("payment_failed", at=START + MONTH + moment, id_="in_2") for moment in (3600, 3700)]
    world.deliver(*failed)
    world.deliver(
        story.subscription("updated", at=START + MONTH + 3600, latest_invoice="in_2", period_end=START + 2 * MONTH)
    )
    assert world.messages("slack") == [{"member": "user_ada", "notice": "payment_failed:in_2"}]


def test_operations_hear_once_of_a_refund_that_two_events_tell(world: World) -> None:
    world.clock.now = START + 7300
    world.deliver(story.subscription(), story.invoice("paid"), story.invoice_payment())
    world.deliver(story.refund(), story.charge_refunded())
    assert world.messages("slack") == [{"member": "user_ada", "notice": "refund:pi_3First0001:2900"}]
    notice = world.item("NOTICE#refund:pi_3First0001:2900", "DELIVERY#slack")
    assert notice is not None
    assert notice["notice"]["details"] == {
        "amount": "2900",
        "invoice": "in_1First0001",
        "payment": "pi_3First0001",
        "subscription": "sub_1Member0001",
    }


def test_operations_hear_nothing_of_what_is_long_ago(world: World) -> None:
    world.clock.now = START + 30 * 86_400
    world.deliver(story.subscription(), story.invoice("paid"), story.invoice_payment(), story.refund())
    assert world.messages("slack") == []


def test_a_price_that_config_does_not_name_opens_nothing_and_raises_one_alert(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.deliver(
        story.subscription(id_="sub_1", price="price_unheard"),
        story.subscription("updated", id_="sub_1", price="price_unheard", at=START + 1, status="active"),
        story.subscription(id_="sub_2", price="price_unheard", user="user_bob"),
        story.session(subscription="sub_1"),
    )
    member = world.member()
    assert member is not None
    assert (member["state"], member["access"], member["levels"]) == ("lead", False, [])
    assert metrics(lines(capsys)) == ["Alert"]
    assert world.messages("kit") == []


def test_stripe_is_asked_what_a_checkout_session_sold(world: World) -> None:
    world.policy_document["products"].append({"price": "print_edition", "level": "print"})
    price = {"id": "price_1PrintEUR0001", "object": "price", "lookup_key": "print_edition"}
    line = {"id": "li_1", "object": "item", "price": price, "quantity": 1}

    def stripe(asked: Asked) -> Answer:
        known = asked.path.startswith("/v1/checkout/sessions/cs_live_1Print0001/line_items")
        return Answer.of({"object": "list", "data": [line]}) if known else Answer.of({}, 404)

    with serving(stripe) as server:
        world.stripe_url = server.url
        world.deliver(story.recorded("checkout.session.completed.payment"))
    member = world.member()
    assert member is not None
    assert (member["state"], member["access"], member["levels"]) == ("active", True, ["print"])
    payment = world.item("PAYMENT#pi_3Print0001", "PAYMENT")
    assert payment is not None
    assert "due_at" not in payment


def test_what_a_session_sold_is_asked_again_when_stripe_did_not_answer(world: World) -> None:
    world.deliver(story.recorded("checkout.session.completed.payment"))
    member = world.member()
    assert member is not None
    assert (member["state"], member["reason"]) == ("lead", "price_not_mapped")
    payment = world.item("PAYMENT#pi_3Print0001", "PAYMENT")
    assert payment is not None
    assert payment["due_at"] == payment["first_seen"] + 60


def test_a_payer_whom_nobody_named_waits_and_the_link_moves_what_waited(world: World) -> None:
    world.deliver(story.refund(), story.invoice_payment(), story.invoice("paid"), story.subscription(user=None))
    assert world.member() is None
    waiting = world.item("SUBSCRIPTION#sub_1Member0001", "SUBSCRIPTION")
    assert waiting is not None
    assert waiting["due_at"] == world.clock() + 600
    world.deliver(story.session())
    member = world.member()
    assert member is not None
    assert member["state"] == "refunded"
    linked = world.item("SUBSCRIPTION#sub_1Member0001", "SUBSCRIPTION")
    assert linked is not None
    assert "due_at" not in linked


def test_what_a_payer_can_type_names_nobody(world: World) -> None:
    world.deliver(story.subscription(user=None), story.session(user=None, client_reference_id="user_ada"))
    assert world.member() is None


def test_two_accounts_with_one_address_stay_two(world: World) -> None:
    world.deliver(story.subscription(), story.session())
    world.deliver(
        story.subscription(id_="sub_2", customer="cus_2", user="user_bob"),
        story.session(subscription="sub_2", customer="cus_2", user="user_bob", id="cs_2"),
    )
    ada, bob = world.member(), world.member("user_bob")
    assert ada is not None
    assert bob is not None
    assert [grant["id"] for grant in ada["grants"]] == ["sub_1Member0001"]
    assert [grant["id"] for grant in bob["grants"]] == ["sub_2"]


def test_a_subscription_that_the_server_gives_to_another_user_leaves_the_first(world: World) -> None:
    world.deliver(story.subscription(), story.session())
    world.deliver(story.subscription("updated", at=START + 9, status="active", user="user_bob"))
    ada, bob = world.member(), world.member("user_bob")
    assert ada is not None
    assert bob is not None
    assert (ada["state"], bob["state"]) == ("lead", "active")
    assert [change["to"] for change in ada["transitions"]] == ["active", "lead"]


def test_the_logs_hold_no_address(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.deliver(story.subscription(), story.session(), story.invoice("paid"))
    printed = capsys.readouterr().out
    assert "ada@" not in printed
    applied = [json.loads(line) for line in printed.splitlines()]
    assert [line.get("member") for line in applied] == ["user_ada"] * 3
    assert {line.get("customer") for line in applied} == {"cus_Ada0001"}
    assert len(applied[1]["email_hash"]) == 16


def test_an_event_that_was_parked_is_applied_by_a_run_once(world: World) -> None:
    event = story.subscription()
    broken = copy.deepcopy(event)
    broken["data"]["object"]["status"] = 7
    world.deliver(broken)
    message = again.encode(Again(run="run_1", body=json.dumps(event)))
    world.deliver(message, message)
    member, entry = world.member(), world.item(f"EVENT#{event['id']}", "LEDGER")
    assert member is not None
    assert entry is not None
    assert (member["state"], member["version"], entry["outcome"], entry["run"]) == ("active", 1, "applied", "run_1")
    assert world.item("RUN#run_1", f"EVENT#{event['id']}") is not None


def test_a_run_changes_nothing_where_the_event_was_applied_before(world: World) -> None:
    event = story.subscription()
    world.deliver(event)
    before = world.member()
    world.deliver(again.encode(Again(run="run_1", body=json.dumps(event))))
    after = world.member()
    assert before is not None
    assert before == after
