"""Claims: the token says what, the app says who, and of several exactly one wins."""

import base64
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from threading import Barrier
from typing import Any

import pytest

from handlers.adapters import items
from handlers.adapters.aws import AwsError, DynamoDb
from handlers.adapters.logs import log
from handlers.core.identity import IdentityKeyError, claim_token
from handlers.core.nodes import Kind, Ref
from handlers.entrypoints.claims import Claims
from tests.handlers import story
from tests.handlers.faults import FaultyClient, refused
from tests.handlers.pipeline_world import World
from tests.handlers.story import DAY, START

KEY = "an example key, known to everybody: 1"
OLD = "an example key, known to everybody: 2"
ADA = "cus_Ada0001"
TOKEN = claim_token(ADA, KEY, START + DAY)

Answer = tuple[int, dict[str, Any]]


def claims(world: World, keys: Callable[[], tuple[str, ...]] = lambda: (KEY, OLD)) -> Claims:
    return Claims(
        store=world.store,
        recorder=world.recorder,
        nudges=world.nudges,
        keys=keys,
        live=world.live,
        clock=world.clock,
    )


def ask(asked: Claims, body: object, **request: Any) -> Answer:
    text = body if isinstance(body, str) else json.dumps(body)
    answer = asked.answer({"body": text, "isBase64Encoded": False, **request})
    assert answer["headers"] == {"content-type": "application/json"}
    return answer["statusCode"], json.loads(answer["body"])


def claim(world: World, user_id: str = "user_ada", token: str = TOKEN) -> Answer:
    return ask(claims(world), {"token": token, "user_id": user_id})


def claimed(user_id: str = "user_ada", subject: str = ADA) -> Answer:
    return 200, {"user_id": user_id, "subject": subject, "claimed": True}


TAKEN = 409, {"error": "claimed_by_another"}


def bought_without_a_name(world: World) -> None:
    world.deliver(story.subscription(user=None, customer=ADA))


def beside(world: World) -> World:
    """A worker of its own on the same table, as a client serves one thread at a time."""
    worker = replace(world)
    vars(worker).update(dynamodb=DynamoDb(world.environ), queue_urls=world.queue_urls)
    return worker


def everything(world: World) -> list[Any]:
    """All items of the table."""
    found = world.connect("dynamodb").scan(TableName=world.name)["Items"]
    return sorted(found, key=lambda item: (item["pk"]["S"], item["sk"]["S"]))


def test_a_payer_without_a_name_becomes_the_user_who_claims(world: World) -> None:
    bought_without_a_name(world)
    assert world.member() is None
    assert claim(world) == claimed()
    member = world.member()
    assert member is not None
    assert (member["state"], member["access"], member["levels"]) == ("active", True, ["member"])


def test_destinations_are_nudged(world: World) -> None:
    bought_without_a_name(world)
    world.deliver(story.invoice(customer=ADA))
    assert world.messages("kit") == []
    claim(world)
    assert world.messages("kit") == [{"member": "user_ada"}]


def test_what_the_customer_buys_later_is_the_claimers(world: World) -> None:
    assert claim(world) == claimed()
    bought_without_a_name(world)
    member = world.member()
    assert member is not None
    assert member["access"] is True


def test_a_claim_can_be_repeated_and_changes_nothing(world: World) -> None:
    bought_without_a_name(world)
    claim(world)
    world.messages("kit")
    before = everything(world)
    world.clock.now += 60
    assert claim(world) == claimed()
    assert everything(world) == before
    assert world.messages("kit") == []


def test_what_another_claimed_stays_the_others(world: World) -> None:
    bought_without_a_name(world)
    claim(world, "user_ada")
    before = everything(world)
    world.clock.now -= 30  # a clock that is behind, or a user id that sorts first, wins nothing either
    status, body = claim(world, "user_aaa")
    assert (status, body) == TAKEN
    assert everything(world) == before
    assert world.member("user_aaa") is None


def test_a_customer_whom_the_server_named_cannot_be_claimed(world: World) -> None:
    world.deliver(story.session(user="user_ada", customer=ADA), story.subscription(user=None, customer=ADA))
    before = everything(world)
    assert claim(world, "user_eve") == TAKEN
    assert everything(world) == before
    assert claim(world, "user_ada") == claimed()
    assert everything(world) == before


