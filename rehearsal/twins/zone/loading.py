"""A zone as Cloudflare's API tells it, taken in as it is: what stands in a live zone is not the twin's to refuse."""

from collections.abc import Iterator, Mapping
from typing import Any

from rehearsal.errors import DeploymentError
from rehearsal.twins.zone import dnssec
from rehearsal.twins.zone.access import Guarded
from rehearsal.twins.zone.contents import CONTENTS
from rehearsal.twins.zone.entries import Entry, Kind, now
from rehearsal.twins.zone.lists import RedirectItem
from rehearsal.twins.zone.naming import camel, from_api
from rehearsal.twins.zone.records import AUTOMATIC, Record
from rehearsal.twins.zone.rule import Rule
from rehearsal.twins.zone.rulesets import Ruleset
from rehearsal.twins.zone.workers import Route

Form = Mapping[str, Any]
_ACCESS_RULES = ("include", "require", "exclude")


def entries_of(snapshot: Form) -> Iterator[Entry]:
    """The entries of a snapshot in the API's own forms.

    Keys: `zone`, and where they are there and not null `records`, `settings`, `rulesets` (with their rules), `dnssec`,
    `bot_management`, `managed_transforms`, `url_normalization`, `origin_pulls`, `healthchecks`, `worker_routes`; of the
    account `account_rulesets`, `lists` (with `items`), `access_applications` (with their policies). Others are ignored.
    """
    zone = _zone(snapshot["zone"])
    yield zone
    for form in snapshot.get("records") or []:
        yield _record(form, zone)
    for form in snapshot.get("settings") or []:
        outputs = {"settingId": form["id"], "value": form.get("value"), "editable": form.get("editable", True)}
        yield _entry(Kind.SETTING, zone.id, {**form, "id": f"{zone.id}/{form['id']}"}, outputs)
    for key, scope in (("rulesets", zone.id), ("account_rulesets", zone.scope)):
        for form in snapshot.get(key) or []:
            yield _ruleset(form, scope)
    yield from _singles(snapshot, zone)
    for form in snapshot.get("healthchecks") or []:
        yield _entry(Kind.HEALTHCHECK, zone.id, form, from_api(_bare(form)))
    for form in snapshot.get("worker_routes") or []:
        yield _entry(Kind.ROUTE, zone.id, form, from_api(_bare(form)), _route(form))
    for form in snapshot.get("lists") or []:
        yield _list(form, zone.scope)
    for form in snapshot.get("access_applications") or []:
        yield from _application(form, zone.scope)


def _zone(form: Form) -> Entry:
    kept = {key: form.get(key) for key in ("name", "type", "status", "paused")}
    outputs = {**kept, "account": dict(form["account"]), "nameServers": list(form.get("name_servers") or [])}
    return _entry(Kind.ZONE, form["account"]["id"], form, outputs)


def _record(form: Form, zone: Entry) -> Entry:
    outputs = from_api(_bare(form))
    kind, content = str(form["type"]), str(form.get("content") or "")
    try:
        content, priority, data = CONTENTS[kind](outputs, f"{kind} record {form['name']}")
    except (KeyError, DeploymentError):  # odd, but Cloudflare holds it: it is told as it is
        priority, data = form.get("priority"), outputs.get("data") or {}
    record = Record(
        name=str(form["name"]).rstrip(".").lower(),
        type=kind,
        content=content,
        ttl=int(form.get("ttl") or AUTOMATIC),
        proxied=bool(form.get("proxied")),
        priority=None if priority is None else int(priority),
        data=data,
    )
    told = {"proxied": False, "proxiable": False, "ttl": AUTOMATIC, "content": content}
    return _entry(Kind.RECORD, zone.id, form, {**told, **outputs}, record)


def _ruleset(form: Form, scope: str) -> Entry:
    outputs = from_api(_bare(form))
    rules = [{"id": rule.get("id") or "", **rule} for rule in outputs.get("rules") or []]
    meaning = Ruleset(form["phase"], tuple(_rule(rule) for rule in rules))
    told = {"version": str(form.get("version") or 1), "lastUpdated": form.get("last_updated") or now()}
    return _entry(Kind.RULESET, scope, form, {**outputs, **told, "rules": rules}, meaning)


