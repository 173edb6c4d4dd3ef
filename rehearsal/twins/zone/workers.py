"""Workers: scripts of the account, and routes of a zone that lead to them.

https://developers.cloudflare.com/workers/configuration/routing/routes/
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rehearsal.twins.zone.entries import Entry, Kind, entry
from rehearsal.twins.zone.holdings import Holdings
from rehearsal.twins.zone.refusals import CloudflareError, NotInTwinError, only, text

_SCRIPT_NAME = re.compile(r"[a-z0-9_][a-z0-9_-]{0,62}")
_SCRIPT_KEYS = ("accountId", "scriptName", "content", "mainModule", "bindings", "compatibilityDate", "observability")
_MOST_BINDING_OCTETS = 5 * 1024  # a text or JSON binding
_MOST_OCTETS = 3 * 1024 * 1024  # of Workers' free plan; the paid one allows 10 MiB
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, kw_only=True)
class Worker:
    """A script: the source of its ES module and what `env` holds, JSON bindings decoded."""

    name: str
    module: str = field(repr=False)
    bindings: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Route:
    """Where a script runs; `script` None keeps other routes' scripts away."""

    host: str
    path: str
    script: str | None

    def matches(self, host: str, path: str) -> bool:
        """Whether a request for this host and path takes the route; `path` with its query."""
        return _matches(self.host, host) and _matches(self.path, path)

    @property
    def weight(self) -> tuple[bool, int, bool, int]:
        """The more specific of two routes has the greater one."""
        exact_host, exact_path = not self.host.startswith("*"), not self.path.endswith("*")
        return exact_host, len(self.host), exact_path, len(self.path)


def script(inputs: Mapping[str, Any], held: Holdings, old: Entry | None) -> Entry:
    """A script of one ES module; its id is its name."""
    account = held.account(inputs, "a Workers script")
    name = text(inputs, "scriptName", "a Workers script")
    what = f"Workers script {name}"
    if not _SCRIPT_NAME.fullmatch(name):
        raise CloudflareError(f"{what}: a name has 1 to 63 lower-case letters, digits, - and _", 10016)
    only(inputs, _SCRIPT_KEYS, what)
    source = text(inputs, "content", what)
    if len(source.encode()) > _MOST_OCTETS:
        raise CloudflareError(f"{what}: at most {_MOST_OCTETS} octets, got {len(source.encode())}", 10027)
    if not inputs.get("mainModule"):
        raise NotInTwinError(f"{what}: the edge twin runs ES modules: set mainModule")
    date = inputs.get("compatibilityDate")
    if date is not None and not _DATE.fullmatch(str(date)):
        raise CloudflareError(f"{what}: compatibilityDate must be YYYY-MM-DD, got {date!r}", 10021)
    bindings = dict(_binding(one, what) for one in inputs.get("bindings") or [])
    if len(bindings) != len(inputs.get("bindings") or []):
        raise CloudflareError(f"{what}: two bindings share a name", 10021)
    worker = Worker(name=name, module=source, bindings=bindings)
    added = {"etag": hashlib.sha256(source.encode()).hexdigest(), "hasModules": True, "hasAssets": False}
    return entry(Kind.SCRIPT, account, {**inputs, **added}, old, worker, id_=name)


def route(inputs: Mapping[str, Any], held: Holdings, old: Entry | None) -> Entry:
    """A route of a zone."""
    zone = held.zone(inputs, "a Workers route")
    pattern = text(inputs, "pattern", "a Workers route")
    made = parse_route(pattern, inputs.get("script"), zone.outputs["name"])
    known = {one.outputs["scriptName"] for one in held.of(Kind.SCRIPT)}
    if made.script is not None and made.script not in known:
        raise CloudflareError(f"Workers route {pattern}: the account has no script {made.script!r}", 10019)
    if any(other.outputs["pattern"] == pattern for other in held.of(Kind.ROUTE, zone.id, but=old)):
        raise CloudflareError(f"Workers route {pattern} exists already", 10020)
    return entry(Kind.ROUTE, zone.id, inputs, old, made)


def parse_route(pattern: str, name: str | None, zone: str) -> Route:
    """The route of a pattern `[http(s)://]host/path`; a `*` opens the host, ends the path, and stands nowhere else."""
    what = f"Workers route {pattern}"
    scheme, found, rest = pattern.rpartition("://")
    if found:
        if scheme not in ("http", "https"):
            raise CloudflareError(f"{what}: the scheme is http or https, or left out", 10022)
        raise NotInTwinError(f"{what}: the edge twin acts on routes without a scheme")
    host, slash, path = rest.lower().partition("/")[0], *rest.partition("/")[1:]
    if "*" in host[1:] or "*" in path[:-1] or "?" in path:
        raise CloudflareError(f"{what}: a * opens the host or ends the path, and there is no query", 10022)
    bare = host.lstrip("*").lstrip(".")
    if bare != zone and not bare.endswith(f".{zone}"):
        raise CloudflareError(f"{what}: the host is not in zone {zone}", 10022)
    return Route(host, f"{slash}{path}" or "/", name or None)


def _matches(pattern: str, value: str) -> bool:
    if pattern.startswith("*"):
        return value.endswith(pattern[1:])
    return value.startswith(pattern[:-1]) if pattern.endswith("*") else value == pattern


def _binding(inputs: Mapping[str, Any], what: str) -> tuple[str, Any]:
    name = text(inputs, "name", f"{what}: a binding")
    kind = inputs.get("type")
    value = inputs.get("json") if kind == "json" else inputs.get("text")
    if kind not in ("json", "plain_text", "secret_text"):
        raise NotInTwinError(f"{what}: binding {name}: the edge twin gives json, plain_text and secret_text")
    if not isinstance(value, str):
        raise CloudflareError(f"{what}: binding {name} of type {kind} needs {'json' if kind == 'json' else 'text'}")
    if len(value.encode()) > _MOST_BINDING_OCTETS:
        octets = len(value.encode())
        raise CloudflareError(f"{what}: binding {name}: at most {_MOST_BINDING_OCTETS} octets, got {octets}", 10021)
    if kind != "json":
        return name, value
    try:
        return name, json.loads(value)
    except ValueError as error:
        raise CloudflareError(f"{what}: binding {name} is no JSON: {error}", 10021) from error
