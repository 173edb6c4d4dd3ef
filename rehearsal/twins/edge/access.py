"""Cloudflare Access in front of a host: who has no session is sent to the team's login.

https://developers.cloudflare.com/cloudflare-one/access-controls/applications/http-apps/authorization-cookie/
"""

import base64
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from rehearsal.twins.edge.exchange import Answer, page
from rehearsal.twins.edge.passage import Passage
from rehearsal.twins.edge.redirects import to
from rehearsal.twins.zone import AccessApplication, AccessPolicy

TEAM = "rehearsal"  # which team an account is comes from its dashboard, not from what is declared
COOKIE = "CF_Authorization"
_OWN_HEADERS = ("cf-access-jwt-assertion", "cf-access-authenticated-user-email")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_UNIT_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}
_DEFAULT_DURATION = "24h"


class Access:
    """Sessions of one team; `clock` gives the seconds that they end by."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._key = secrets.token_bytes(32)

    def check(self, passage: Passage) -> Answer | None:
        """The redirect to the login, or None where nothing is in front or the visitor has a session."""
        passage.exchange = passage.exchange.lacking(*_OWN_HEADERS)
        request = passage.exchange.request
        application = passage.zone.access(request.host, request.path)
        if application is None or any(_bypasses(policy) for policy in application.policies):
            return None
        token = _cookie(passage)
        email = self._email(token, application)
        if email is None:
            asked = quote(request.path + (f"?{request.query}" if request.query else ""), safe="")
            login = f"https://{TEAM}.cloudflareaccess.com/cdn-cgi/access/login/{request.host}"
            return to(f"{login}?kid={application.aud}&redirect_url={asked}", 302)
        if not _allows(application, email):
            return page(403, "That account does not have access.")
        passage.exchange = passage.exchange.having(*zip(_OWN_HEADERS, (token, email), strict=True))
        return None

    def sign_in(self, application: AccessApplication, email: str) -> str:
        """The value of the cookie CF_Authorization that `email` has after the login."""
        until = self._clock() + _seconds(application.session_duration or _DEFAULT_DURATION)
        claims = {"aud": [application.aud], "email": email, "exp": until}
        signed = f"{_encoded(json.dumps({'alg': 'HS256'}).encode())}.{_encoded(json.dumps(claims).encode())}"
        return f"{signed}.{self._signature(signed)}"

    def _email(self, token: str, application: AccessApplication) -> str | None:
        """Whose valid session for the application `token` is."""
        signed, _, signature = token.rpartition(".")
        if not signed or not hmac.compare_digest(signature.encode(), self._signature(signed).encode()):
            return None
        claims = json.loads(_decoded(signed.partition(".")[2]))
        return claims["email"] if claims["exp"] > self._clock() and claims["aud"] == [application.aud] else None

    def _signature(self, signed: str) -> str:
        return _encoded(hmac.digest(self._key, signed.encode(), hashlib.sha256))


def _cookie(passage: Passage) -> str:
    found: list[str] = passage.exchange.fields["http.request.cookies"].get(COOKIE, [])
    return found[0] if found else ""


def _bypasses(policy: AccessPolicy) -> bool:
    return policy.decision == "bypass" and any("everyone" in include for include in policy.includes)


def _allows(application: AccessApplication, email: str) -> bool:
    """The first policy that is about `email` decides; without one, nobody has access."""
    for policy in application.policies:
        if policy.decision in ("allow", "deny") and _concerns(policy, email):
            return policy.decision == "allow"
    return False


def _concerns(policy: AccessPolicy, email: str) -> bool:
    included = any(_is_about(rule, email) for rule in policy.includes)
    required = all(_is_about(rule, email) for rule in policy.requires)
    return included and required and not any(_is_about(rule, email) for rule in policy.excludes)


def _is_about(include: Mapping[str, Any], email: str) -> bool:
    if include.get("everyone") is not None:
        return True
    wanted, domain = include.get("email") or {}, include.get("emailDomain") or {}
    return email == wanted.get("email") or ("domain" in domain and email.endswith(f"@{domain['domain']}"))


def _seconds(duration: str) -> float:
    return sum(float(count) * _UNIT_SECONDS[unit] for count, unit in _DURATION.findall(duration))


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
