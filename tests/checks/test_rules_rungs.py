from datetime import date

import pytest

from checks.contract import Rung
from checks.errors import NotDeclared
from checks.probes import rungs as probe
from checks.probes.rungs import RungFacts
from checks.rules import rungs

TODAY = date(2026, 11, 21)


def facts(rehearsal=False, **changes):
    usual = Rung(ladder="dmarc", rung="quarantine", target="reject", reached=False, by="2027-03-01")
    return RungFacts(rung=usual.model_copy(update=changes), today=TODAY, rehearsal=rehearsal)


@pytest.mark.parametrize(
    ("changes", "status", "said"),
    [
        ({"rung": "reject", "reached": True, "by": None}, "pass", "stands at reject, the target"),
        ({}, "warn", "stands at quarantine, below reject, due by 2027-03-01"),
        ({"rehearsal": True}, "pass", "below reject, due by 2027-03-01"),
        ({"by": "2026-11-21"}, "warn", "due by 2026-11-21"),
        ({"by": "2026-11-20"}, "fail", "due since 2026-11-20"),
        ({"by": "2026-11-20", "rehearsal": True}, "fail", "due since 2026-11-20"),
        ({"by": None, "rehearsal": True}, "fail", "no date is declared"),
        ({"reached": True}, "warn", "below reject"),
        ({"ladder": "csp", "rung": "enforce", "target": "enforce", "reached": False}, "warn", "below enforce"),
        ({"ladder": "hsts", "rung": "preload", "target": "year", "reached": True}, "pass", "stands at preload"),
        ({"ladder": "hsts", "rung": "year", "target": "decade"}, "fail", "'decade' is no rung of hsts: minutes"),
    ],
)
def test_a_rung_climbs_in_time(declared, changes, status, said):
    verdict = rungs.climbs(declared, facts(**changes))

    assert verdict.status == status
    assert said in verdict.actual


def test_a_ladder_that_nobody_declares_is_not_judged(look):
    with pytest.raises(NotDeclared, match="no rung of csp"):
        probe.of("csp")(look())


def test_the_rung_of_a_ladder_is_found_in_the_contract(look, declared):
    rung = facts().rung

    found = probe.of("dmarc")(look(subject=declared.model_copy(update={"rungs": (rung,)})))

    assert found.rung == rung
    assert found.rehearsal
