"""Cloudflare's API v4, as far as it reads a zone: the zone, its settings, records and entry-point rulesets.

https://developers.cloudflare.com/api/. The statuses and codes of refusals are those that its users report
(cloudflare/terraform-provider-cloudflare, issues 1533 and 1810; cloudflare/cf-terraforming, issue 803).
"""

import re
from collections.abc import Callable
from typing import Any

from rehearsal.twins import cloudflare_forms as forms
from rehearsal.twins.vendor import Call, Reply, Vendor, json_reply
from rehearsal.twins.zone import Kind, ZoneTwin
from rehearsal.twins.zone.settings import DEFAULTS

PATH = "/client/v4"
_PAGE, _LARGEST_PAGE = 100, 5_000_000
_ID = re.compile(r"[0-9a-f]{32}")
_PARAMETERS = frozenset({"page", "per_page", "type", "name"})


class CloudflareApiTwin(Vendor):
    """The API over one account: `token` may read everything of the zone that `zone` holds, and write nothing."""

    def __init__(self, zone: ZoneTwin, token: str, *, port: int = 0) -> None:
        super().__init__("cloudflare", PATH, port=port)
        self.token = token
        self._zone = zone

    @property
    def url(self) -> str:
        """The address without a path."""
        return self.base_url.removesuffix(PATH)

    def answer(self, call: Call) -> Reply:
        """See Vendor."""
        refusal = self._unauthorized(call.headers.get("authorization"))
        if refusal is not None:
            return refusal
        if call.method != "GET":
            return _refusal(403, 10000, "Authentication error")  # what a token gets that may only read
        for pattern, serve in self._routes():
            match = re.fullmatch(pattern, call.path.removeprefix(PATH))
            if match:
                zone_id, *others = match.groups()
                return self._unroutable(call) or self._foreign(zone_id) or serve(call, *others)
        return _refusal(404, 7000, "No route for that URI")

    def _routes(self) -> tuple[tuple[str, Callable[..., Reply]], ...]:
        return (
            (r"/zones/([^/]+)", self._show_zone),
            (r"/zones/([^/]+)/settings", self._list_settings),
            (r"/zones/([^/]+)/settings/([^/]+)", self._show_setting),
            (r"/zones/([^/]+)/dns_records", self._list_records),
            (r"/zones/([^/]+)/rulesets/phases/([^/]+)/entrypoint", self._show_entry_point),
        )

    def _unauthorized(self, header: str | None) -> Reply | None:
        if header is None:
            return _refusal(400, 9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers")
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token:
            chain = {"error_chain": [{"code": 6111, "message": "Invalid format for Authorization header"}]}
            return _refusal(400, 6003, "Invalid request headers", **chain)
        return None if token == self.token else _refusal(403, 9109, "Invalid access token")

    def _unroutable(self, call: Call) -> Reply | None:
        zone_id = call.path.removeprefix(f"{PATH}/zones/").partition("/")[0]
        if _ID.fullmatch(zone_id):
            return None
        return _refusal(404, 7003, f"Could not route to {call.path}, perhaps your object identifier is invalid?")

    def _foreign(self, zone_id: str) -> Reply | None:
        """Cloudflare does not tell a zone of others from one that nobody has."""
        if any(entry.id == zone_id for entry in self._zone.entries(Kind.ZONE)):
            return None
        return _refusal(403, 9109, "Unauthorized to access requested resource")

    def _show_zone(self, _call: Call) -> Reply:
        (entry,) = self._zone.entries(Kind.ZONE)
        return _result(forms.zone(entry, self._zone.plan))

    def _list_settings(self, _call: Call) -> Reply:
        return _result(list(self._settings().values()))

    def _show_setting(self, _call: Call, name: str) -> Reply:
        setting = self._settings().get(name)
        return _result(setting) if setting else _refusal(400, 1006, f"Unrecognized zone setting name: {name}")

    def _settings(self) -> dict[str, dict[str, Any]]:
        untouched = {name: forms.untouched_setting(name, value) for name, value in DEFAULTS.items()}
        declared = [forms.setting(entry) for entry in self._zone.entries(Kind.SETTING)]
        return {**untouched, **{setting["id"]: setting for setting in declared}}

    def _list_records(self, call: Call) -> Reply:
        page, size = _number(call, "page", 1), _number(call, "per_page", _PAGE)
        if page is None or size is None or size > _LARGEST_PAGE or set(call.query) - _PARAMETERS:
            return _refusal(400, 1004, "DNS Validation Error")
        found = [forms.record(entry) for entry in self._zone.entries(Kind.RECORD)]
        for key in ("type", "name"):
            found = [record for record in found if record[key] == call.query.get(key, record[key])]
        shown = found[(page - 1) * size : page * size]
        pages = -(-len(found) // size)
        info = {"page": page, "per_page": size, "count": len(shown), "total_count": len(found), "total_pages": pages}
        return _result(shown, result_info=info)

    def _show_entry_point(self, _call: Call, phase: str) -> Reply:
        for entry in self._zone.entries(Kind.RULESET):
            if entry.outputs["phase"] == phase:
                return _result(forms.ruleset(entry))
        return _refusal(404, 10003, f"could not find entrypoint ruleset in the {phase} phase")


def _number(call: Call, name: str, default: int) -> int | None:
    """A query parameter from 1 on; None when it is something else."""
    given = call.query.get(name, str(default))
    return int(given) if given.isdecimal() and len(given) < 10 and int(given) > 0 else None


def _result(result: Any, **more: Any) -> Reply:
    return json_reply(200, {"success": True, "errors": [], "messages": [], "result": result, **more})


def _refusal(status: int, code: int, message: str, **more: Any) -> Reply:
    errors = [{"code": code, "message": message, **more}]
    return json_reply(status, {"success": False, "errors": errors, "messages": [], "result": None})
