"""What every registered destination must hold to, one call at a time; test_contract_deliveries.py has the rest."""

import functools
import importlib
import json
import pkgutil
from collections.abc import Generator
from typing import Any

import pytest

from handlers import destinations
from handlers.adapters import http
from handlers.destinations.registry import REGISTERED, RegistrationError, load, registered
from handlers.ports import Recovery
from handlers.settings import DESTINATIONS
from tests.handlers.destinations.contract import EMAIL, STAND_INS, Subject, standing_in
from tests.handlers.loopback import Answer, Asked


@pytest.fixture(params=[maker.name for maker in REGISTERED])
def subject(request: pytest.FixtureRequest) -> Generator[Subject]:
    with standing_in(request.param) as made:
        yield made


def test_every_destination_of_the_settings_is_registered_and_held_to_this_suite() -> None:
    assert {spec.name for spec in DESTINATIONS} == {maker.name for maker in REGISTERED} == set(STAND_INS)


def test_every_vendor_that_there_is_a_file_for_is_registered() -> None:
    modules = [
        importlib.import_module(f"{destinations.__name__}.{module.name}")
        for module in pkgutil.iter_modules(destinations.__path__)
    ]
    found = {
        made
        for module in modules
        for made in vars(module).values()
        if isinstance(made, type) and isinstance(getattr(made, "recovery", None), Recovery)
    }
    assert found == set(REGISTERED)


class Fax:
    """Somebody's destination."""

    name = "fax"
    recovery = Recovery.IDEMPOTENT

    def __init__(self, **given: Any) -> None:
        """Take anything."""

    def bring(self, *given: Any) -> dict[str, str]:
        return {}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({}, "no destination 'fax'; known: kit, slack"),
        ({"name": "slack"}, r"slack carries notices and has no send\(\)"),
        ({"name": "kit", "recovery": "hope"}, "kit does not declare how it recovers from a crash"),
        ({"name": "kit", "recovery": Recovery.AT_MOST_ONCE}, "must be safe to bring about twice"),
    ],
)
def test_what_declares_too_little_is_not_registered(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(RegistrationError, match=problem):
        registered([*REGISTERED, type("Fax", (Fax,), changes)])


def test_nothing_is_registered_twice() -> None:
    with pytest.raises(RegistrationError, match="kit is registered twice"):
        registered([*REGISTERED, *REGISTERED])


def test_what_is_not_registered_cannot_be_loaded() -> None:
    with pytest.raises(KeyError, match=r"'nowhere'; known: kit, slack"):
        load("nowhere", secret="x", options={}, base_url="http://127.0.0.1:1")


def test_every_call_goes_the_way_that_is_counted(subject: Subject) -> None:
    counted: list[str] = []

    def request(method: str, url: str, **options: Any) -> http.Response:
        counted.append(method)
        return http.request(method, url, **options)

    subject.request = request
    subject.carry()
    assert counted == [asked.method for asked in subject.server.asked]


def test_what_must_not_be_told_twice_is_told_in_one_call(subject: Subject) -> None:
    subject.carry()
    if subject.destination.recovery is Recovery.AT_MOST_ONCE:
        assert len(subject.server.asked) == 1


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


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 422])
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


@pytest.mark.parametrize("then", ["never answer", "drip headers", "drip body"])
def test_no_answer_in_time_is_an_unknown_outcome(subject, then):
    subject.request = functools.partial(http.request, timeout=0.2)
    subject.server.answer = lambda asked: Answer(then=then)
    error = subject.error()
    assert (error.permanent, error.unknown) == (False, True)


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
    for maker in REGISTERED:
        options = STAND_INS[maker.name].options
        with pytest.raises(ValueError, match=f"secret of destination '{maker.name}'") as caught:
            load(maker.name, secret=secret, options=options, base_url="http://127.0.0.1:1")
        assert not secret.strip() or secret not in str(caught.value)
