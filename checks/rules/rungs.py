"""The rule over what climbs a ladder: DMARC, HSTS and CSP reach their declared target by the declared date.

That the live value equals the rung is each ladder's own check (mail.dmarc, tls.hsts, http.csp).
"""

from datetime import date

from checks.contract import Contract
from checks.model import Verdict, judge
from checks.probes.rungs import RungFacts

LADDERS: dict[str, tuple[str, ...]] = {
    "dmarc": ("none", "quarantine", "reject"),
    "hsts": ("minutes", "week", "month", "year", "preload"),
    "csp": ("report-only", "enforce"),
}


def climbs(_contract: Contract, facts: RungFacts) -> Verdict:
    """mail.dmarc-rung, tls.hsts-rung, http.csp-rung: the target is reached, or its date has not passed.

    Below the target and in time is a warning of a live launch; a rehearsal, which is of the declaration as it is,
    passes and says so. After the date it fails in both.
    """
    rung, steps = facts.rung, LADDERS[facts.rung.ladder]
    expected = f"{rung.ladder} at {rung.target}" + (f" by {rung.by}" if rung.by else "")
    unknown = [name for name in (rung.rung, rung.target) if name not in steps]
    if unknown:
        return judge(expected, seen="", problems=[f"{unknown[0]!r} is no rung of {rung.ladder}: {', '.join(steps)}"])
    if rung.reached and steps.index(rung.rung) >= steps.index(rung.target):
        return judge(expected, seen=f"{rung.ladder} stands at {rung.rung}, the target")
    below = f"{rung.ladder} stands at {rung.rung}, below {rung.target}"
    if rung.by is None:
        return judge(expected, seen="", problems=[f"{below}, and no date is declared"])
    if facts.today > date.fromisoformat(rung.by):
        return judge(expected, seen="", problems=[f"{below}, due since {rung.by}"])
    said = f"{below}, due by {rung.by}"
    return judge(expected, seen=said, warnings=[] if facts.rehearsal else [said])
