"""The checks of what the edge keeps."""

from checks.catalogue.checklist import entries
from checks.commands import curl, only
from checks.model import Check
from checks.probes import caching as probes
from checks.rules import caching as rules


def checks() -> tuple[Check, ...]:
    """Every check of this area."""
    return (*_caching(),)


def _caching() -> tuple[Check, ...]:
    return (
        Check(
            entry=entries()["cache.static"],
            probe=probes.assets,
            rule=rules.static,
            fix="restore the cache rule over `cache.staticPaths`; the application must send max-age and immutable",
            command=lambda scope: curl(scope, f"https://{scope.contract.domain}/"),
        ),
        Check(
            entry=entries()["cache.html"],
            probe=probes.homes,
            rule=rules.html,
            fix="let pages say Cache-Control: no-cache (or max-age=0), and keep them out of the cache rule",
            command=lambda scope: curl(scope, f"https://{scope.contract.domain}/"),
        ),
        Check(
            entry=entries()["cache.private"],
            probe=probes.private,
            rule=rules.private,
            fix="keep the API's host and `cache.neverPaths` out of every cache rule",
            command=lambda scope: curl(scope, scope.contract.endpoints.health),
            timeout=30.0,
        ),
        Check(
            entry=entries()["cache.deception"],
            probe=probes.deceived,
            rule=rules.deception,
            fix="restore the cache rule over `cache.neverPaths`; it must stand behind the one for static files",
            command=only("cache.deception"),
            timeout=30.0,
        ),
        Check(
            entry=entries()["cache.cookie"],
            probe=probes.cookied,
            rule=rules.cookie,
            fix="let the edge keep no answer that sets a cookie; keep pages with sessions out of the cache",
            command=lambda scope: curl(scope, f"https://{scope.contract.domain}/"),
            timeout=30.0,
        ),
    )
