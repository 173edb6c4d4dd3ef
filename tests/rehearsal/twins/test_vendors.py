"""The stand-ins of Kit and Slack, asked over real HTTP, by hand and by the destinations' own code."""

import threading
from collections.abc import Generator
from typing import Any

import httpx
import pytest

from handlers.adapters import http
from handlers.core.desired import Desired, Notice
from handlers.core.errors import VendorError
from handlers.destinations.kit import Kit
from handlers.destinations.slack import Slack
from rehearsal.errors import TwinError
from rehearsal.twins.kit import KitTwin
from rehearsal.twins.server import listen
from rehearsal.twins.slack import SlackTwin

KEY, TOKEN, CHANNEL = "kit-key", "xoxb-token", "C0123456789"
EMAIL = "ada.lovelace@example.com"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def no_connections_left() -> Generator[None]:
    yield
    http.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def kit(clock: Clock) -> Generator[KitTwin]:
    with KitTwin(KEY, [11, 12, 13], clock=clock) as kit:
        yield kit


@pytest.fixture
def slack(clock: Clock) -> Generator[SlackTwin]:
    with SlackTwin(TOKEN, [CHANNEL], clock=clock) as slack:
        yield slack


def ask_kit(kit: KitTwin, method: str, path: str, key: str = KEY, **others: Any) -> httpx.Response:
    headers = {"x-kit-api-key": key}
    return httpx.request(method, kit.base_url + path, headers=headers, trust_env=False, **others)


def post(slack: SlackTwin, message: Any, token: str | None = TOKEN) -> httpx.Response:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return httpx.post(f"{slack.base_url}/chat.postMessage", json=message, headers=headers, trust_env=False)


def test_a_subscriber_is_created_once_by_address(kit: KitTwin):
    first = ask_kit(kit, "POST", "/subscribers", json={"email_address": EMAIL, "first_name": "Ada"})
    again = ask_kit(kit, "POST", "/subscribers", json={"email_address": EMAIL.upper()})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["subscriber"].keys() == {"id", "first_name", "email_address", "state", "created_at", "fields"}
    assert kit.subscriber(EMAIL) == first.json()["subscriber"]
    assert kit.subscriber("stranger@example.com") is None


def test_tags_are_given_and_taken_once(kit: KitTwin):
    id_ = kit.subscribe(EMAIL)
    assert [ask_kit(kit, "POST", f"/tags/11/subscribers/{id_}").status_code for _ in range(2)] == [201, 200]
    assert kit.tags_of(EMAIL.upper()) == {11}
    assert [ask_kit(kit, "DELETE", f"/tags/11/subscribers/{id_}").status_code for _ in range(2)] == [204, 404]
    assert kit.tags_of(EMAIL) == frozenset()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/tags/99/subscribers/1000001", 404),
        ("POST", "/tags/11/subscribers/5", 404),
        ("GET", "/subscribers/5", 404),
        ("GET", "/subscribers/5/tags", 404),
        ("GET", "/forms", 404),
        ("PATCH", "/subscribers", 404),
        ("POST", "/subscribers", 422),
        ("GET", "/subscribers?per_page=1001", 422),
    ],
)
def test_kit_refuses_in_its_own_form(kit: KitTwin, method: str, path: str, status: int):
    kit.subscribe(EMAIL)
    response = ask_kit(kit, method, path)
    assert response.status_code == status
    assert [type(error) for error in response.json()["errors"]] == [str]


@pytest.mark.parametrize("body", [{"email_address": "nobody"}, {"email_address": EMAIL, "state": "odd"}, ["a"]])
def test_kit_takes_no_subscriber_that_makes_no_sense(kit: KitTwin, body: Any):
    assert ask_kit(kit, "POST", "/subscribers", json=body).status_code == 422
    assert kit.subscriber(EMAIL) is None


def test_kit_wants_its_key(kit: KitTwin):
    response = ask_kit(kit, "GET", "/subscribers", key="other")
    assert (response.status_code, response.json()) == (401, {"errors": ["The access token is invalid"]})


