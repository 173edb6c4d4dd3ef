"""API keys: one that may do all, one restricted to reading. Source: https://docs.stripe.com/keys."""

import base64
import binascii
import hmac
from dataclasses import dataclass, field

from rehearsal.twins.stripe.errors import forbidden, masked, unauthorised
from rehearsal.twins.stripe.store import new_id


@dataclass(frozen=True)
class Keys:
    """The account's keys; never shown in a repr."""

    secret: str = field(repr=False)
    restricted: str = field(repr=False)

    @classmethod
    def of(cls, *, livemode: bool, secret: str | None = None, restricted: str | None = None) -> "Keys":
        """The given keys, new ones where none is given."""
        mode = "live" if livemode else "test"
        return cls(secret or new_id(f"sk_{mode}", 99), restricted or new_id(f"rk_{mode}", 99))

    def check(self, authorization: str, method: str, account_id: str) -> None:
        """Whether the `Authorization` header allows `method`. ApiError 401 or 403 where it does not."""
        key = _presented(authorization)
        if not key:
            raise unauthorised(
                "You did not provide an API key. You need to provide your API key in the Authorization header, "
                "using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."
            )
        if hmac.compare_digest(key, self.restricted):
            if method != "GET":
                raise forbidden(key, account_id)
        elif not hmac.compare_digest(key, self.secret):
            raise unauthorised(f"Invalid API Key provided: {masked(key)}")


def _presented(authorization: str) -> str:
    """The key in a Bearer or Basic (`curl -u sk_…:`) header; empty if there is none. ASCII only."""
    scheme, _, value = authorization.strip().partition(" ")
    if scheme.lower() == "basic":
        try:
            value = base64.b64decode(value, validate=True).decode("ascii").partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    elif scheme.lower() != "bearer":
        return ""
    return value.strip() if value.isascii() else ""
