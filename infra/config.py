"""Reads a stack's configuration: raw strings in, frozen settings or every problem at once out.

The only module that asks Pulumi for configuration.
"""

import difflib
import json
import re
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

import pulumi
from pydantic import BaseModel, SecretStr, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from infra import stackfiles, tenancy
from infra.hostnames import absolute
from infra.problems import ConfigError, Problem
from infra.rules import RULES
from infra.settings import Settings, Stack
from infra.stackfiles import OfProject, OtherStacks, StackFileError, StackFiles, of_namespace
from infra.tenancy import Borrowed, Tenant

_SHOWN = 80  # characters of a value in a problem
REGION = "aws:region"
STACK = "stack"
# Roles have the longest of our physical names and at most 64 characters: launch-ready-<stack>-reconcile-schedule.
_STACK_NAME = re.compile(r"[A-Za-z0-9_-]{1,32}")
_JSON_KINDS: Mapping[Any, str] = {bool: "true or false", int: "a whole number"}


def stack() -> Stack:
    """The running stack. ConfigError lists everything that is wrong with its configuration."""
    known = pulumi.runtime.config
    raw = {**known.get_config_env(), **known.CONFIG.get()}
    return load(raw, project=pulumi.get_project(), stack=pulumi.get_stack())


def load(raw: Mapping[str, str], *, project: str, stack: str, others: OtherStacks | None = None) -> Stack:
    """The stack whose raw configuration is `raw`: namespaced key to text, JSON for what is not text.

    `others` are the project's other stacks, by default those whose files are beside Pulumi.yaml. Raises ConfigError.
    The namespaces of the providers are theirs, but for `aws:region`, which is needed here.
    """
    inside = OfProject(project, others or StackFiles())
    borrowed = _with_owners_values(of_namespace(raw, project), inside)
    valid: dict[str, Any] = {}
    problems = [*_unknown(borrowed.raw), *_collect(borrowed.raw, valid), *_region(raw), *_stack_name(stack)]
    problems += borrowed.problems
    problems += [problem for rule in RULES for problem in rule.problems(valid)]
    tenants, at_odds = _tenants(valid, stack, inside)
    problems += at_odds
    if problems:
        raise ConfigError(stack, (_in_namespace(problem, project) for problem in problems))
    settings = Settings.model_validate(valid, by_name=True, by_alias=False)
    return Stack(project=project, name=stack, region=raw[REGION], settings=settings, tenants=tenants)


def _with_owners_values(own: Mapping[str, str], others: OfProject) -> Borrowed:
    if own.get("zone") != "tenant":
        return Borrowed(own)
    return tenancy.with_owners_values(own, of_namespace(stackfiles.defaults(), others.project), others)


def _tenants(valid: Mapping[str, Any], stack: str, others: OtherStacks) -> tuple[tuple[Tenant, ...], list[Problem]]:
    """The stacks whose hosts are in this one's zone, and what stands in their way."""
    if not {"zone", "domain", "hosts", "api_host"} <= valid.keys() or valid["zone"] == "tenant":
        return (), []
    found: list[Tenant] = []
    problems: list[Problem] = []
    try:
        for name, theirs in tenancy.tenants_of(stack, others):
            tenant = _tenant(name, theirs, valid["domain"])
            if isinstance(tenant, Tenant):
                found.append(tenant)
            else:
                limit = f"stack {name!r} is a tenant of this zone, and {tenant}"
                problems.append(Problem(key="zone", value=name, limit=limit, remedy=f"Mend Pulumi.{name}.yaml."))
    except StackFileError as error:
        limit = f"{error}, and it may be a tenant of this zone"
        problems.append(Problem(key="zone", value="owner", limit=limit, remedy="Mend the file, or take it away."))
    names = {absolute(host.name, valid["domain"]) for host in valid["hosts"]}
    own = frozenset({*names, absolute(valid["api_host"], valid["domain"])})
    return tuple(found), [*problems, *tenancy.collisions(own, found)]


def _tenant(name: str, theirs: Mapping[str, str], domain: str) -> Tenant | str:
    """The tenant of that name, or what is wrong with its file."""
    valid: dict[str, Any] = {}
    wrong = list(_collect({key: theirs[key] for key in ("hosts", "apiHost") if key in theirs}, valid))
    if "hosts" not in valid or "api_host" not in valid:
        return "; ".join(f"its {p.key}: {p.limit}" for p in wrong if p.key.startswith(("hosts", "apiHost")))
    return Tenant(name=name, domain=domain, hosts=valid["hosts"], api_label=valid["api_host"])


def _unknown(own: Mapping[str, str]) -> Iterator[Problem]:
    known = [_alias(name, field) for name, field in Settings.model_fields.items()]
    for key in own:
        if key not in known:
            # The value is not shown: a misspelt key may hold a secret.
            yield Problem(key=key, value="a value", limit="there is no such key", remedy=_did_you_mean(key, known))


