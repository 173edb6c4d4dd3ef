"""The members API: computed at the moment of the question, with the shape that callers rely on."""

import json

from tests.handlers import story
from tests.handlers.faults import FaultyClient, refused
from tests.handlers.pipeline_world import World
from tests.handlers.story import DAY, MONTH, START


def ask(world: World, user_id: str) -> tuple[int, dict[str, object]]:
    answer = world.members.answer({"rawPath": f"/v1/members/{user_id}", "pathParameters": {"user_id": user_id}})
    assert answer["headers"] == {"content-type": "application/json"}
    return answer["statusCode"], json.loads(answer["body"])


def test_the_whole_answer(world: World) -> None:
    event = story.subscription()
    world.deliver(event)
    assert ask(world, "user_ada") == (
        200,
        {
            "user_id": "user_ada",
            "customers": ["cus_Ada0001"],
            "state": "active",
            "access": True,
            "levels": ["member"],
            "until": START + MONTH,
            "reason": "paid",
            "needs_support": False,
            "grants": [
                {
                    "id": "sub_1Member0001",
                    "kind": "subscription",
                    "state": "active",
                    "access": True,
                    "until": START + MONTH,
                    "reason": "paid",
                    "levels": ["member"],
                    "needs_support": False,
                    "verified": True,
                }
            ],
            "version": 1,
            "transitions": [{"at": START, "from": "lead", "to": "active", "reason": "paid", "event": event["id"]}],
        },
    )


def test_somebody_unknown_is_not_found(world: World) -> None:
    assert ask(world, "user_nobody") == (404, {"error": "not_found"})


def test_time_takes_effect_without_anything_being_written(world: World) -> None:
    failed = START + MONTH
    world.deliver(story.subscription(), story.invoice("payment_failed", at=failed, id_="in_2"))
    world.deliver(story.subscription("updated", at=failed, latest_invoice="in_2", period_end=START + 2 * MONTH))
    world.clock.now = failed + 7 * DAY - 1
    before = world.member()
    world.clock.now = failed + 7 * DAY
    after = world.member()
    assert before is not None
    assert after is not None
    assert (before["state"], before["access"]) == ("grace_period", True)
    assert (after["state"], after["access"]) == ("past_due", False)
    assert before["version"] == after["version"]


def test_a_user_id_of_any_characters_is_found(world: World) -> None:
    world.deliver(story.subscription(user="auth0|zoë/ü #1"))
    assert ask(world, "auth0|zoë/ü #1")[0] == 200
    escaped = {"rawPath": "/v1/members/auth0%7Czo%C3%AB%2F%C3%BC%20%231"}
    assert world.members.answer(escaped)["statusCode"] == 200


def test_a_path_without_user_is_not_found(world: World) -> None:
    assert world.members.answer({"rawPath": "/v1/members/"})["statusCode"] == 404
    assert world.members.answer({"rawPath": "/elsewhere"})["statusCode"] == 404
    assert ask(world, "x" * 257)[0] == 404


def test_a_failure_shows_nothing_of_our_insides(world: World) -> None:
    world.dynamodb = FaultyClient(world.dynamodb, get_item=lambda _: refused("AccessDenied"))
    assert ask(world, "user_ada") == (500, {"error": "internal"})
