"""Reads everything that a live zone holds, with Cloudflare's own SDK, into one JSON document: the snapshot.

The document keeps Cloudflare's forms (https://developers.cloudflare.com/api/), so that it can be stored, compared and
handed to `adopt`. It holds no secret: Cloudflare gives none back.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloudflare import APIConnectionError, APIStatusError, Cloudflare

from checks.errors import ProbeError, UsageError
from checks.vantage import CloudflareAccess

VERSION = 1
_SMALL_PAGE = 50
_PAGE = 100  # what every version of the API gives at once
# Where neither settings nor rulesets can be listed, these are asked for one by one.
SETTINGS = (
    *("ssl", "min_tls_version", "tls_1_3", "always_use_https", "automatic_https_rewrites", "security_header"),
    *("tls_client_auth", "browser_cache_ttl", "cache_level", "development_mode", "early_hints", "http2", "http3"),
    *("0rtt", "brotli", "browser_check", "challenge_ttl", "email_obfuscation", "hotlink_protection", "ip_geolocation"),
    *("ipv6", "opportunistic_encryption", "opportunistic_onion", "rocket_loader", "security_level", "websockets"),
)
PHASES = (
    *("http_request_sanitize", "ddos_l7", "http_request_transform", "http_request_dynamic_redirect"),
    *("http_request_origin", "http_config_settings", "http_request_firewall_custom", "http_ratelimit"),
    *("http_request_firewall_managed", "http_request_late_transform", "http_request_cache_settings"),
    *("http_response_headers_transform", "http_response_compression", "http_custom_errors"),
)
ACCOUNT_PHASES = ("http_request_redirect",)
_TIMEOUT_SECONDS = 30.0
_RETRIES = 4  # of 429 and 5xx, with the SDK's own back-off, which keeps to Retry-After
_DENIED = (401, 403)
_ABSENT = 404

Tell = Callable[[str], None]


def read(access: CloudflareAccess, domain: str, tell: Tell = lambda _: None) -> dict[str, Any]:
    """The snapshot of the zone `domain`; `tell` is called with what is read next.

    Keys: version, zone, settings, records, dnssec, rulesets (those of the zone, whole), account_rulesets, lists (with
    items), bot_management, managed_transforms, url_normalization, origin_pulls, certificate_packs, healthchecks,
    access_applications, worker_routes, and `unread`: what the token may not read, by key, with Cloudflare's words.
    Raises ProbeError where the zone, its records, settings or rulesets cannot be read.
    """
    client = Cloudflare(
        api_token=access.api_token, base_url=access.api_base, timeout=_TIMEOUT_SECONDS, max_retries=_RETRIES
    )
    with client:
        return _Reading(client, tell).whole(domain)


def load(path: Path) -> dict[str, Any]:
    """The snapshot that was stored in a file. Raises UsageError where it is none."""
    try:
        snapshot = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read the snapshot {path}: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"the snapshot {path} is not JSON: {error}") from error
    if not isinstance(snapshot, dict) or snapshot.get("version") != VERSION or "records" not in snapshot:
        raise UsageError(f"{path} is no snapshot of version {VERSION}: `launch-ready adopt` writes one")
    return snapshot


@dataclass
class _Reading:
    client: Cloudflare
    tell: Tell

    def whole(self, domain: str) -> dict[str, Any]:
        zone = self._zone(domain)
        path, account = f"/zones/{zone['id']}", f"/accounts/{zone['account']['id']}"
        snapshot: dict[str, Any] = {
            "version": VERSION,
            "zone": zone,
            "settings": self._settings(path),
            "records": list(self._pages(f"{path}/dns_records")),
            "dnssec": self._one(f"{path}/dnssec"),
            "rulesets": self._rulesets(path, "zone"),
        }
        optional: Mapping[str, Callable[[], Any]] = {
            "bot_management": lambda: self._one(f"{path}/bot_management"),
            "managed_transforms": lambda: self._one(f"{path}/managed_headers"),
            "url_normalization": lambda: self._one(f"{path}/url_normalization"),
            "origin_pulls": lambda: self._one(f"{path}/origin_tls_client_auth/settings"),
            "certificate_packs": lambda: self._one(f"{path}/ssl/certificate_packs"),
            "healthchecks": lambda: list(self._pages(f"{path}/healthchecks")),
            "worker_routes": lambda: self._one(f"{path}/workers/routes"),
            "account_rulesets": lambda: self._rulesets(account, "root"),
            "lists": lambda: self._lists(account),
            "access_applications": lambda: list(self._pages(f"{account}/access/apps")),
        }
        unread: dict[str, str] = {}
        for key, get in optional.items():
            try:
                snapshot[key] = get()
            except _RefusedError as error:
                snapshot[key], unread[key] = None, str(error)
        return {**snapshot, "unread": unread}

    def _zone(self, domain: str) -> dict[str, Any]:
        found = [zone for zone in self._pages("/zones", {"name": domain}) if zone["name"] == domain]
        if not found:
            raise ProbeError(f"the token sees no zone {domain!r}: give one with Zone: Read for it")
        return self._one(f"/zones/{found[0]['id']}")

    def _settings(self, zone: str) -> list[dict[str, Any]]:
        listed = self._one(f"{zone}/settings")
        if listed is not None:
            return listed
        each = (self._one(f"{zone}/settings/{name}") for name in SETTINGS)  # the list is not in the SDK any more
        return [setting for setting in each if setting is not None]

    def _rulesets(self, owner: str, kind: str) -> list[dict[str, Any]]:
        """The entry points of the phases, each with its rules; Cloudflare's own managed rulesets are left out."""
        listed = [ruleset for ruleset in self._cursor(f"{owner}/rulesets") if ruleset["kind"] == kind]
        if listed:
            return [self._one(f"{owner}/rulesets/{ruleset['id']}") for ruleset in listed]
        phases = PHASES if kind == "zone" else ACCOUNT_PHASES
        each = (self._one(f"{owner}/rulesets/phases/{phase}/entrypoint") for phase in phases)
        return [ruleset for ruleset in each if ruleset is not None]

    def _lists(self, account: str) -> list[dict[str, Any]]:
        listed = self._one(f"{account}/rules/lists") or []
        return [{**one, "items": list(self._cursor(f"{account}/rules/lists/{one['id']}/items"))} for one in listed]

    def _pages(self, path: str, query: Mapping[str, Any] | None = None) -> Iterator[dict[str, Any]]:
        page = 1
        while True:
            answer = self._get(
                path, {**(query or {}), "page": page, "per_page": _PAGE if "dns" in path else _SMALL_PAGE}
            )
            yield from answer["result"] or []
            if page >= (answer.get("result_info") or {}).get("total_pages", 1):
                return
            page += 1

    def _cursor(self, path: str) -> Iterator[dict[str, Any]]:
        cursor = ""
        while True:
            answer = self._get(path, {"cursor": cursor} if cursor else {})
            yield from answer["result"] or []
            cursor = ((answer.get("result_info") or {}).get("cursors") or {}).get("after", "")
            if not cursor:
                return

    def _one(self, path: str) -> Any:
        return self._get(path, {})["result"]

    def _get(self, path: str, query: Mapping[str, Any]) -> dict[str, Any]:
        self.tell(path)
        try:
            answer: Any = self.client.get(path, cast_to=object, options={"params": dict(query)})
        except APIStatusError as error:
            if error.status_code in _DENIED:
                raise _RefusedError(f"GET {path}: {error.status_code} {_words(error)}") from None
            if error.status_code == _ABSENT:
                return {"result": None}
            raise ProbeError(f"GET {path}: {error.status_code} {_words(error)}") from None
        except APIConnectionError as error:
            raise ProbeError(f"GET {path}: Cloudflare's API cannot be reached: {error.__cause__ or error}") from None
        if not isinstance(answer, dict) or "result" not in answer:
            raise ProbeError(f"GET {path}: this is no answer of Cloudflare's API")
        return answer


class _RefusedError(ProbeError):
    """The token may not read it."""


def _words(error: APIStatusError) -> str:
    """What Cloudflare says is wrong, without the request that asked."""
    body = error.body
    errors = body.get("errors") if isinstance(body, dict) else None
    return "; ".join(str(one.get("message")) for one in errors or [] if isinstance(one, dict)) or "no reason given"
