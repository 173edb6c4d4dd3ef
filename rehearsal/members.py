"""The rehearsal as the founder's app: it asks the members API, signed, through the edge."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


@dataclass(frozen=True)
class Members:
    """Reads one member at a time; `url` has the placeholder {user_id}."""

    url: str
    region: str
    credentials: Credentials
    client: httpx.Client

    def get(self, user_id: str) -> dict[str, Any] | None:
        """The membership as the app would see it now; None for a user that nobody knows.

        Raises httpx.HTTPStatusError for any other answer than 200 and 404.
        """
        url = self.url.replace("{user_id}", user_id)
        response = self.client.get(url, headers=self._signed(url))
        if response.status_code == httpx.codes.NOT_FOUND:
            return None
        response.raise_for_status()
        return response.json()

    def _signed(self, url: str) -> Mapping[str, str]:
        request = AWSRequest(method="GET", url=url)
        SigV4Auth(self.credentials, "execute-api", self.region).add_auth(request)
        return dict(request.headers.items())
