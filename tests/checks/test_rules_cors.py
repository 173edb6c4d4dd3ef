import pytest

from checks.contract import Cors
from checks.probes.cors import CrossFacts
from checks.rules import cors
from tests.checks.exchanges import changed_edge, exchange, passes

URL = "https://api.tidewriters.example/v1/members/x"
APP, HOME = "https://app.tidewriters.example", "https://tidewriters.example"


def asked(origin, status=204, method="OPTIONS", **headers):
    served = {f"access_control_{name}" if name != "vary" else name: value for name, value in headers.items()}
    return (CrossFacts(origin=origin, answer=exchange(URL, status, method=method, **served)),)


def allowing(declared, *origins):
    policy = Cors(origins=origins, methods=("GET", "POST"), headers=("content-type",), max_age_seconds=600)
    return changed_edge(declared, cors=policy)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (asked("https://evil.example"), None),
        (asked("https://evil.example", allow_origin=APP), None),
        (
            asked("https://evil.example", allow_origin="https://evil.example"),
            "access-control-allow-origin: https://evil",
        ),
        (asked("null", allow_origin="null"), "access-control-allow-origin: null"),
        (asked("https://evil.example", allow_origin="*"), "access-control-allow-origin: *"),
        (asked("https://evil.example", allow_credentials="true"), "access-control-allow-credentials: true"),
    ],
)
def test_cors(declared, facts, said):
    assert passes(cors.strangers(declared, facts), said)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (asked(APP, allow_origin=APP, allow_methods="GET,POST", vary="Accept, Origin"), None),
        (asked(APP, allow_origin=APP, allow_methods="post, get", vary="origin"), None),
        (asked(APP, allow_methods="GET,POST", vary="Origin"), "(none), declared"),
        (asked(APP, allow_origin="*", allow_methods="GET,POST", vary="Origin"), "*, declared"),
        (asked(APP, 403, allow_origin=APP), "-> 403"),
        (asked(APP, allow_origin=APP, allow_methods="GET", vary="Origin"), "methods GET, declared GET, POST"),
        (asked(APP, allow_origin=APP, allow_methods="GET,POST,DELETE", vary="Origin"), "methods DELETE, GET, POST"),
        (asked(APP, allow_origin=APP, allow_methods="GET,POST"), "no Vary: Origin"),
        (
            asked(APP, allow_origin=APP, allow_methods="GET,POST", vary="Origin", allow_credentials="true"),
            "access-control-allow-credentials: true",
        ),
    ],
)
def test_preflight(declared, facts, said):
    assert passes(cors.preflight(allowing(declared, APP, HOME), facts), said)


def test_one_allowed_origin_need_not_vary(declared):
    assert passes(cors.preflight(allowing(declared, APP), asked(APP, allow_origin=APP, allow_methods="GET,POST")), None)
