"""Cloudflare's API v4 over one account: who may call, and which part answers.

https://developers.cloudflare.com/api/. The statuses and codes of refusals are those that its users report
(cloudflare/terraform-provider-cloudflare, issues 1533 and 1810; cloudflare/cf-terraforming, issue 803).
"""

import re
from collections.abc import Sequence

from rehearsal.twins.cloudflare_api import forms
from rehearsal.twins.cloudflare_api.account_routes import AccountRoutes
from rehearsal.twins.cloudflare_api.envelope import RefusedError, paged, refusal, result
from rehearsal.twins.cloudflare_api.kinds import Collection
from rehearsal.twins.cloudflare_api.published import IPV4_RANGES, IPV6_RANGES
from rehearsal.twins.cloudflare_api.shared_routes import SharedRoutes
from rehearsal.twins.cloudflare_api.writing import Store, mapping_of
from rehearsal.twins.cloudflare_api.zone_routes import ZoneRoutes
from rehearsal.twins.vendor import Call, Reply, Vendor
from rehearsal.twins.zone import Kind, Zone, ZoneTwin
from rehearsal.twins.zone.naming import from_api

PATH = "/client/v4"
_ID = re.compile(r"[0-9a-f]{32}")
_TOKEN_ID = "ed17574386854bf78a67040be0a770b0"


class CloudflareApiTwin(Vendor):
    """The API over the account that `zone` is: `token` may read everything, `write_token` may change it too."""

    def __init__(self, zone: ZoneTwin, token: str, *, write_token: str | None = None, port: int = 0) -> None:
        super().__init__("cloudflare", PATH, port=port)
        self.token = token
        self.write_token = write_token
        self._store = Store(zone)
        self._denied: list[re.Pattern[str]] = []

    @property
    def url(self) -> str:
        """The address without a path."""
        return self.base_url.removesuffix(PATH)

    def deny(self, pattern: str) -> None:
        """Answer as to a token without the permission wherever `pattern` is found in the path, from now on."""
        with self._lock:
            self._denied.append(re.compile(pattern))

    def answer(self, call: Call) -> Reply:
        """See Vendor."""
        refused = self._unauthorized(call)
        if refused is not None:
            return refused
        path = call.path.removeprefix(PATH).removeprefix("/").removesuffix("/")
        if any(pattern.search(path) for pattern in self._denied):
            return refusal(403, 10000, "Authentication error")
        try:
            return self._route(call, path) or refusal(404, 7000, "No route for that URI")
        except RefusedError as error:
            return error.reply

    def _unauthorized(self, call: Call) -> Reply | None:
        header = call.headers.get("authorization")
        if header is None:
            return refusal(400, 9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers")
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token:
            chain = {"error_chain": [{"code": 6111, "message": "Invalid format for Authorization header"}]}
            return refusal(400, 6003, "Invalid request headers", **chain)
        if token not in (self.token, self.write_token):
            return refusal(403, 9109, "Invalid access token")
        if call.method != "GET" and token != self.write_token:
            return refusal(403, 10000, "Authentication error")  # what a token gets that may only read
        return None

    def _route(self, call: Call, path: str) -> Reply | None:
        owner, _, rest = path.partition("/")
        if owner in ("zones", "accounts") and rest:
            id_, _, below = rest.partition("/")
            return self._below(call, owner, id_, below)
        match call.method, path:
            case "GET", "zones":
                return self._list_zones(call)
            case "POST", "zones":
                made = self._store.create(Kind.ZONE, from_api(mapping_of(call)))
                return result(forms.zone(made, self._zone(made.id).plan))
            case "GET", "user/tokens/verify":
                return result({"id": _TOKEN_ID, "status": "active"})
            case "GET", "ips":
                return result({"ipv4_cidrs": list(IPV4_RANGES), "ipv6_cidrs": list(IPV6_RANGES), "etag": "1"})
        return None

    def _below(self, call: Call, owner: str, id_: str, path: str) -> Reply | None:
        if not _ID.fullmatch(id_):
            message = f"Could not route to {call.path}, perhaps your object identifier is invalid?"
            return refusal(404, 7003, message)
        routes: ZoneRoutes | AccountRoutes
        if owner == "zones":
            routes = ZoneRoutes(self._store, zone_id=self._zone(id_).id)
        else:
            self._check_account(id_)
            routes = AccountRoutes(self._store, owner={"accountId": id_})
        for method, pattern, serve in routes.routes():
            found = re.fullmatch(pattern, path) if method == call.method else None
            if found:
                return serve(call, *found.groups())
        return self._usual(call, routes, routes.collections, path)

    def _usual(self, call: Call, routes: SharedRoutes, collections: Sequence[Collection], path: str) -> Reply | None:
        """The usual calls on a collection."""
        for collection in collections:
            found = re.fullmatch(rf"{collection.path}(?:/([^/]+))?", path)
            if found:
                return self._store.answer(call, collection, routes.owner, found[1])
        return None

    def _zone(self, id_: str) -> Zone:
        """Cloudflare does not tell a zone of others from one that nobody has."""
        for zone in self._store.twin.zones:
            if zone.id == id_:
                return zone
        raise RefusedError(403, 9109, "Unauthorized to access requested resource")

    def _check_account(self, id_: str) -> None:
        if not any(zone.account_id == id_ for zone in self._store.twin.zones):
            raise RefusedError(403, 9109, "Unauthorized to access requested resource")

    def _list_zones(self, call: Call) -> Reply:
        wanted, account = call.query.get("name"), call.query.get("account.id")
        found = [
            forms.zone(zone.entry, zone.plan)
            for zone in self._store.twin.zones
            if wanted in (None, zone.name) and account in (None, zone.account_id)
        ]
        return paged(call, found)
