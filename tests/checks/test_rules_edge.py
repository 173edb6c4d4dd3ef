import pytest

from checks.contract import Maintenance
from checks.model import Status
from checks.probes.edge import BurstFacts, OperatorFacts
from checks.rules import edge
from tests.checks.exchanges import changed_edge, exchange, passes

APEX = "https://tidewriters.example"
OPS = "https://ops.tidewriters.example/"


@pytest.mark.parametrize(
    ("statuses", "said"),
    [([403, 404, 301], None), ([403, 200], "-> 200"), ([], "no host to visit")],
)
def test_exposed(declared, statuses, said):
    visits = tuple(exchange(f"{APEX}/.env", status, location="/") for status in statuses)

    assert passes(edge.exposed(declared, visits), said)


@pytest.mark.parametrize(
    ("visits", "said"),
    [
        ([exchange(f"{APEX}/.env", 403, cf_ray="1-AMS")], None),
        (
            [
                exchange(f"{APEX}/.env", 403, cf_ray="1"),
                exchange("https://www.tidewriters.example/.env", 301, location="/"),
            ],
            None,
        ),
        ([exchange(f"{APEX}/.env", 403, cf_ray="1"), exchange(f"{OPS}.env", 404)], None),  # DNS-only
        ([exchange(f"{OPS}.env", 403, cf_ray="1")], "nothing was refused"),
        ([exchange(f"{APEX}/.env", 404, cf_ray="1-AMS")], "-> 404"),
        ([exchange(f"{APEX}/.env", 403)], "without cf-ray"),
        ([exchange("https://www.tidewriters.example/.env", 301, location="/")], "nothing was refused"),
        ([], "nothing was refused"),
    ],
)
def test_waf(declared, visits, said):
    assert passes(edge.waf(declared, tuple(visits)), said)


@pytest.mark.parametrize(
    ("visits", "said"),
    [
        ([exchange(APEX, 403, cf_ray="1-AMS")], None),
        ([exchange(APEX, 200, cf_ray="1-AMS")], "-> 200"),
        ([exchange(APEX, 403)], "without cf-ray"),
        ([], "no host behind the edge"),
    ],
)
def test_managed(declared, visits, said):
    assert passes(edge.managed(declared, tuple(visits)), said)


REFUSED = exchange(f"{APEX}/auth/", 429, retry_after="10")


@pytest.fixture
def burst(declared):
    def make(statuses=(404, 429), refused=REFUSED, **change):
        limit = declared.edge.rate_limits[0].model_copy(update=change)
        return BurstFacts(limit=limit, url=f"{APEX}/auth/probe", statuses=tuple(statuses), refused=refused)

    return make


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"statuses": [*[404] * 20, 429]}, None),
        ({"statuses": [404] * 22, "refused": None}, "22 quick requests to https://tidewriters.example/auth/probe"),
        ({"refused": exchange(APEX, 429)}, "429 without Retry-After"),
        ({"requests": 1001}, "1001 requests are allowed, at most 1000"),
    ],
)
def test_rate(declared, burst, changes, said):
    assert passes(edge.rate(declared, (burst(), burst(**changes))), said)


def test_no_limit_at_all_fails(declared):
    assert passes(edge.rate(declared, ()), "no rate limit is declared")


@pytest.mark.parametrize(
    ("refused", "after", "said"),
    [(REFUSED, 404, None), (REFUSED, 429, "-> 429"), (None, 404, "nothing was refused")],
)
def test_recovery(declared, burst, refused, after, said):
    assert passes(edge.recovery(declared, (burst(refused=refused), exchange(f"{APEX}/auth/", after))), said)


@pytest.mark.parametrize(
    ("visit", "said"),
    [
        (exchange(APEX, 400, method="POST"), None),
        (exchange(APEX, 403, method="POST", cf_mitigated="challenge"), "cf-mitigated: challenge"),
        (exchange(APEX, 301, method="POST", location="/"), "-> 301"),
        (exchange(APEX, 200, method="POST"), "-> 200"),
    ],
)
def test_webhook(declared, visit, said):
    assert passes(edge.webhook(declared, visit), said)


LOGIN = "https://tidewriters.cloudflareaccess.com/cdn-cgi/access/login/ops.tidewriters.example"


@pytest.mark.parametrize(
    ("guarded", "answer", "said"),
    [
        (True, exchange(OPS, 302, location=LOGIN), None),
        (True, exchange(OPS, 200), "not to the sign-in page of Access"),
        (True, exchange(OPS, 302, location="https://cloudflareaccess.com.evil.example/"), "not to the sign-in page"),
        (False, exchange(OPS, 200), "a stranger is let in"),
        (False, exchange(OPS, 401), None),
        (False, exchange(OPS, 302, location="/login"), None),
    ],
)
def test_access(declared, guarded, answer, said):
    facts = (OperatorFacts(host="ops.tidewriters.example", declared=guarded, answer=answer),)

    assert passes(edge.operators(declared, facts), said)


@pytest.mark.parametrize(
    ("closed", "status", "headers", "said"),
    [
        ((), 200, {}, None),
        ((), 503, {}, "and no maintenance is declared"),
        (("tidewriters.example",), 503, {"retry_after": "600"}, None),
        (("tidewriters.example",), 503, {"retry_after": "60"}, "Retry-After 60, declared 600"),
        (("tidewriters.example",), 503, {}, "Retry-After (none)"),
        (("tidewriters.example",), 200, {}, "though maintenance is declared"),
        (("app.tidewriters.example",), 503, {"retry_after": "600"}, "and no maintenance is declared"),
    ],
)
def test_maintenance(declared, closed, status, headers, said):
    planned = Maintenance(hosts=closed, retry_after_seconds=600) if closed else None
    subject = changed_edge(declared, maintenance=planned)

    verdict = edge.maintenance(subject, (exchange(APEX, status, **headers),))

    assert passes(verdict, said)
    assert verdict.status in {Status.PASS, Status.FAIL}
