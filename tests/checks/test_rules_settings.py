import pytest

from checks.contract import Ddos
from checks.rules import settings
from tests.checks.exchanges import changed, changed_edge, passes

HSTS = {"enabled": True, "max_age": 31536000, "include_subdomains": True, "preload": False, "nosniff": True}


def live(hsts=HSTS, **changes):
    found = {"ssl": "strict", "min_tls_version": "1.2", "tls_1_3": "on"}
    return {**found, "security_header": {"strict_transport_security": hsts}, **changes}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"ssl": "strict", "min_tls_version": "1.2"}, None),
        ({"ssl": "full", "min_tls_version": "1.2"}, "ssl is full"),
        ({"ssl": "strict", "min_tls_version": "1.1"}, "min_tls_version is 1.1"),
        ({}, "ssl is None"),
    ],
)
def test_origin(declared, found, said):
    assert passes(settings.origin(declared, found), said)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (live(), None),
        (live(tls_1_3="zrt"), None),
        (live(ssl="full"), "ssl is full, declared strict"),
        (live(min_tls_version="1.3"), "min_tls_version is 1.3, declared 1.2"),
        (live(tls_1_3="off"), "tls_1_3 is False, declared True"),
        (live({**HSTS, "max_age": 300}), "HSTS max_age is 300, declared 31536000"),
        (live({**HSTS, "preload": True}), "HSTS preload is True, declared False"),
        (live({}), "HSTS enabled is False, declared True"),
        ({}, "ssl is None, declared strict"),
    ],
)
def test_settings(declared, found, said):
    assert passes(settings.settings(declared, found), said)


def test_hsts_that_nobody_declared_fails(declared):
    assert passes(settings.settings(changed_edge(declared, hsts=None), live()), "HSTS enabled is True, declared False")


@pytest.mark.parametrize(
    ("fights", "wanted", "said"),
    [
        (False, False, None),
        (True, False, "fight_mode is True, declared False"),
        (False, True, "fight_mode is False, declared True"),
        (True, True, "may challenge Stripe's posts to api.tidewriters.example"),
    ],
)
def test_bots(declared, fights, wanted, said):
    subject = changed_edge(declared, bot_fight_mode=wanted)

    assert passes(settings.bots(subject, {"fight_mode": fights}), said)


def test_bots_may_be_fought_where_no_webhook_is_behind_the_edge(declared):
    bare = tuple(host.model_copy(update={"proxied": False}) for host in declared.hosts)
    subject = changed(changed_edge(declared, bot_fight_mode=True), hosts=bare)

    assert passes(settings.bots(subject, {"fight_mode": True}), None)


def override(**changes):
    return (
        {"action": "execute", "action_parameters": {"id": "4d21379b4f9f4bb088e0729962c8b3cf", "overrides": changes}},
    )


@pytest.mark.parametrize(
    ("declared_one", "found", "said"),
    [
        (None, (), None),
        (None, override(sensitivity_level="eoff"), "live: action default, sensitivity eoff"),
        (None, override(rules=[{"id": "x"}]), "live: action some rules'"),
        (("block", "low"), override(action="block", sensitivity_level="low"), None),
        (("default", "low"), override(sensitivity_level="low"), None),
        (("block", "low"), (), "live: no override"),
        (("block", "low"), override(action="log", sensitivity_level="low"), "live: action log, sensitivity low"),
    ],
)
def test_ddos(declared, declared_one, found, said):
    wanted = Ddos(action=declared_one[0], sensitivity=declared_one[1]) if declared_one else None

    assert passes(settings.ddos(changed_edge(declared, ddos=wanted), found), said)
