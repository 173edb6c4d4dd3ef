"""Calls the API as nobody in particular."""

from checks.contract import Contract
from checks.probes.aws import access
from checks.probes.http import Browser, Exchange
from checks.scope import Scope


def health(scope: Scope) -> Exchange:
    """The health route's answer, through the edge."""
    with Browser(scope) as browser:
        return browser.ask(scope.contract.endpoints.health)


def apps_own(scope: Scope) -> tuple[access.ApiFacts, tuple[Exchange, ...]]:
    """The API's routes, and what those of the app's server, members and claims, answer to unsigned requests.

    The claim is empty: a function that took it could do nothing with it.
    """
    with Browser(scope) as browser:
        member = browser.ask(members_url(scope.contract))
        claim = browser.ask(
            scope.contract.endpoints.claims, method="POST", headers={"content-type": "application/json"}, body=b"{}"
        )
    return access.api(scope), (member, claim)


def members_url(contract: Contract, user: str = "launch-ready-probe") -> str:
    """The members URL of a user who does not exist."""
    url = contract.endpoints.members
    return url.replace("{user_id}", user) if "{user_id}" in url else f"{url.rstrip('/')}/{user}"