def test_kit_lists_active_subscribers_unless_asked_for_all(kit: KitTwin):
    ask_kit(kit, "POST", "/subscribers", json={"email_address": EMAIL, "state": "inactive"})
    counts = [
        len(ask_kit(kit, "GET", "/subscribers", params={"email_address": EMAIL, **more}).json()["subscribers"])
        for more in ({}, {"status": "all"}, {"status": "inactive"})
    ]
    assert counts == [0, 1, 1]


def test_kit_answers_in_pages(kit: KitTwin):
    id_ = kit.subscribe(EMAIL, 11, 12, 13)
    first = ask_kit(kit, "GET", f"/subscribers/{id_}/tags?per_page=2").json()
    assert ([tag["id"] for tag in first["tags"]], first["pagination"]["has_next_page"]) == ([11, 12], True)
    cursor = first["pagination"]["end_cursor"]
    second = ask_kit(kit, "GET", f"/subscribers/{id_}/tags?per_page=2&after={cursor}").json()
    assert ([tag["id"] for tag in second["tags"]], second["pagination"]["has_next_page"]) == ([13], False)


def test_kit_takes_120_calls_in_any_minute_and_refuses_in_plain_text(kit: KitTwin, clock: Clock):
    with httpx.Client(base_url=kit.base_url, headers={"x-kit-api-key": KEY}, trust_env=False) as client:
        assert {client.get("/subscribers").status_code for _ in range(120)} == {200}
        refused = client.get("/subscribers")
        assert refused.status_code == 429
        assert refused.headers["content-type"].startswith("text/plain")
        assert "retry-after" not in refused.headers
        clock.now = 60.0
        assert client.get("/subscribers").status_code == 200


def desired(*labels: str) -> Desired:
    return Desired(member_id="m_1", email=EMAIL, labels=frozenset(labels), version=1)


def test_the_destination_brings_a_member_to_kit(kit: KitTwin):
    destination = Kit(secret=KEY, options={"tags": {"member_active": 11, "cancelled": 12}}, base_url=kit.base_url)
    remote = destination.bring(desired("member_active"), {})
    assert kit.tags_of(EMAIL) == {11}
    destination.bring(desired("cancelled"), remote)
    assert kit.tags_of(EMAIL) == {12}
    written = [(call.method, call.status) for call in kit.calls() if call.method != "GET"]
    assert written == [("POST", 201), ("POST", 201), ("POST", 201), ("DELETE", 204)]


def test_the_destination_posts_a_notice_to_slack(slack: SlackTwin):
    destination = Slack(secret=TOKEN, options={"channel": CHANNEL}, base_url=slack.base_url)
    notice = Notice(key="k", kind="payment_failed", member_id="m_1", at=1_800_000_000, max_age_seconds=60)
    posted = destination.send(notice)
    (message,) = slack.messages()
    assert posted == {"channel": message.channel, "ts": message.ts}
    assert "m_1" in message.text
    assert slack.messages("C0000000000") == []


@pytest.mark.parametrize(
    ("message", "token", "code"),
    [
        ({"channel": CHANNEL, "text": "a"}, None, "not_authed"),
        ({"channel": CHANNEL, "text": "a"}, "xoxb-other", "invalid_auth"),
        ({"channel": "C0000000000", "text": "a"}, TOKEN, "channel_not_found"),
        ({"channel": CHANNEL}, TOKEN, "no_text"),
        ({"channel": CHANNEL, "text": "a" * 40_001}, TOKEN, "msg_too_long"),
        (["a"], TOKEN, "invalid_json"),
    ],
)
def test_slack_refuses_with_status_200_and_a_code(slack: SlackTwin, message: Any, token: str | None, code: str):
    response = post(slack, message, token)
    assert (response.status_code, response.json()) == (200, {"ok": False, "error": code})
    assert slack.messages() == []


def test_slack_knows_one_method(slack: SlackTwin):
    assert httpx.post(f"{slack.base_url}/chat.delete", trust_env=False).json()["error"] == "unknown_method"
    assert httpx.get(f"{slack.base_url}/chat.postMessage", trust_env=False).json()["error"] == "invalid_post_type"