def _collect(own: Mapping[str, str], valid: dict[str, Any]) -> Iterator[Problem]:
    """Put every field that is valid by itself into `valid`; yield what is wrong with the others."""
    for name, field in Settings.model_fields.items():
        key = _alias(name, field)
        if key in own:
            try:
                valid[name] = _value(field, own[key])
            except ValidationError as error:
                yield from _problems(key, field, error)
        elif field.is_required():
            yield Problem(key=key, value="nothing", limit="it has no default", remedy=_how_to_set(key, field))
        else:
            valid[name] = field.get_default(call_default_factory=True)


def _value(field: FieldInfo, text: str) -> Any:
    constrain: Any = Annotated
    kind: Any = constrain[field.annotation, *field.metadata] if field.metadata else field.annotation
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    return adapter.validate_json(json.dumps(text) if _is_text(field) else text, strict=True)


def _region(raw: Mapping[str, str]) -> Iterator[Problem]:
    if not raw.get(REGION):
        yield Problem(key=REGION, value="nothing", limit="it has no default", remedy="pulumi config set aws:region …")


def _stack_name(name: str) -> Iterator[Problem]:
    """Every physical name holds it, and AWS would refuse those only in the middle of an `up`."""
    if not _STACK_NAME.fullmatch(name):
        limit = "AWS takes at most 32 letters, digits, hyphens and underscores of it"
        yield Problem(key=STACK, value=_shortened(name), limit=limit, remedy="pulumi stack rename …")


def _problems(key: str, field: FieldInfo, error: ValidationError) -> Iterator[Problem]:
    entries = error.errors(include_url=False)
    for entry in entries:
        location = entry["loc"]
        if entry["type"] == "too_short" and any(
            location == other["loc"][: len(location)] for other in entries if other is not entry
        ):
            continue  # pydantic counts the entries that it could read: those it could not are told on their own
        path = key + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
        remedy = entry.get("ctx", {}).get("remedy") or _remedy(entry["type"], location, path, field)
        yield Problem(key=path, value=_shown(entry, field), limit=_limit(entry, field), remedy=remedy)


def _limit(entry: Mapping[str, Any], field: FieldInfo) -> str:
    match entry["type"]:
        case "extra_forbidden":
            return "there is no such key"
        case "missing":
            return "it has no default"
        case "too_short":
            return f"it needs at least {entry['ctx']['min_length']}"
        case "json_invalid":
            return f"it must be {_JSON_KINDS.get(field.annotation, 'JSON')}"
        case "refused":
            return entry["msg"]
    return re.sub(r"^(Input|String|Value|Tuple|Dictionary) should", "it must", entry["msg"])


def _shown(entry: Mapping[str, Any], field: FieldInfo) -> str:
    if entry["type"] == "missing":
        return "nothing"
    if _is_secret(field):
        return "[secret]"
    if entry["type"] == "extra_forbidden":
        return "a value"
    return _shortened(json.dumps(entry["input"], ensure_ascii=False, default=str))


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _remedy(kind: str, location: tuple[int | str, ...], path: str, field: FieldInfo) -> str:
    if kind == "extra_forbidden":
        return _did_you_mean(str(location[-1]), sorted(_nested_keys(field.annotation)))
    return _how_to_set(path, field)


def _how_to_set(path: str, field: FieldInfo) -> str:
    if _is_secret(field):
        return f"pulumi config set --secret {path} …"
    if "." in path or "[" in path:
        return f"pulumi config set --path '{path}' …"
    if _is_text(field) or field.annotation in _JSON_KINDS:
        return f"pulumi config set {path} …"
    return "Write it in the stack's file; Pulumi.yaml says what it holds."


def _did_you_mean(key: str, known: list[str]) -> str:
    near = difflib.get_close_matches(key, known, n=1)
    return f"Did you mean {near[0]}?" if near else f"Known here: {', '.join(known)}."


def _in_namespace(problem: Problem, project: str) -> Problem:
    key = problem.key if problem.key in (REGION, STACK) else f"{project}:{problem.key}"
    return Problem(key=key, value=problem.value, limit=problem.limit, remedy=problem.remedy)


def _alias(name: str, field: FieldInfo) -> str:
    return field.alias or name


def _is_secret(field: FieldInfo) -> bool:
    return field.annotation is SecretStr


def _is_text(field: FieldInfo) -> bool:
    """Is the raw string the value itself, and not JSON?"""
    if field.annotation in (str, SecretStr):
        return True
    return typing.get_origin(field.annotation) is Literal and all(
        isinstance(choice, str) for choice in typing.get_args(field.annotation)
    )


def _nested_keys(annotation: Any) -> set[str]:
    """The keys of every model inside a type."""
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        if not issubclass(annotation, BaseModel):
            return set()
        fields = annotation.model_fields.items()
        below = [_nested_keys(field.annotation) for _, field in fields]
        return {_alias(name, field) for name, field in fields}.union(*below)
    return set().union(*(_nested_keys(argument) for argument in typing.get_args(annotation)))
