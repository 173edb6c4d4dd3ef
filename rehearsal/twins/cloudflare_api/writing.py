"""The usual calls on a collection: list, show, create, replace, change, remove."""

from collections.abc import Mapping
from typing import Any

from rehearsal.errors import DeploymentError
from rehearsal.twins.cloudflare_api.envelope import RefusedError, result
from rehearsal.twins.cloudflare_api.kinds import Collection
from rehearsal.twins.vendor import Call, Reply
from rehearsal.twins.zone import CloudflareError, Entry, Kind, NotInTwinError, ZoneTwin

_NOT_IN_TWIN = 99_999  # no code of Cloudflare's: what it would take, and the twin would not act on


def body_of(call: Call) -> Any:
    """The call's JSON; refused where it is none."""
    try:
        return call.json()
    except ValueError:
        raise RefusedError(400, 6007, "Malformed JSON in request body") from None


def mapping_of(call: Call) -> dict[str, Any]:
    """The call's JSON object."""
    body = body_of(call)
    if not isinstance(body, dict):
        raise RefusedError(400, 6007, "Malformed JSON in request body")
    return body


class Store:
    """What calls do to the zone twin, with its refusals as Cloudflare's answers."""

    def __init__(self, twin: ZoneTwin) -> None:
        self.twin = twin

    def find(self, collection: Collection, scope: str, id_: str) -> Entry:
        """The entry; refused where there is none in that zone or account."""
        entry = self.twin.read(id_)
        if entry is None or entry.kind != collection.kind or entry.scope != scope:
            raise RefusedError(*collection.missing)
        return entry

    def create(self, kind: Kind, inputs: Mapping[str, Any]) -> Entry:
        """A new entry, or the refusal."""
        return _told(lambda: self.twin.create(kind, inputs))

    def update(self, id_: str, inputs: Mapping[str, Any]) -> Entry:
        """The changed entry, or the refusal."""
        return _told(lambda: self.twin.update(id_, inputs))

    def put(self, kind: Kind, id_: str, inputs: Mapping[str, Any]) -> Entry:
        """A thing that there is one of: changed where it was declared already."""
        return self.create(kind, inputs) if self.twin.read(id_) is None else self.update(id_, inputs)

    def remove(self, entry: Entry) -> Reply:
        """Gone, or the refusal."""
        _told(lambda: self.twin.delete(entry.id))
        return result({"id": entry.id})

    def answer(self, call: Call, collection: Collection, owner: Mapping[str, str], id_: str | None) -> Reply | None:
        """The usual answer to a call on the collection or on one thing in it, but for lists; None: no such method.

        `owner` is the zone or account, as {"zoneId": …}.
        """
        (scope,) = owner.values()
        if id_ is None:
            if call.method != "POST":
                return None
            return result(collection.form(self.create(collection.kind, _inputs(collection, call, owner))))
        entry = self.find(collection, scope, id_)
        match call.method:
            case "GET":
                return result(collection.form(entry))
            case "PUT":
                kept = {key: entry.outputs[key] for key in collection.kept if key in entry.outputs}
                return result(collection.form(self.update(id_, {**kept, **_inputs(collection, call, owner)})))
            case "PATCH":
                return result(collection.form(self.update(id_, {**entry.outputs, **_inputs(collection, call, owner)})))
            case "DELETE":
                return self.remove(entry)
        return None


def _inputs(collection: Collection, call: Call, owner: Mapping[str, str]) -> dict[str, Any]:
    return {**collection.inputs(mapping_of(call)), **owner}


def _told(change: Any) -> Any:
    try:
        return change()
    except CloudflareError as error:
        raise RefusedError(400, error.code, str(error)) from error
    except NotInTwinError as error:
        raise RefusedError(501, _NOT_IN_TWIN, f"not in the twin: {error}") from error
    except DeploymentError as error:
        raise RefusedError(400, 1004, str(error)) from error