def _rule(rule: Form) -> Rule:
    return Rule(
        ref=str(rule.get("ref") or rule["id"]),
        expression=str(rule.get("expression") or "true"),
        action=str(rule.get("action") or ""),
        enabled=rule.get("enabled") is not False,
        parameters=rule.get("actionParameters") or {},
        ratelimit=rule.get("ratelimit") or {},
        logging=(rule.get("logging") or {}).get("enabled") is not False,
    )


def _singles(snapshot: Form, zone: Entry) -> Iterator[Entry]:
    """What a zone has one of, under the ids that declaring it gives."""
    signed = snapshot.get("dnssec") or {}
    if signed.get("status") in ("active", "pending"):  # its key is Cloudflare's: the twin signs with one of its own
        key = dnssec.generate()
        outputs = {**key.outputs(zone.outputs["name"]), "status": signed["status"]}
        yield _entry(Kind.DNSSEC, zone.id, {**signed, "id": f"{zone.id}/dnssec"}, outputs, key)
    for name, kind, id_ in (
        ("bot_management", Kind.BOTS, "bot_management"),
        ("managed_transforms", Kind.TRANSFORMS, "managed_headers"),
        ("url_normalization", Kind.NORMALIZATION, "url_normalization"),
        ("origin_pulls", Kind.PULL_SETTINGS, "origin_tls_client_auth"),
    ):
        form = snapshot.get(name)
        if form:
            yield _entry(kind, zone.id, {**form, "id": f"{zone.id}/{id_}"}, from_api(_bare(form)))


def _route(form: Form) -> Route:
    host, slash, path = str(form["pattern"]).rpartition("://")[2].partition("/")
    return Route(host.lower(), f"{slash}{path}" or "/", form.get("script") or None)


def _list(form: Form, account: str) -> Entry:
    outputs = from_api(_bare(form))
    items = tuple(_item(one["redirect"]) for one in form.get("items") or [] if one.get("redirect"))
    return _entry(Kind.LIST, account, form, outputs, items)


def _item(redirect: Form) -> RedirectItem:
    switches = ("include_subdomains", "subpath_matching", "preserve_query_string", "preserve_path_suffix")
    include, subpath, query, suffix = (bool(redirect.get(key)) for key in switches)
    return RedirectItem(
        source_url=str(redirect["source_url"]),
        target_url=str(redirect["target_url"]),
        status_code=int(redirect.get("status_code") or 301),
        include_subdomains=include,
        subpath_matching=subpath,
        preserve_query_string=query,
        preserve_path_suffix=suffix if "preserve_path_suffix" in redirect else subpath,
    )


def _application(form: Form, account: str) -> Iterator[Entry]:
    """An application, after the policies that come with it."""
    policies = [policy for policy in form.get("policies") or [] if policy.get("id")]
    for policy in policies:
        renamed = {f"{key}s" if key in _ACCESS_RULES else key: value for key, value in _bare(policy).items()}
        yield _entry(Kind.ACCESS_POLICY, account, policy, from_api(renamed))
    declared = [{"id": one["id"], "precedence": one.get("precedence", at)} for at, one in enumerate(policies, start=1)]
    outputs = {"sessionDuration": "24h", "aud": "", **from_api(_bare(form)), "policies": declared}
    domains = tuple(dict.fromkeys([*(form.get("self_hosted_domains") or []), *filter(None, [form.get("domain")])]))
    guarded = Guarded(domains, tuple(one["id"] for one in declared))
    yield _entry(Kind.ACCESS_APPLICATION, account, form, outputs, guarded)


def _bare(form: Form) -> dict[str, Any]:
    """The form without what the entry has in its own place."""
    own = ("id", "created_on", "modified_on", "created_at", "updated_at", "zone_id", "zone_name", "account_id")
    return {key: value for key, value in form.items() if key not in own}


def _entry(kind: Kind, scope: str, form: Form, outputs: Form, meaning: object = None) -> Entry:
    dated = {}
    for key, older in (("created_on", "created_at"), ("modified_on", "updated_at")):
        dated[camel(key)] = form.get(key, form.get(older, now()))
    return Entry(id=str(form["id"]), kind=kind, scope=scope, outputs={**outputs, **dated}, meaning=meaning)
