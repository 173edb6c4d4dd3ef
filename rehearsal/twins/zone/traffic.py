"""Rules that let requests pass changed: redirects, rewrites, header changes, cache and configuration rules.

https://developers.cloudflare.com/rules/
"""

from collections.abc import Mapping
from typing import Any

from rehearsal.twins.zone.plans import Limits
from rehearsal.twins.zone.refusals import CloudflareError, boolean, one_of, only, text, whole
from rehearsal.twins.zone.rule import Rule, compiled, computed

_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_SECONDS = 31_536_000
_RESERVED_HEADERS = ("server", "eh-cache-tag", "eh-cdn-cache-control", "connection", "content-length")


def redirect(rule: Rule, what: str, limits: Limits) -> None:
    """A single redirect, to a fixed or a computed address."""
    only(rule.parameters, ("fromValue",), f"{what}: actionParameters")
    from_value = rule.parameters.get("fromValue")
    if not isinstance(from_value, Mapping):
        raise CloudflareError(f"{what}: a redirect needs actionParameters.fromValue")
    only(from_value, ("statusCode", "targetUrl", "preserveQueryString"), f"{what}: fromValue")
    one_of(from_value.get("statusCode", 302), _REDIRECTS, f"{what}: statusCode")
    computed(from_value.get("targetUrl") or {}, f"{what}: targetUrl", limits)


def bulk_redirect(rule: Rule, what: str, limits: Limits) -> None:
    """The use of a redirect list of the account."""
    only(rule.parameters, ("fromList",), f"{what}: actionParameters")
    from_list = rule.parameters.get("fromList")
    if not isinstance(from_list, Mapping):
        raise CloudflareError(f"{what}: a bulk redirect needs actionParameters.fromList")
    text(from_list, "name", f"{what}: fromList")
    compiled(text(from_list, "key", f"{what}: fromList"), f"{what}: fromList.key", limits, value=True)


def cache(rule: Rule, what: str, limits: Limits) -> None:
    """A cache rule: whether and how long the edge and browsers keep a response."""
    switches = ("cache", "respectStrongEtags", "originErrorPagePassthru", "originCacheControl")
    known = (*switches, "edgeTtl", "browserTtl", "cacheKey", "serveStale")
    only(rule.parameters, known, f"{what}: actionParameters")
    for key in switches:
        boolean(rule.parameters, key, what)
    _cache_key(rule.parameters.get("cacheKey") or {}, what, limits)
    only(rule.parameters.get("serveStale") or {}, ("disableStaleWhileUpdating",), f"{what}: serveStale")
    least = {"edgeTtl": limits.least_edge_ttl, "browserTtl": 0}
    modes = {"edgeTtl": "bypass_by_default", "browserTtl": "bypass"}
    for key, shortest in least.items():
        ttl = rule.parameters.get(key)
        if ttl is None:
            continue
        if ttl.get("statusCodeTtls") and not limits.cache_keys:
            raise CloudflareError(f"{what}: {key}: the plan allows no statusCodeTtls")
        only(ttl, ("mode", "default", "statusCodeTtls"), f"{what}: {key}")
        mode = one_of(ttl.get("mode"), ("respect_origin", "override_origin", modes[key]), f"{what}: {key}.mode")
        if mode == "override_origin":
            whole(ttl.get("default"), f"{what}: {key}.default", least=shortest, most=_MOST_SECONDS)


def _cache_key(key: Mapping[str, Any], what: str, limits: Limits) -> None:
    paid = sorted(name for name in ("customKey", "cacheByDeviceType") if key.get(name))
    if paid and not limits.cache_keys:
        raise CloudflareError(f"{what}: the plan allows no {', '.join(paid)} in cacheKey")
    only(key, ("cacheDeceptionArmor", "ignoreQueryStringsOrder"), f"{what}: cacheKey")
    for name in key:
        boolean(key, name, f"{what}: cacheKey")


def configuration(rule: Rule, what: str, limits: Limits) -> None:  # noqa: ARG001 - every check takes the limits
    """A configuration rule: zone settings for some requests only."""
    switches = (
        *("automaticHttpsRewrites", "bic", "disableApps", "disableRum", "disableZaraz", "emailObfuscation", "fonts"),
        *("hotlinkProtection", "mirage", "opportunisticEncryption", "rocketLoader", "serverSideExcludes", "sxg"),
    )
    choices = {
        "ssl": ("off", "flexible", "full", "strict", "origin_pull"),
        "securityLevel": ("off", "essentially_off", "low", "medium", "high", "under_attack"),
        "polish": ("off", "lossless", "lossy", "webp"),
    }
    only(rule.parameters, (*switches, *choices), f"{what}: actionParameters")
    given = [key for key, value in rule.parameters.items() if value is not None]
    if not given:
        raise CloudflareError(f"{what}: set_config needs at least one setting")
    for key in given:
        if key in choices:
            one_of(rule.parameters[key], choices[key], f"{what}: {key}")
        else:
            boolean(rule.parameters, key, what)


def url(rule: Rule, what: str, limits: Limits) -> None:
    """A rewrite of the URL before the origin sees it."""
    only(rule.parameters, ("uri",), f"{what}: actionParameters")
    uri = rule.parameters.get("uri") or {}
    only(uri, ("path", "query"), f"{what}: uri")
    parts = [key for key in ("path", "query") if uri.get(key) is not None]
    if not parts:
        raise CloudflareError(f"{what}: a rewrite of the URL needs uri.path or uri.query")
    for key in parts:
        if key == "query" and uri[key].get("value") == "":  # an empty query takes the query away
            continue
        computed(uri[key], f"{what}: uri.{key}", limits)


def headers(rule: Rule, what: str, limits: Limits) -> None:
    """Changes of headers, of requests or of responses."""
    only(rule.parameters, ("headers",), f"{what}: actionParameters")
    for name, change in (rule.parameters.get("headers") or {}).items():
        _check_header(name, what)
        only(change, ("operation", "value", "expression"), f"{what}: header {name}")
        operation = one_of(change.get("operation"), ("set", "add", "remove"), f"{what}: header {name}: operation")
        given = [key for key in ("value", "expression") if change.get(key)]
        if len(given) != (0 if operation == "remove" else 1):
            raise CloudflareError(f"{what}: header {name}: {operation} takes {'no' if given else 'a'} value")
        if change.get("expression"):
            compiled(change["expression"], f"{what}: header {name}", limits, value=True)


def _check_header(name: str, what: str) -> None:
    lower = name.lower()
    if lower in _RESERVED_HEADERS or lower.startswith(("cf-", "x-cf-")):
        raise CloudflareError(f"{what}: header {name} is Cloudflare's own and cannot be changed")
