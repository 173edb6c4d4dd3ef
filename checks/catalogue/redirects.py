"""The checks of redirects."""

from checks.catalogue.checklist import entries
from checks.commands import curl, only
from checks.model import Check
from checks.probes import redirects as probes
from checks.rules import redirects as rules


def checks() -> tuple[Check, ...]:
    """Every check of this area."""
    return (*_hosts(), *_moved())


def _hosts() -> tuple[Check, ...]:
    return (
        Check(
            entry=entries()["redir.https"],
            probe=probes.plain_visits,
            rule=rules.https,
            fix="restore the redirect rule from http to https; it must name every host that people visit",
            command=lambda scope: curl(scope, f"http://{scope.contract.domain}{probes.PROBE_PATH}"),
        ),
        Check(
            entry=entries()["redir.canonical"],
            probe=probes.aliases,
            rule=rules.canonical,
            fix="restore the redirect rule from the alias to the `canonical:` host, keeping path and query",
            command=lambda scope: curl(scope, f"https://www.{scope.contract.domain}{probes.PROBE_PATH}"),
        ),
        Check(
            entry=entries()["redir.chain"],
            probe=probes.chains,
            rule=rules.chain,
            fix="let each redirect lead to the final address at once",
            command=lambda scope: curl(scope, f"http://www.{scope.contract.domain}/", "-L"),
            timeout=30.0,
        ),
        Check(
            entry=entries()["redir.api"],
            probe=probes.plain_api,
            rule=rules.api,
            fix="leave API hosts out of the redirect rule and refuse plain http to them",
            command=lambda scope: curl(
                scope, scope.contract.endpoints.webhook.replace("https:", "http:"), "-X", "POST"
            ),
        ),
    )


def _moved() -> tuple[Check, ...]:
    return (
        Check(
            entry=entries()["redir.paths"],
            probe=probes.paths,
            rule=rules.paths,
            fix="deploy the file of `redirects:` again; a rule or list made by hand may stand before it",
            command=only("redir.paths"),
            timeout=30.0,
        ),
        Check(
            entry=entries()["redir.retired"],
            probe=probes.retired,
            rule=rules.retired,
            fix="deploy again; the retired domain must be delegated to its zone",
            command=only("redir.retired"),
        ),
        Check(
            entry=entries()["redir.open"],
            probe=probes.led_away,
            rule=rules.stays,
            fix="let the app lead only to paths of its own, or to hosts on a list, whatever a parameter says",
            command=only("redir.open"),
            timeout=30.0,
        ),
    )
