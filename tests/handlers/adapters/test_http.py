import gzip
import time

import pytest
import trustme
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.adapters import http
from handlers.core.errors import VendorError
from tests.handlers.loopback import Answer, serving, trusted_by

KEY = {"X-Key": "sekret"}


@pytest.fixture(autouse=True)
def fresh_connections():
    """Each test starts and ends without connections."""
    yield
    http.close()


@pytest.fixture
def vendor():
    with serving(lambda asked: Answer()) as server:
        yield server


def test_a_request_arrives_as_it_was_made(vendor):
    vendor.answer = lambda asked: Answer(201, b'{"id": 1}', {"X-Thing": "yes"})
    answer = http.request("POST", vendor.url + "/a?b=c%20d", headers=KEY, body=b"raw")
    assert (answer.status, answer.json(), answer.headers["x-thing"]) == (201, {"id": 1}, "yes")
    (asked,) = vendor.asked
    assert (asked.method, asked.path, asked.body) == ("POST", "/a?b=c%20d", b"raw")
    assert asked.headers["x-key"] == "sekret"


def test_a_connection_is_used_again(vendor):
    for _ in range(2):
        http.request("GET", vendor.url, headers={})
    assert len({asked.connection for asked in vendor.asked}) == 1


def test_a_connection_that_was_idle_is_not_used_again(vendor, monkeypatch):
    monkeypatch.setattr(http, "IDLE_SECONDS", -1.0)
    for _ in range(2):
        http.request("GET", vendor.url, headers={})
    assert len({asked.connection for asked in vendor.asked}) == 2


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed_and_permanent(vendor, status):
    vendor.answer = lambda asked: Answer(status, headers={"Location": f"{vendor.url}/elsewhere?key=sekret"})
    answer = http.request("GET", vendor.url + "/here", headers=KEY)
    assert [asked.path for asked in vendor.asked] == ["/here"]
    error = http.failure(answer, "kit: try")
    assert error.permanent
    assert "redirect refused" in str(error)
    assert "sekret" not in str(error)


@pytest.mark.parametrize("then", ["hang up", "reset", "cut short"])
def test_a_connection_that_breaks_after_sending_has_an_unknown_outcome(vendor, then):
    vendor.answer = lambda asked: Answer(then=then)
    with pytest.raises(VendorError) as caught:
        http.request("POST", vendor.url, headers=KEY)
    assert caught.value.unknown
    assert not caught.value.permanent


def test_silence_ends_with_an_unknown_outcome(vendor):
    vendor.answer = lambda asked: Answer(then="never answer")
    with pytest.raises(VendorError, match="no answer") as caught:
        http.request("POST", vendor.url + "/path?email=a", headers=KEY, timeout=0.2)
    assert caught.value.unknown
    assert "path" not in str(caught.value)


def test_nobody_listening_is_known_to_have_had_no_effect(vendor):
    vendor.shutdown()
    vendor.server_close()
    with pytest.raises(VendorError, match="cannot be reached") as caught:
        http.request("POST", vendor.url, headers=KEY)
    assert not caught.value.unknown
    assert not caught.value.permanent


def test_an_untrusted_certificate_is_refused_before_anything_is_sent():
    with serving(lambda asked: Answer(), trusted_by(trustme.CA())) as server:
        with pytest.raises(VendorError, match="not trusted") as caught:
            http.request("POST", server.url, headers=KEY)
        assert not caught.value.unknown
        assert server.asked == []


def test_an_endless_answer_is_cut_off(vendor):
    vendor.answer = lambda asked: Answer(200, b"x" * (http.MAX_BODY_BYTES + 1))
    with pytest.raises(VendorError, match=f"more than {http.MAX_BODY_BYTES} bytes") as caught:
        http.request("GET", vendor.url, headers=KEY)
    assert caught.value.unknown


def test_an_answer_of_the_greatest_length_is_taken(vendor):
    vendor.answer = lambda asked: Answer(200, b"x" * http.MAX_BODY_BYTES)
    assert len(http.request("GET", vendor.url, headers=KEY).body) == http.MAX_BODY_BYTES


def test_a_compressed_answer_is_neither_asked_for_nor_unpacked(vendor):
    bomb = gzip.compress(b"0" * 50_000_000)
    vendor.answer = lambda asked: Answer(200, bomb, {"Content-Encoding": "gzip"})
    assert http.request("GET", vendor.url, headers=KEY).body == bomb
    assert vendor.asked[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    ("status", "permanent", "unknown"),
    [
        (400, True, False),
        (401, True, False),
        (404, True, False),
        (408, False, False),
        (422, True, False),
        (429, False, False),
        (500, False, True),
        (502, False, True),
        (503, False, False),
        (504, False, True),
        (304, True, False),
    ],
)
def test_each_status_says_what_to_do_next(status, permanent, unknown):
    error = http.failure(http.Response(status, {}, b"<html>sekret</html>"), "kit: add tag")
    assert (error.permanent, error.unknown, error.retry_after) == (permanent, unknown, None)
    assert f"HTTP {status}" in str(error)
    assert "sekret" not in str(error)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("Wed, 28 Oct 2026 12:01:00 GMT", 60.0),
        ("Wed, 28 Oct 2026 11:00:00 GMT", 0.0),
        ("-5", None),
        ("soon", None),
        ("٣", None),
        ("1e9", None),
        ("", None),
        ("9" * 5000, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value, seconds):
    response = http.Response(429, {"retry-after": value}, b"")
    now = 1_793_188_800.0  # 2026-10-28T12:00:00Z
    assert http.failure(response, "kit: add tag", now=now).retry_after == seconds


def test_a_permanent_error_has_no_time_to_retry():
    assert http.failure(http.Response(403, {"retry-after": "5"}, b""), "kit: add tag").retry_after is None


@settings(deadline=None)
@given(st.text())
def test_no_retry_after_breaks_the_reader(value):
    seconds = http.retry_after({"retry-after": value}, now=0.0)
    assert seconds is None or seconds >= 0


def test_an_unexpected_body_is_described_not_shown():
    error = http.malformed(http.Response(200, {"content-type": "text/html; x=sekret"}, b"<h1>sekret"), "kit: list tags")
    assert str(error) == "kit: list tags: HTTP 200 with an unexpected body (text/html, 10 bytes)"
    assert error.unknown


def test_json_nested_without_end_is_a_value_error():
    with pytest.raises(ValueError, match="nested"):
        http.Response(200, {}, b"[" * 100_000).json()


@pytest.mark.parametrize("answer", [Answer(then="drip headers"), Answer(then="drip body")], ids=["headers", "body"])
def test_a_server_that_drips_does_not_hold_us(vendor, answer):
    vendor.answer = lambda asked: answer
    began = time.monotonic()
    with pytest.raises(VendorError, match="no answer") as caught:
        http.request("POST", vendor.url, headers=KEY, timeout=0.3)
    assert caught.value.unknown
    assert time.monotonic() - began < 1.5


def test_an_answer_that_comes_in_parts_is_taken_whole(vendor):
    vendor.answer = lambda asked: Answer(body=b"x" * 3_000_000)
    assert http.request("GET", vendor.url, headers={}, timeout=5.0).body == b"x" * 3_000_000
