"""Reads the live zone's settings over Cloudflare's API (v4)."""

import requests

from checks.errors import NeedsInput, ProbeError
from checks.scope import Scope

SETTINGS = ("ssl", "min_tls_version")


def zone_settings(scope: Scope) -> dict[str, str]:
    """The values of the settings that the rules judge. Raises NeedsInput without a token, ProbeError otherwise.

    GET /zones/{zone_id}/settings/{setting_id}: the token needs Zone Settings: Read.
    """
    access = scope.vantage.cloudflare
    if access is None:
        raise NeedsInput("give a Cloudflare token with Zone Settings: Read (vantage: cloudflare)")
    found = {}
    for setting in SETTINGS:
        url = f"{access.api_base}/zones/{scope.contract.zone.id}/settings/{setting}"
        try:
            answer = requests.get(
                url,
                headers={"authorization": f"Bearer {access.api_token}"},
                timeout=scope.deadline.left(),
                allow_redirects=False,
            )
            answer.raise_for_status()
            found[setting] = str(answer.json()["result"]["value"])
        except (requests.RequestException, KeyError, TypeError, ValueError) as error:
            raise ProbeError(f"GET {url}: {type(error).__name__}: {error}") from error
    return found
