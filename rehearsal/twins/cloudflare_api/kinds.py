"""The things of which a zone or an account has several: where they live, their form, and what is written to them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.twins.cloudflare_api import forms
from rehearsal.twins.zone import Entry, Kind
from rehearsal.twins.zone.naming import from_api, snake

_DECLARED_SINGULAR = ("include", "require", "exclude")  # the API's names of what Pulumi calls includes, …


@dataclass(frozen=True, kw_only=True)
class Collection:
    """One collection; `path` is below `/zones/<id>/` or `/accounts/<id>/`.

    `missing` is the refusal of an id that there is none of; `kept` are the inputs that stay where PUT leaves them out.
    """

    path: str
    kind: Kind
    form: Callable[[Entry], dict[str, Any]]
    inputs: Callable[[Any], dict[str, Any]] = from_api
    missing: tuple[int, int, str]
    filters: frozenset[str] = frozenset()
    kept: frozenset[str] = frozenset()


def rule_inputs(body: Any) -> dict[str, Any]:
    """A ruleset's: dates and versions are Cloudflare's, and a rule without `ref` is known by its id."""
    inputs = from_api(body)
    for rule in inputs.get("rules") or []:
        for key in ("version", "lastUpdated"):
            rule.pop(key, None)
    return inputs


def _policy_inputs(body: Mapping[str, Any]) -> dict[str, Any]:
    return from_api({f"{key}s" if key in _DECLARED_SINGULAR else key: value for key, value in body.items()})


RECORDS = Collection(
    path="dns_records",
    kind=Kind.RECORD,
    form=forms.record,
    missing=(404, 81044, "Record does not exist."),
    filters=frozenset({"type", "name", "content", "name.exact", "content.exact", "proxied"}),
)
RULESETS = Collection(
    path="rulesets",
    kind=Kind.RULESET,
    form=forms.ruleset,
    inputs=rule_inputs,
    missing=(404, 10003, "could not find ruleset"),
    kept=frozenset({"name", "kind", "phase", "description"}),
)
ROUTES = Collection(
    path="workers/routes", kind=Kind.ROUTE, form=forms.route, missing=(404, 10007, "workers.api.error.route_not_found")
)
HEALTHCHECKS = Collection(
    path="healthchecks", kind=Kind.HEALTHCHECK, form=forms.plain, missing=(404, 1001, "healthcheck not found")
)
PULL_CERTIFICATES = Collection(
    path="origin_tls_client_auth/hostnames/certificates",
    kind=Kind.PULL_CERTIFICATE,
    form=forms.pull_certificate,
    missing=(404, 1413, "The certificate was not found."),
)
ACCESS_POLICIES = Collection(
    path="access/policies",
    kind=Kind.ACCESS_POLICY,
    form=forms.access_policy,
    inputs=_policy_inputs,
    missing=(404, 11021, "access.api.error.policy_not_found"),
)
PLAIN_PATHS = (RECORDS, ROUTES, HEALTHCHECKS, PULL_CERTIFICATES)
"""Those of a zone that take the usual calls on their path and nothing else."""


def matches(record: Mapping[str, Any], query: Mapping[str, str]) -> bool:
    """Whether a record's form is what the list's query asks for."""
    for key, wanted in query.items():
        name = snake(key).removesuffix(".exact")
        value = record.get(name)
        told = str(value).lower() if isinstance(value, bool) else value
        if name in ("type", "name", "content", "proxied") and told != wanted:
            return False
    return True