def test_slack_takes_forms_and_dedupes_nothing(slack: SlackTwin):
    form = {"token": TOKEN, "channel": CHANNEL, "text": "same"}
    answers = [httpx.post(f"{slack.base_url}/chat.postMessage", data=form, trust_env=False).json() for _ in range(2)]
    assert all(answer["ok"] for answer in answers)
    assert answers[0]["ts"] != answers[1]["ts"]
    assert [message.text for message in slack.messages()] == ["same", "same"]


def test_slack_limits_a_channel_and_says_how_long(slack: SlackTwin, clock: Clock):
    message = {"channel": CHANNEL, "text": "a"}
    assert {post(slack, message).status_code for _ in range(60)} == {200}
    clock.now = 20.5
    refused = post(slack, message)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "40")
    assert refused.json() == {"ok": False, "error": "ratelimited"}
    clock.now = 60.0
    assert post(slack, message).json()["ok"]


def test_a_failing_vendor_has_no_effect_and_recovers(kit: KitTwin):
    kit.fail(status=503, retry_after=7)
    body = {"email_address": EMAIL}
    failed = ask_kit(kit, "POST", "/subscribers", json=body)
    assert (failed.status_code, failed.headers["retry-after"], failed.content) == (503, "7", b"")
    assert kit.subscriber(EMAIL) is None
    kit.recover()
    assert ask_kit(kit, "POST", "/subscribers", json=body).status_code == 201
    assert [call.status for call in kit.calls()] == [503, 201]


def test_a_vendor_fails_as_often_as_it_was_told(kit: KitTwin):
    kit.fail(status=500, times=2)
    assert [ask_kit(kit, "GET", "/subscribers").status_code for _ in range(4)] == [500, 500, 200, 200]


def test_an_answer_can_be_lost_after_its_effect(slack: SlackTwin):
    slack.fail(status=500, times=1, after_effect=True)
    assert post(slack, {"channel": CHANNEL, "text": "a"}).status_code == 500
    assert len(slack.messages()) == 1


def test_a_vendor_can_hang_and_stops_all_the_same():
    kit = KitTwin(KEY, [])
    kit.start()
    kit.fail(hang=True)
    broken = threading.Event()

    def wait_for_an_answer() -> None:
        try:
            ask_kit(kit, "GET", "/subscribers", timeout=30)
        except httpx.TransportError:
            broken.set()

    thread = threading.Thread(target=wait_for_an_answer, daemon=True)
    thread.start()
    while not kit.calls():
        thread.join(0.01)
    kit.stop()
    thread.join(10)
    assert broken.is_set()
    assert [call.status for call in kit.calls()] == [None]


def test_a_vendor_that_is_down_is_a_passing_error_to_the_destination(slack: SlackTwin):
    slack.fail(status=503)
    destination = Slack(secret=TOKEN, options={"channel": CHANNEL}, base_url=slack.base_url)
    notice = Notice(key="k", kind="refund", member_id="m_1", at=1_800_000_000, max_age_seconds=60)
    with pytest.raises(VendorError) as failed:
        destination.send(notice)
    assert not failed.value.permanent


def test_a_slow_vendor_answers_in_the_end(kit: KitTwin):
    kit.fail(delay_seconds=0.05)
    assert ask_kit(kit, "GET", "/subscribers").status_code == 200


@pytest.mark.parametrize("wrong", [{"times": 0}, {"status": 500, "hang": True}])
def test_a_fault_that_makes_no_sense_is_refused(kit: KitTwin, wrong: dict[str, Any]):
    with pytest.raises(ValueError, match=r"times must be|either hangs"):
        kit.fail(**wrong)


def test_a_recorded_call_hides_its_key_and_body_when_printed(kit: KitTwin):
    ask_kit(kit, "POST", "/subscribers", json={"email_address": EMAIL})
    (call,) = kit.calls()
    assert call.json() == {"email_address": EMAIL}
    assert KEY not in repr(call)
    assert EMAIL not in repr(call)


def test_a_port_in_use_is_named():
    taken = listen("other", 0)
    taken.listen()
    with taken, pytest.raises(TwinError, match="slack cannot listen"):
        SlackTwin(TOKEN, [CHANNEL], port=taken.getsockname()[1]).start()
