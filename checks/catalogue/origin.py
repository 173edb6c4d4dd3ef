"""The checks of what keeps the API's origin to our edge alone."""

from checks.catalogue.checklist import entries
from checks.commands import aws, only
from checks.errors import NotDeclared
from checks.model import Check
from checks.probes import origin as origin_probes
from checks.probes.aws import watch
from checks.rules import origin
from checks.scope import Scope

RENEW = "renew it in the three steps of docs/origin.md: add a certificate, make it active, remove the old one"


def checks() -> tuple[Check, ...]:
    """Every check of this area."""
    return (
        Check(
            entry=entries()["edge.origin-pulls"],
            probe=origin_probes.origins,
            rule=origin.pulls,
            fix="declare `originPulls`; where it is declared, deploy again: somebody changed the API's domain by hand",
            command=only("edge.origin-pulls"),
        ),
        Check(
            entry=entries()["edge.origin-expiry"],
            probe=_declared,
            rule=origin.expiry,
            fix=RENEW,
            command=only("edge.origin-expiry"),
        ),
        Check(
            entry=entries()["edge.origin-alarm"],
            probe=_alarms,
            rule=origin.alarm,
            fix="deploy again, and confirm the subscription of `alertEmail`; then look when the certificate ends",
            command=lambda scope: aws(scope, "cloudwatch", "describe-alarms"),
        ),
    )


def _alarms(scope: Scope) -> tuple[watch.AlarmFacts, ...]:
    _declared(scope)
    return watch.alarms(scope)


def _declared(scope: Scope) -> None:
    if not scope.contract.edge.origin_pulls:
        raise NotDeclared("no origin asks for a certificate of ours")
