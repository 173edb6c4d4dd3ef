"""Access in front of a host."""

from typing import Any

import pytest

from rehearsal.errors import TwinError
from rehearsal.twins.zone import Kind
from tests.rehearsal.twins.declared import ACCOUNT, ZONE
from tests.rehearsal.twins.edge_world import APP, World

EMAIL = f"ada@{ZONE}"


def guard(world: World, *policies: dict[str, Any], domain: str = APP, **others: Any) -> None:
    """Put an application with these policies in front of `domain`."""
    made = [
        world.declared.twin.create(Kind.ACCESS_POLICY, {"accountId": ACCOUNT, "name": f"p{number}", **policy})
        for number, policy in enumerate(policies)
    ]
    ordered = [{"id": one.id, "precedence": number + 1.0} for number, one in enumerate(made)]
    inputs = {"accountId": ACCOUNT, "type": "self_hosted", "name": "ops", "domain": domain, "policies": ordered}
    world.declared.twin.create(Kind.ACCESS_APPLICATION, {**inputs, **others})


def allowing(**include: Any) -> dict[str, Any]:
    return {"decision": "allow", "includes": [include]}


OURS = allowing(emailDomain={"domain": ZONE})


def test_who_has_no_session_is_sent_to_the_teams_login(world: World):
    guard(world, OURS)
    response = world.get(f"https://{APP}/account?tab=1")
    assert response.status_code == 302
    location, _, query = response.headers["location"].partition("?")
    assert location == f"https://rehearsal.cloudflareaccess.com/cdn-cgi/access/login/{APP}"
    assert query.endswith("&redirect_url=%2Faccount%3Ftab%3D1")
    assert world.seen() == []
    assert world.get(f"https://{ZONE}/").status_code == 200


def test_every_path_and_method_is_guarded(world: World):
    guard(world, OURS)
    for path in ("/api/status", "/_next/static/a.js", "/.well-known/security.txt", "/robots.txt"):
        assert world.get(f"https://{APP}{path}").status_code == 302
    assert world.client.post(f"https://{APP}/auth/login").status_code == 302


def test_a_session_reaches_the_origin_which_is_told_whose_it_is(world: World):
    guard(world, OURS)
    token = world.edge.sign_in(APP, EMAIL)
    forged = {"cf-access-authenticated-user-email": "eve@evil.example", "cookie": f"CF_Authorization={token}"}
    assert world.get(f"https://{APP}/", headers=forged).status_code == 200
    headers = world.origin.visits()[0].headers
    assert (headers["cf-access-authenticated-user-email"], headers["cf-access-jwt-assertion"]) == (EMAIL, token)


def test_the_origin_of_an_open_host_is_told_of_no_session_that_the_client_made_up(world: World):
    world.get(f"https://{APP}/", headers={"cf-access-authenticated-user-email": EMAIL})
    assert "cf-access-authenticated-user-email" not in world.origin.visits()[0].headers


@pytest.mark.parametrize(
    "damage", [lambda token: token[:-2] + "AA", lambda _: "", lambda token: f"x{token}", str.upper]
)
def test_a_session_that_the_edge_did_not_make_is_none(world: World, damage: Any):
    guard(world, OURS)
    token = damage(world.edge.sign_in(APP, EMAIL))
    assert world.get(f"https://{APP}/", headers={"cookie": f"CF_Authorization={token}"}).status_code == 302


def test_a_session_ends_after_its_duration(world: World):
    guard(world, OURS, sessionDuration="1h30m")
    cookie = {"cookie": f"CF_Authorization={world.edge.sign_in(APP, EMAIL)}"}
    world.clock.now += 5399
    assert world.get(f"https://{APP}/", headers=cookie).status_code == 200
    world.clock.now += 1
    assert world.get(f"https://{APP}/", headers=cookie).status_code == 302


def test_a_session_for_one_application_is_none_for_another(world: World):
    guard(world, OURS)
    guard(world, OURS, domain=ZONE)
    cookie = {"cookie": f"CF_Authorization={world.edge.sign_in(ZONE, EMAIL)}"}
    assert [world.get(f"https://{host}/", headers=cookie).status_code for host in (ZONE, APP)] == [200, 302]


@pytest.mark.parametrize(
    ("policies", "status"),
    [
        ([OURS], 200),
        ([allowing(email={"email": EMAIL})], 200),
        ([allowing(email={"email": f"eve@{ZONE}"})], 403),
        ([allowing(emailDomain={"domain": f"sub.{ZONE}"})], 403),
        ([{**OURS, "excludes": [{"email": {"email": EMAIL}}]}], 403),
        ([{**OURS, "requires": [{"email": {"email": f"eve@{ZONE}"}}]}], 403),
        ([{"decision": "deny", "includes": [{"email": {"email": EMAIL}}]}, OURS], 403),
    ],
)
def test_the_first_policy_about_somebody_decides(world: World, policies: Any, status: int):
    guard(world, *policies)
    cookie = {"cookie": f"CF_Authorization={world.edge.sign_in(APP, EMAIL)}"}
    assert world.get(f"https://{APP}/", headers=cookie).status_code == status


def test_a_policy_that_bypasses_lets_everybody_in(world: World):
    guard(world, {"decision": "bypass", "includes": [{"everyone": {}}]})
    assert world.get(f"https://{APP}/").status_code == 200


def test_nobody_signs_in_where_access_is_not(world: World):
    with pytest.raises(TwinError, match="no Access application"):
        world.edge.sign_in(APP, EMAIL)
