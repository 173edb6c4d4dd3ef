"""Calls the API as nobody in particular."""

from checks.contract import Contract
from checks.probes.aws import access
from checks.probes.http import Browser, Exchange
from checks.scope import Scope


def health(scope: Scope) -> Exchange:
    """The health route's answer, through the edge."""
    with Browser(scope) as browser:
        return browser.ask(scope.contract.endpoints.health)


def members(scope: Scope) -> tuple[access.ApiFacts, Exchange]:
    """The API's routes, and the answer of the members route to an unsigned request."""
    with Browser(scope) as browser:
        unsigned = browser.ask(members_url(scope.contract))
    return access.api(scope), unsigned


def members_url(contract: Contract, user: str = "launch-ready-probe") -> str:
    """The members URL of a user who does not exist."""
    url = contract.endpoints.members
    return url.replace("{user_id}", user) if "{user_id}" in url else f"{url.rstrip('/')}/{user}"
