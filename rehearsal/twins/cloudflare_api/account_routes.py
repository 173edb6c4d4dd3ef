"""Calls on the account: `/accounts/<id>/…`."""

import json
from email.message import Message
from email.parser import BytesParser
from typing import Any

from rehearsal.twins.cloudflare_api import forms
from rehearsal.twins.cloudflare_api.envelope import RefusedError, by_cursor, paged, result
from rehearsal.twins.cloudflare_api.kinds import ACCESS_POLICIES, RULESETS, Collection
from rehearsal.twins.cloudflare_api.shared_routes import Route, SharedRoutes
from rehearsal.twins.cloudflare_api.writing import body_of, mapping_of
from rehearsal.twins.vendor import Call, Reply
from rehearsal.twins.zone import Entry, Kind
from rehearsal.twins.zone.naming import from_api

_METADATA = ("main_module", "bindings", "compatibility_date", "observability")
_OPERATION = "0" * 32  # changes of items are done at once; Cloudflare names an operation to wait for


class AccountRoutes(SharedRoutes):
    """Everything below an account."""

    def routes(self) -> tuple[Route, ...]:
        """Method, path and answer."""
        return (
            ("GET", r"rules/lists", lambda _: result([self._told_list(one) for one in self.entries(Kind.LIST)])),
            ("POST", r"rules/lists", self._add_list),
            ("GET", r"rules/lists/bulk_operations/([^/]+)", self._show_operation),
            ("GET", r"rules/lists/([^/]+)", lambda _, id_: result(self._told_list(self._list(id_)))),
            ("PUT", r"rules/lists/([^/]+)", self._put_list),
            ("DELETE", r"rules/lists/([^/]+)", lambda _, id_: self.store.remove(self._list(id_))),
            ("GET", r"rules/lists/([^/]+)/items", self._list_items),
            ("GET", r"rules/lists/([^/]+)/items/([^/]+)", self._show_item),
            ("POST", r"rules/lists/([^/]+)/items", self._add_items),
            ("PUT", r"rules/lists/([^/]+)/items", self._replace_items),
            ("DELETE", r"rules/lists/([^/]+)/items", self._remove_items),
            ("GET", r"access/policies", self._list_policies),
            ("GET", r"workers/scripts", lambda _: result([forms.script(one) for one in self.entries(Kind.SCRIPT)])),
            ("GET", r"workers/scripts/([^/]+)", self._download_script),
            ("PUT", r"workers/scripts/([^/]+)", self._upload_script),
            ("DELETE", r"workers/scripts/([^/]+)", lambda _, name: self.store.remove(self._script(name))),
            *self.ruleset_routes(),
            *self.access_routes(),
        )

    @property
    def collections(self) -> tuple[Collection, ...]:
        """Those that take the usual calls."""
        return (RULESETS, ACCESS_POLICIES)

    def _list_policies(self, call: Call) -> Reply:
        return paged(call, [forms.access_policy(one) for one in self.entries(Kind.ACCESS_POLICY)], 12130)

    # Lists

    def _list(self, id_: str) -> Entry:
        entry = self.store.twin.read(id_)
        if entry is None or entry.kind != Kind.LIST or entry.scope != self.scope:
            raise RefusedError(404, 10001, "could not find list")
        return entry

    def _items(self, entry: Entry) -> list[dict[str, Any]]:
        own = [forms.list_item(item, entry.id, entry) for item in entry.outputs.get("items") or []]
        apart = self.store.twin.entries(Kind.LIST_ITEM, entry.id)
        return [*own, *(forms.list_item({**one.outputs, "id": one.id}, entry.id, one) for one in apart)]

    def _told_list(self, entry: Entry) -> dict[str, Any]:
        return forms.redirect_list(entry, len(self._items(entry)))

    def _add_list(self, call: Call) -> Reply:
        inputs = {**from_api(mapping_of(call)), **self.owner}
        return result(self._told_list(self.store.create(Kind.LIST, inputs)))

    def _put_list(self, call: Call, id_: str) -> Reply:
        """The description is all of a list that can change."""
        entry = self._list(id_)
        changed = {**entry.outputs, "description": mapping_of(call).get("description")}
        return result(self._told_list(self.store.update(entry.id, changed)))

    def _list_items(self, call: Call, id_: str) -> Reply:
        return by_cursor(call, self._items(self._list(id_)))

    def _show_item(self, _call: Call, id_: str, item_id: str) -> Reply:
        for item in self._items(self._list(id_)):
            if item["id"] == item_id:
                return result(item)
        raise RefusedError(404, 10002, "could not find list item")

    def _add_items(self, call: Call, id_: str) -> Reply:
        entry = self._list(id_)
        return self._set_items(entry, [*(entry.outputs.get("items") or []), *_items_of(body_of(call))])

    def _replace_items(self, call: Call, id_: str) -> Reply:
        return self._set_items(self._list(id_), _items_of(body_of(call)))

    def _remove_items(self, call: Call, id_: str) -> Reply:
        entry = self._list(id_)
        gone = {one.get("id") for one in mapping_of(call).get("items") or []}
        for one in self.store.twin.entries(Kind.LIST_ITEM, entry.id):
            if one.id in gone:
                self.store.remove(one)
        own = entry.outputs.get("items") or []
        return self._set_items(entry, [one for one in own if forms.list_item(one, entry.id, entry)["id"] not in gone])

    def _set_items(self, entry: Entry, items: list[dict[str, Any]]) -> Reply:
        self.store.update(entry.id, {**entry.outputs, "items": items})
        return result({"operation_id": _OPERATION})

    def _show_operation(self, _call: Call, id_: str) -> Reply:
        if id_ != _OPERATION:
            raise RefusedError(404, 10006, "could not find bulk operation")
        return result({"id": id_, "status": "completed"})

    # Workers

    def _script(self, name: str) -> Entry:
        entry = self.store.twin.read(name)
        if entry is None or entry.kind != Kind.SCRIPT or entry.scope != self.scope:
            raise RefusedError(404, 10007, "workers.api.error.script_not_found")
        return entry

    def _download_script(self, _call: Call, name: str) -> Reply:
        body = self._script(name).outputs["content"].encode()
        return Reply(status=200, body=body, headers={"content-type": "application/javascript+module"})

    def _upload_script(self, call: Call, name: str) -> Reply:
        """Metadata and modules come as the parts of a form."""
        parts = _parts(call)
        try:
            metadata = json.loads(parts["metadata"])
            module = parts[metadata["main_module"]].decode()
        except (KeyError, ValueError, TypeError):
            raise RefusedError(400, 10021, "the form needs metadata with main_module, and that module") from None
        declared = {key: metadata[key] for key in _METADATA if key in metadata}
        inputs = {**from_api(declared), **self.owner, "scriptName": name, "content": module}
        return result(forms.script(self.store.put(Kind.SCRIPT, name, inputs)))


def _items_of(body: Any) -> list[dict[str, Any]]:
    if not isinstance(body, list) or not all(isinstance(one, dict) for one in body):
        raise RefusedError(400, 6007, "Malformed JSON in request body")
    return [{key: value for key, value in from_api(one).items() if key in ("redirect", "comment")} for one in body]


def _parts(call: Call) -> dict[str, bytes]:
    """The parts of a form by their names; a file's name counts where it differs from its part's."""
    head = f"content-type: {call.headers.get('content-type', '')}\r\n\r\n".encode("latin-1")
    found: dict[str, bytes] = {}
    for part in BytesParser().parsebytes(head + call.body).walk():
        payload = part.get_payload(decode=True)
        if isinstance(payload, bytes) and not part.is_multipart():
            found.update(dict.fromkeys(_names(part), payload))
    return found


def _names(part: Message) -> set[str]:
    given = {part.get_param("name", header="content-disposition"), part.get_filename()}
    return {name for name in given if isinstance(name, str)}
