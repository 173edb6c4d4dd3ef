"""The rehearsal as the founder's app: it asks the members API and claims what was bought, signed, through the edge."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


@dataclass(frozen=True, kw_only=True)
class Members:
    """Reads and claims, one member at a time; `url` has the placeholder {user_id}."""

    url: str
    claims_url: str
    region: str
    credentials: Credentials
    client: httpx.Client

    def get(self, user_id: str) -> dict[str, Any] | None:
        """The membership as the app would see it now; None for a user that nobody knows.

        Raises httpx.HTTPStatusError for any other answer than 200 and 404.
        """
        url = self.url.replace("{user_id}", user_id)
        response = self.client.get(url, headers=self._signed("GET", url))
        if response.status_code == httpx.codes.NOT_FOUND:
            return None
        response.raise_for_status()
        return response.json()

    def claim(self, token: str, user_id: str) -> int:
        """The status that is answered when a signed-in user opens a claim link."""
        body = json.dumps({"token": token, "user_id": user_id}).encode()
        headers = self._signed("POST", self.claims_url, body)
        return self.client.post(self.claims_url, content=body, headers=headers).status_code

    def _signed(self, method: str, url: str, body: bytes = b"") -> Mapping[str, str]:
        headers = {"content-type": "application/json"} if body else {}
        request = AWSRequest(method=method, url=url, data=body, headers=headers)
        SigV4Auth(self.credentials, "execute-api", self.region).add_auth(request)
        return dict(request.headers.items())
