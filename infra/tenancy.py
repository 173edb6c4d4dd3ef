"""Two stacks on one zone: one owns its settings and rulesets, the others are its tenants.

A phase has one entry-point ruleset in a zone, so two stacks that write it fight and the last one wins. The owner
therefore declares the rules of its tenants' hosts too, and a tenant declares its hosts and its pipeline alone. What
concerns the whole zone is written once, in the owner's stack file.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infra.hostnames import absolute
from infra.names.sections import Host
from infra.problems import Problem, problem
from infra.stackfiles import OtherStacks, StackFileError

# What a tenant takes from its owner, because it is the zone's: aliases of the fields of Settings.
SHARED = (
    *("domain", "cloudflareAccountId", "zonePlan", "canonical", "mail", "caa", "dnssec"),
    *("ssl", "minTlsVersion", "hsts", "csp", "headers", "cache", "waf", "rateLimits", "bots", "ddos"),
)
# What only an owner may have: it belongs to no host of a tenant.
OWNERS_ALONE = (*("parked", "retired", "redirects", "apps", "securityTxt", "maintenance", "settings", "extraRules"),)


@dataclass(frozen=True, kw_only=True)
class Tenant:
    """Another stack whose hosts are in the zone that this one owns."""

    name: str
    domain: str
    hosts: tuple[Host, ...]
    api_label: str

    @property
    def api_host(self) -> str:
        """Where its webhooks and members API are served."""
        return absolute(self.api_label, self.domain)

    @property
    def proxied_web_hosts(self) -> tuple[str, ...]:
        """Its hosts that pass through the edge, once each."""
        return proxied(self.hosts, self.domain)

    @property
    def names(self) -> frozenset[str]:
        """Every name that it stands at."""
        return frozenset({*(absolute(host.name, self.domain) for host in self.hosts), self.api_host})


def proxied(hosts: Iterable[Host], domain: str) -> tuple[str, ...]:
    """The absolute names of those that pass through the edge, in the order declared, once each."""
    return tuple(dict.fromkeys(absolute(host.name, domain) for host in hosts if host.proxied))


@dataclass(frozen=True)
class Borrowed:
    """A tenant's raw configuration with what its owner decides, and what stands in the way."""

    raw: Mapping[str, str]
    problems: tuple[Problem, ...] = ()


def with_owners_values(raw: Mapping[str, str], defaults: Mapping[str, str], others: OtherStacks) -> Borrowed:
    """What a tenant is configured with: its own keys, and the zone's from the owner's file.

    `raw` maps keys without namespace to text, `defaults` those of Pulumi.yaml, which the engine fills in: a value
    that differs from both the default and the owner's was written by hand, and would be lost.
    """
    owner = raw.get("owner", "")
    if not owner:
        remedy = "Name the stack that owns it: pulumi config set owner prod."
        return Borrowed(raw, (problem("owner", "nothing", "a tenant's zone is owned by another stack", remedy),))
    try:
        theirs = others.of(owner)
    except StackFileError as error:
        return Borrowed(raw, (problem("owner", owner, str(error), "Correct the name of the stack."),))
    problems = [*_owner_problems(theirs, owner), *_own_rules(raw, defaults)]
    merged = dict(raw)
    for key in SHARED:
        value = theirs.get(key, defaults.get(key))
        if key in raw and not _is_one_of(raw[key], (value, defaults.get(key))):
            limit = f"it is the zone's, and stack {owner!r} says {_short(value)}"
            problems.append(problem(key, _short(raw[key]), limit, "Leave it out here, or write the same."))
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = value
    return Borrowed(merged, tuple(problems))


def _owner_problems(theirs: Mapping[str, str], owner: str) -> Iterator[Problem]:
    if theirs.get("zone", "owner") != "owner":
        yield problem("owner", owner, "that stack owns no zone itself", "Name the stack whose `zone` is owner.")


def _own_rules(raw: Mapping[str, str], defaults: Mapping[str, str]) -> Iterator[Problem]:
    for key in OWNERS_ALONE:
        if key in raw and not _is_one_of(raw[key], (defaults.get(key),)):
            yield problem(key, _short(raw[key]), "only the stack that owns the zone declares it", "Move it there.")


def tenants_of(owner: str, others: OtherStacks) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Name and configuration of every stack whose file says that it is a tenant of `owner`. Raises StackFileError."""
    for name in others.names():
        theirs = others.of(name)
        if (theirs.get("zone"), theirs.get("owner")) == ("tenant", owner):
            yield name, theirs


def collisions(names: frozenset[str], tenants: Iterable[Tenant]) -> Iterator[Problem]:
    """Two stacks must not stand at one name: whichever is deployed last would take it."""
    taken = dict.fromkeys(names, "this stack")
    for tenant in tenants:
        for name in sorted(tenant.names):
            if name in taken:
                limit = f"stack {tenant.name!r}, a tenant of this zone, stands at a host of {taken[name]}"
                yield problem("hosts", name, limit, f"Give it another name here or in Pulumi.{tenant.name}.yaml.")
            taken[name] = f"stack {tenant.name!r}"


def _is_one_of(text: str, others: Iterable[str | None]) -> bool:
    """Whether the values are the same, however their JSON is written."""
    return _parsed(text) in [_parsed(other) for other in others if other is not None]


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _short(value: str | None) -> str:
    text = "nothing" if value is None else value
    return text if len(text) <= 60 else text[:59] + "…"
