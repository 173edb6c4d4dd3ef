"""A document that the edge serves by itself."""

import hashlib
from dataclasses import dataclass
from typing import Literal

Kind = Literal["mta-sts", "aasa", "assetlinks", "security-txt"]


@dataclass(frozen=True)
class Document:
    """What is served at exactly `https://<host><path>`, whatever the origin has there."""

    host: str
    path: str
    content_type: str
    body: str
    kind: Kind

    @property
    def url(self) -> str:
        """Where it is."""
        return f"https://{self.host}{self.path}"

    @property
    def sha256(self) -> str:
        """Of the body as it is sent, in hexadecimal digits."""
        return hashlib.sha256(self.body.encode()).hexdigest()
