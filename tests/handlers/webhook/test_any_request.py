"""Whatever arrives at the route: what Stripe signed is queued once, and nothing else is, and no answer is a failure."""

import base64
import contextlib
import hashlib
import hmac
import json
from collections import Counter
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handlers.core.envelope import MAX_BYTES, decode, parse
from handlers.core.errors import EventError
from handlers.core.signature import TOLERANCE_SECONDS
from tests.handlers.fuzz.bodies import SECRETS, raw_bodies

NOW = 1_800_000_000  # the clock of the webhook here
EXAMPLES = settings().max_examples
LOG_LINE_BYTES = 2000


def signature(raw: bytes, secret: str, at: int) -> str:
    return hmac.new(secret.encode(), b"%d.%b" % (at, raw), hashlib.sha256).hexdigest()


class Signing(NamedTuple):
    """How a request came to its header. Genuine is what was signed with a secret that is held, and recently."""

    name: str
    genuine: bool
    secret: str = "whsec_current"
    at: int = NOW
    form: str = "t={t},v1={v1}"


SIGNINGS = [
    Signing("current", True),
    Signing("previous", True, secret="whsec_previous"),
    Signing("during a roll", True, form="t={t},v1=" + "0" * 64 + ",v1={v1},v0=abc"),
    Signing("at the edge", True, at=NOW - TOLERANCE_SECONDS),
    Signing("at the other edge", True, at=NOW + TOLERANCE_SECONDS),
    Signing("forged", False, secret="whsec_forged"),
    Signing("stale", False, at=NOW - TOLERANCE_SECONDS - 1),
    Signing("future", False, at=NOW + TOLERANCE_SECONDS + 1),
    Signing("old scheme", False, form="t={t},v0={v1}"),
    Signing("upper case", False, form="t={t},v1=X{v1}"),
    Signing("no time", False, form="v1={v1}"),
    Signing("two times", False, form="t={t},t={t},v1={v1}"),
    Signing("spaces", False, form="t={t}, v1={v1}"),
    Signing("empty", False, form=""),
    Signing("noise", False, form="\x00é,=,t==,v1"),
]

content_types = st.sampled_from(
    [None, "application/json; charset=utf-8", "application/json; charset=utf-16", "text/xml", "multipart/form-data", ""]
)


class Made(NamedTuple):
    """A request as API Gateway hands it over, the body that was signed or not, and whether the two are genuine."""

    request: dict[str, Any]
    raw: bytes
    genuine: bool
    how: str

    def __repr__(self) -> str:
        return f"{self.how}: {self.raw!r}"


@st.composite
def requests(draw: st.DrawFn) -> Made:
    """Any body, signed in any way, in either of API Gateway's encodings, and sometimes changed on the way."""
    raw, signing = draw(raw_bodies), draw(st.sampled_from(SIGNINGS))
    header = signing.form.format(t=signing.at, v1=signature(raw, signing.secret, signing.at))
    headers = {"stripe-signature": header, "content-type": draw(content_types)}
    body, in_base64 = base64.b64encode(raw).decode(), True
    if draw(st.booleans()):
        with contextlib.suppress(UnicodeDecodeError):  # what is no text can only come in base64
            body, in_base64 = raw.decode(), False
    tampering = draw(st.sampled_from(["", "", "", "one more", "other encoding", "header lost"]))
    if tampering == "one more":
        body += "A"
    elif tampering == "other encoding" and body:
        in_base64 = not in_base64
    elif tampering == "header lost":
        del headers["stripe-signature"]
    request = {
        "version": "2.0",
        "rawPath": "/webhooks/stripe",
        "headers": {name: value for name, value in headers.items() if value is not None},
        "requestContext": {"http": {"method": "POST"}},
        "body": body,
        "isBase64Encoded": in_base64,
    }
    untouched = not tampering or (tampering == "other encoding" and not body)
    return Made(request, raw, signing.genuine and untouched, f"{signing.name} {tampering}")


def sqs_takes(text: str) -> bool:
    ranges = [(0x9, 0x9), (0xA, 0xA), (0xD, 0xD), (0x20, 0xD7FF), (0xE000, 0xFFFD), (0x10000, 0x10FFFF)]
    allowed = all(any(low <= ord(character) <= high for low, high in ranges) for character in set(text))
    return bool(text) and allowed and len(text.encode()) <= MAX_BYTES


@pytest.mark.timeout(1800)  # the nightly profile takes longer than a test should
def test_what_stripe_signed_is_queued_once_and_everything_else_is_refused(
    webhook: Any, queue: Any, secrets: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: Counter[str] = Counter()

    @settings(max_examples=6 * EXAMPLES, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
    @given(requests())
    def check(made: Made) -> None:
        request, raw, genuine, _ = made
        queue.sent.clear()
        response = webhook.receive(request)
        seen["genuine" if genuine else "not genuine"] += 1
        printed = capsys.readouterr().out
        assert len(printed) < LOG_LINE_BYTES
        assert not any(secret in printed for secret in (*SECRETS, "whsec_current", "whsec_previous"))
        assert set(json.loads(response["body"])) == ({"received"} if genuine else {"error"})
        if not genuine:
            assert (response["statusCode"], queue.sent) == (400, [])
            return
        assert response["statusCode"] == 200
        ((message, group, deduplication_id),) = queue.sent
        assert sqs_takes(message)
        assert all(1 <= len(id_) <= 128 and id_.isascii() for id_ in (group, deduplication_id))
        assert_kept(message, raw)
        assert webhook.receive(request)["statusCode"] == 200
        assert queue.sent[1] == queue.sent[0]  # so that SQS drops it
        capsys.readouterr()

    check()
    print(f"webhook: {seen.total()} requests: {dict(seen)}, {secrets.refreshes} refreshes asked for")
    assert min(seen.values()) > seen.total() / 10


def assert_kept(message: str, raw: bytes) -> None:
    """What was signed is in the message: as it came, by its id, or as far as it is text."""
    event = parse(raw)
    if event is None:
        with pytest.raises(EventError):
            decode(message)
    elif message.encode() != raw:
        received = decode(message)
        assert getattr(received, "id", None) == event["id"]
