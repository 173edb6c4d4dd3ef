"""Adopting a zone from the command line, over Cloudflare's API, and rehearsing what becomes of it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from rehearsal.twins.cloudflare_api import CloudflareApiTwin
from rehearsal.twins.zone import ZoneTwin
from tests.infra.live_zone import DOMAIN, grown
from tests.rehearsal.test_mutations import copy_of_the_project

pytestmark = pytest.mark.timeout(240)


@dataclass(frozen=True)
class Founder:
    """A person with a zone at Cloudflare, a token for it and a copy of the project."""

    project: Path
    vantage: Path

    def run(self, *arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "launch_ready.py", *arguments],
            cwd=self.project,
            capture_output=True,
            text=True,
            timeout=200,
            env={key: value for key, value in os.environ.items() if key != "CLOUDFLARE_API_TOKEN"},
            check=False,
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def founder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Founder]:
    place = tmp_path_factory.mktemp("founder")
    zone = ZoneTwin()
    zone.load(grown().snapshot())
    with CloudflareApiTwin(zone, "a-token-that-reads") as api:
        vantage = place / "vantage.json"
        access = {"api_base": api.base_url, "api_token": api.token}
        vantage.write_text(json.dumps({"cloudflare": access}), encoding="utf-8")
        yield Founder(copy_of_the_project(place / "project"), vantage)


def test_a_zone_is_adopted_rehearsed_and_watched(founder: Founder) -> None:
    code, said = founder.run("adopt", "--domain", DOMAIN, "--stack", "old", "--vantage", str(founder.vantage))
    assert code == 0, said
    assert "0 to be removed, 0 not declared" in said
    assert "setting ssl" in said

    result = founder.project / "result.json"
    arguments = ("--stack", "old", "--adopted", "--journey", "joins", "--json", str(result))
    code, said = founder.run("rehearse", *arguments)
    document = json.loads(result.read_text(encoding="utf-8"))
    assert document["adopted"] >= 20, said
    assert any("0 to be removed, 0 not declared" in line for line in document["changes"])
    assert all(journey["passed"] for journey in document["journeys"])

    code, said = founder.run("drift", "--stack", "old", "--vantage", str(founder.vantage))
    assert code == 1  # nothing is deployed yet
    assert "record hooks.oldfounder.example CNAME" in said


def test_adopting_never_writes_over_what_is_there(founder: Founder) -> None:
    before = (founder.project / "Pulumi.prod.yaml").read_text(encoding="utf-8")
    code, said = founder.run("adopt", "--domain", DOMAIN, "--stack", "prod", "--vantage", str(founder.vantage))
    assert (code, "Pulumi.prod.yaml exists already" in said) == (2, True)
    assert (founder.project / "Pulumi.prod.yaml").read_text(encoding="utf-8") == before


def test_a_token_that_may_not_read_is_told_and_never_shown(founder: Founder, tmp_path: Path) -> None:
    document = json.loads(founder.vantage.read_text(encoding="utf-8"))
    document["cloudflare"]["api_token"] = "somebody-elses"
    wrong = tmp_path / "wrong.json"
    wrong.write_text(json.dumps(document), encoding="utf-8")
    code, said = founder.run("drift", "--stack", "prod", "--vantage", str(wrong))
    assert code == 3
    assert "GET /zones" in said
    assert "somebody-elses" not in said


def test_without_a_token_it_is_said_which_one(founder: Founder) -> None:
    code, said = founder.run("drift", "--stack", "prod")
    assert (code, "CLOUDFLARE_API_TOKEN" in said) == (2, True)
