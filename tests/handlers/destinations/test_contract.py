"""What every destination must hold to; one without an entry here fails the suite."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from handlers.adapters import http
from handlers.core.desired import Desired, Notice
from handlers.core.errors import VendorError
from handlers.destinations.registry import load
from handlers.ports import Recovery
from handlers.settings import DESTINATIONS
from tests.handlers.loopback import Answer, Asked, Loopback

EMAIL = "ada.lovelace@example.com"
DESIRED = Desired(member_id="mem_1", email=EMAIL, labels=frozenset({"member_active"}), version=3)
NOTICE = Notice(
    key="payment_failed:in_1", kind="payment_failed", member_id="mem_1", at=1_800_000_000, max_age_seconds=60
)


@dataclass(frozen=True)
class Entry:
    """How a destination is set up against its stand-in, and how to see what the stand-in holds."""

    server_fixture: str
    account_fixture: str
    path: str
    options: Mapping[str, Any]
    held: Callable[[Any], object]


ENTRIES = {
    "kit": Entry("kit_server", "kit_account", "/v4", {"tags": {"member_active": 11}}, lambda kit: str(kit.tagged)),
    "slack": Entry(
        "slack_server", "slack_workspace", "/api", {"channel": "C0123456789"}, lambda slack: len(slack.posted)
    ),
}


@dataclass
class Subject:
    """One destination under test."""

    destination: Any
    server: Loopback
    account: Any
    held: Callable[[], object]
    secret: str

    def carry(self, remote: Mapping[str, str] | None = None) -> Mapping[str, str]:
        """Do what a delivery does."""
        if hasattr(self.destination, "bring"):
            return self.destination.bring(DESIRED, remote or {})
        return self.destination.send(NOTICE)

    def error(self) -> VendorError:
        with pytest.raises(VendorError) as caught:
            self.carry()
        return caught.value


def test_every_destination_has_an_entry_and_every_entry_a_destination():
    assert set(ENTRIES) == {spec.name for spec in DESTINATIONS}


@pytest.fixture(params=[spec.name for spec in DESTINATIONS])
def subject(request):
    entry = ENTRIES[request.param]
    server = request.getfixturevalue(entry.server_fixture)
    account = request.getfixturevalue(entry.account_fixture)
    destination = load(
        request.param, secret=account.key + "\n", options=entry.options, base_url=server.url + entry.path + "/"
    )
    return Subject(destination, server, account, lambda: entry.held(account), account.key)


@pytest.mark.parametrize("spec", DESTINATIONS, ids=lambda spec: spec.name)
def test_it_carries_what_its_entry_in_the_settings_says(spec):
    destination = load(spec.name, secret="key", options=ENTRIES[spec.name].options, base_url=spec.base_url)
    assert destination.name == spec.name
    assert hasattr(destination, "bring" if spec.carries == "state" else "send")
    assert destination.recovery in set(Recovery)


def test_a_delivery_arrives_and_its_ids_can_be_stored(subject):
    before = subject.held()
    ids = subject.carry()
    assert subject.held() != before
    assert ids
    assert all(isinstance(key, str) and isinstance(value, str) and value for key, value in ids.items())


def test_a_second_run_changes_nothing_unless_at_most_once_is_declared(subject):
    ids = subject.carry()
    before = subject.held()
    subject.carry(ids)
    assert (subject.held() == before) is (subject.destination.recovery is not Recovery.AT_MOST_ONCE)


def test_a_repeat_after_a_crash_before_the_record_changes_nothing_unless_declared(subject):
    subject.carry()
    before = subject.held()
    subject.carry({})
    assert (subject.held() == before) is (subject.destination.recovery is not Recovery.AT_MOST_ONCE)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422])
def test_a_refusal_is_permanent(subject, status):
    subject.server.answer = lambda asked: Answer(status, b"no")
    assert subject.error().permanent


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_fault_on_their_side_is_transient_and_says_how_long_to_wait(subject, status):
    subject.server.answer = lambda asked: Answer(status, b"later", {"Retry-After": "17"})
    error = subject.error()
    assert not error.permanent
    assert error.retry_after == 17.0


def test_a_wrong_key_is_permanent(subject):
    subject.account.key = "another"
    assert subject.error().permanent


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_refused(subject, status):
    elsewhere = subject.server.url + "/elsewhere"
    subject.server.answer = lambda asked: Answer(status, b"", {"Location": elsewhere})
    assert subject.error().permanent
    assert "/elsewhere" not in [asked.path for asked in subject.server.asked]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, b"<html>Welcome to our Wi-Fi</html>", {"Content-Type": "text/html"}),
        Answer(200, b""),
        Answer(200, b"null"),
        Answer(200, b"[]"),
        Answer(200, b"{"),
        Answer(200, b"[" * 100_000),
        Answer(then="hang up"),
        Answer(then="reset"),
        Answer(then="cut short"),
    ],
    ids=["page", "empty", "null", "list", "half", "deep", "hang up", "reset", "cut short"],
)
def test_an_answer_that_proves_nothing_is_an_unknown_outcome(subject, answer):
    subject.server.answer = lambda asked: answer
    error = subject.error()
    assert error.unknown
    assert not error.permanent


def test_silence_is_an_unknown_outcome(subject, monkeypatch):
    patient = http.request
    monkeypatch.setattr(http, "request", lambda *args, **options: patient(*args, **options, timeout=0.2))
    subject.server.answer = lambda asked: Answer(then="never answer")
    assert subject.error().unknown


def test_a_vendor_that_is_not_there_is_known_to_have_done_nothing(subject):
    subject.server.shutdown()
    subject.server.server_close()
    error = subject.error()
    assert (error.permanent, error.unknown) == (False, False)


def echo(asked: Asked) -> Answer:
    """The worst vendor: quotes everything that it was sent in its error."""
    return Answer.of({"errors": [json.dumps(dict(asked.headers)), asked.path, asked.body.decode()]}, 422)


def echo_with_success(asked: Asked) -> Answer:
    return Answer.of({"ok": False, "error": json.dumps(dict(asked.headers)) + asked.body.decode()})


@pytest.mark.parametrize("vendor", [echo, echo_with_success])
def test_neither_key_nor_address_shows_in_an_error_or_a_log(subject, vendor, capsys, caplog):
    subject.server.answer = vendor
    error = subject.error()
    seen = repr(error) + str(error.__cause__) + capsys.readouterr().out + caplog.text
    assert subject.secret not in seen
    assert EMAIL not in seen
    assert "lovelace" not in seen


def test_an_email_address_is_shown_to_nobody_who_does_not_need_it(subject):
    subject.carry()
    named = any(EMAIL in asked.body.decode() for asked in subject.server.asked)
    assert named is (subject.destination.name == "kit")
    assert not any("lovelace" in asked.path for asked in subject.server.asked)


@pytest.mark.parametrize("secret", ["", " \n", "two words", "schlüssel", "new\nline"])
def test_a_key_that_cannot_be_a_header_is_refused_unseen(secret):
    for name, entry in ENTRIES.items():
        with pytest.raises(ValueError, match=f"secret of destination '{name}'") as caught:
            load(name, secret=secret, options=entry.options, base_url="http://127.0.0.1:1")
        assert not secret.strip() or secret not in str(caught.value)


def test_an_unknown_destination_is_named_with_the_known_ones():
    with pytest.raises(KeyError, match=r"'nowhere'; known: kit, slack"):
        load("nowhere", secret="x", options={}, base_url="http://127.0.0.1:1")