def test_of_several_claims_at_once_exactly_one_wins(world: World) -> None:
    bought_without_a_name(world)
    users = [f"user_{place}" for place in range(4)]
    together = Barrier(len(users))

    def at_once(user_id: str) -> Answer:
        with closing(beside(world)) as worker:
            asked = claims(worker, keys=lambda: (together.wait(), (KEY,))[1])
            return ask(asked, {"token": TOKEN, "user_id": user_id})

    with ThreadPoolExecutor(len(users)) as pool:
        answers = list(pool.map(at_once, users))
    (winner,) = [user for user, answer in zip(users, answers, strict=True) if answer == claimed(user)]
    assert answers.count(TAKEN) == len(users) - 1
    assert [user for user in users if world.member(user) is not None] == [winner]


@pytest.mark.parametrize("late", ["user_aaa", "user_zzz"])
def test_who_looked_before_and_wrote_after_the_winner_is_told_so(world: World, late: str) -> None:
    """Whichever way a join of the two claims would decide, and in the same second."""
    bought_without_a_name(world)
    first = claims(world)

    def beaten(_: Mapping[str, Any]) -> None:
        assert ask(first, {"token": TOKEN, "user_id": "user_mmm"}) == claimed("user_mmm")

    with closing(beside(world)) as slow:
        vars(slow).update(dynamodb=FaultyClient(slow.dynamodb, transact_write_items=beaten))
        assert claim(slow, late) == TAKEN
    assert claim(world, "user_mmm") == claimed("user_mmm")
    assert world.member(late) is None


def test_a_claim_whose_customer_was_erased_goes_to_a_person(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    claim(world)
    erased = items.node_key(Ref(Kind.CUSTOMER, ADA))
    world.connect("dynamodb").delete_item(TableName=world.name, Key=erased)
    assert claim(world) == (500, {"error": "internal"})
    assert '"level":"error"' in capsys.readouterr().out


def test_a_payment_without_a_customer_is_claimed_by_itself(world: World) -> None:
    token = claim_token("pi_3Guest0001", KEY, START + DAY)
    assert claim(world, "user_ada", token) == claimed(subject="pi_3Guest0001")
    assert claim(world, "user_ada", token) == claimed(subject="pi_3Guest0001")
    assert claim(world, "user_eve", token) == TAKEN


def guest_bought_once(world: World, **changes: Any) -> None:
    """Paid without a customer, and without a name that anybody vouched for."""
    told = story.session(
        name="checkout.session.completed.payment",
        subscription=None,
        customer=None,
        payment_intent="pi_3Guest0001",
        **changes,
    )
    told["data"]["object"]["metadata"] = {"price_id": story.PRICE}
    world.deliver(told)


GUEST = claim_token("pi_3Guest0001", KEY, START + DAY)


def test_what_a_guest_paid_for_once_is_the_claimers(world: World) -> None:
    guest_bought_once(world)
    assert claim(world, "user_ada", GUEST) == claimed(subject="pi_3Guest0001")
    member = world.member()
    assert member is not None
    assert (member["state"], member["access"]) == ("active", True)


def test_a_name_that_the_payer_typed_does_not_keep_the_payer_from_claiming(world: World) -> None:
    world.policy_document["unsigned_reference"] = "add"
    guest_bought_once(world, client_reference_id="user_bob")
    typed = world.member("user_bob")
    assert typed is not None
    assert typed["grants"][0]["verified"] is False
    assert claim(world, "user_ada", GUEST) == claimed(subject="pi_3Guest0001")
    named = world.member("user_bob")
    assert named is not None
    assert named["grants"] == []
    assert claim(world, "user_bob", GUEST) == TAKEN


def test_a_token_of_the_previous_key_is_good(world: World) -> None:
    assert claim(world, token=claim_token(ADA, OLD, START + DAY)) == claimed()


def test_a_token_is_good_until_its_last_second(world: World) -> None:
    world.clock.now = START + DAY - 0.5
    assert claim(world) == claimed()


def test_an_expired_token_claims_nothing(world: World) -> None:
    world.clock.now = START + DAY
    _ = world.dynamodb
    assert claim(world) == (410, {"error": "expired"})
    assert everything(world) == []


@pytest.mark.parametrize("token", ["x", "lr1_x", TOKEN[:-1], claim_token(ADA, KEY[::-1], START + DAY)])
def test_a_token_of_others_claims_nothing(world: World, token: str) -> None:
    _ = world.dynamodb
    assert claim(world, token=token) == (400, {"error": "not_ours"})
    assert everything(world) == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("", "the body is not JSON"),
        ("{", "the body is not JSON"),
        ("[" * 100_000, "the body is not JSON"),
        ([TOKEN], "the body must be a JSON object, got list"),
        ({"user_id": "user_ada"}, "token must be a text that is not empty"),
        ({"token": 7, "user_id": "user_ada"}, "token must be a text that is not empty"),
        ({"token": TOKEN}, "user_id must be a text that is not empty"),
        ({"token": TOKEN, "user_id": ""}, "user_id must be a text that is not empty"),
        ({"token": TOKEN, "user_id": ["user_ada"]}, "user_id must be a text that is not empty"),
        ({"token": TOKEN, "user_id": "u" * 257}, "user_id must be at most 256 printable characters"),
        ({"token": TOKEN, "user_id": "user\nada"}, "user_id must be at most 256 printable characters"),
        ({"token": TOKEN, "user_id": "user\ud800"}, "user_id must be at most 256 printable characters"),
    ],
)
def test_a_malformed_request_is_told_what_is_wrong(world: World, body: object, message: str) -> None:
    assert ask(claims(world), body) == (400, {"error": "malformed", "message": message})


def test_a_body_in_base64_is_read(world: World) -> None:
    body = json.dumps({"token": TOKEN, "user_id": "zoë"}, ensure_ascii=False).encode()
    assert ask(claims(world), base64.b64encode(body).decode(), isBase64Encoded=True) == claimed("zoë")
    for broken in ("no base64!", base64.b64encode(b'{"user_id": "\xff"}').decode()):
        assert ask(claims(world), broken, isBase64Encoded=True)[1]["message"] == "the body is not JSON"


def test_a_request_without_a_body_is_malformed(world: World) -> None:
    assert claims(world).answer({})["statusCode"] == 400


@pytest.mark.parametrize("operation", ["batch_get_item", "transact_write_items"])
def test_a_store_in_trouble_is_asked_again_later(world: World, operation: str) -> None:
    bought_without_a_name(world)
    before = everything(world)
    whole = world.dynamodb
    world.dynamodb = FaultyClient(whole, **{operation: lambda _: refused("InternalServerError")})
    assert claim(world) == (503, {"error": "try_again"})
    world.dynamodb = whole
    assert everything(world) == before
    assert claim(world) == claimed()


@pytest.mark.parametrize("error", [AwsError("no answer"), IdentityKeyError("the identity secret must be JSON")])
def test_without_keys_nothing_is_decided(world: World, error: Exception) -> None:
    def none() -> tuple[str, ...]:
        raise error

    assert ask(claims(world, none), {"token": TOKEN, "user_id": "user_ada"}) == (503, {"error": "try_again"})


def test_nobody_learns_who_has_it_or_reads_a_token_in_the_logs(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    bought_without_a_name(world)
    claim(world, "user_ada")
    told = claim(world, "user_eve")
    claim(world, token=TOKEN + "x")
    claim(world, token=TOKEN[:-1] + "é" + TOKEN)
    output = capsys.readouterr().out
    assert "user_ada" not in json.dumps(told)
    assert '"result":"claimed"' in output.replace(" ", "")
    assert "claimed by another" in output
    assert "lc1_" not in output
    assert TOKEN[4:47] not in output


def test_a_token_in_any_line_is_redacted(capsys: pytest.CaptureFixture[str]) -> None:
    log("error", "a page was asked for", url=f"https://app.tidewriters.example/claim?token={TOKEN}&x=1")
    line = json.loads(capsys.readouterr().out)
    assert line["url"] == "https://app.tidewriters.example/claim?token=[token]&x=1"
