"""Reads a stack's configuration as the engine hands it to the program: `Pulumi.yaml` and `Pulumi.<stack>.yaml`.

Keys that `Pulumi.yaml` marks `secret: true` get made-up values, so that a rehearsal needs no passphrase and no
account. Everything that is wrong is told at once, in one StackError.
"""

import difflib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from rehearsal.errors import StackError

PROJECT_FILE = "Pulumi.yaml"
# A plan or a rehearsal asks nobody outside of this machine, whatever the stack says.
_OFFLINE: Mapping[str, Any] = {"spfLookups": "recorded"}
_BOOLEAN = "tag:yaml.org,2002:bool"
_DATE = "tag:yaml.org,2002:timestamp"


@dataclass(frozen=True, kw_only=True)
class StackConfig:
    """`values` as the SDK gets them: text as it is, everything else as JSON; keys carry their namespace.

    `defaults` are those of Pulumi.yaml. A stack's own object replaces them whole, also where it leaves a field out.
    """

    project: str
    stack: str
    values: Mapping[str, str]
    defaults: Mapping[str, Any]
    secret_keys: frozenset[str]


@dataclass(frozen=True)
class _Declared:
    """One entry under `config:` in Pulumi.yaml."""

    type: str
    item_type: str | None
    default: Any
    secret: bool


class _EngineYaml(yaml.SafeLoader):
    """YAML as the engine reads it (Go's yaml.v3): only true and false are booleans; on, yes and dates are texts."""

    yaml_implicit_resolvers = {  # noqa: RUF012 # that of the class above is no ClassVar either
        first: [(tag, pattern) for tag, pattern in resolvers if tag not in (_BOOLEAN, _DATE)]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


_EngineYaml.add_implicit_resolver(_BOOLEAN, re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))


_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


def load(project_dir: Path, stack: str, overrides: Mapping[str, Any] | None = None) -> StackConfig:
    """The configuration of `stack`; `overrides` (by key, with or without namespace) win over both files.

    Raises StackError with every problem: a missing or malformed file, an unknown key, a missing one, a wrong type.
    """
    project, declared = _read_project(project_dir / PROJECT_FILE)
    stack_file = project_dir / f"Pulumi.{stack}.yaml"
    written = _read_stack(stack_file, project)
    changed = {_with_namespace(key, project): value for key, value in (overrides or {}).items()}
    problems = [
        problem
        for key, value in {**written, **changed}.items()
        for problem in _problems(key, value, project, declared, generated=key not in changed)
    ]
    offline = {_with_namespace(key, project): value for key, value in _OFFLINE.items()}
    known = {key: value for key, value in offline.items() if key in declared}
    values = {**_defaults(declared), **_made_up(declared), **_without_secrets(written, declared), **known, **changed}
    problems += [f"{key}: is missing; set it in {stack_file.name}" for key in declared if key not in values]
    if problems:
        raise StackError(_list(stack_file.name, problems))
    secret = frozenset(key for key, entry in declared.items() if entry.secret)
    return StackConfig(
        project=project,
        stack=stack,
        values={key: value if isinstance(value, str) else json.dumps(value) for key, value in sorted(values.items())},
        defaults=_defaults(declared),
        secret_keys=secret,
    )


def _list(where: str, problems: list[str]) -> str:
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    return f"{where}: {count}\n" + "\n".join(f"  - {problem}" for problem in problems)


def _read_yaml(path: Path, advice: str) -> dict[str, Any]:
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _EngineYaml)  # noqa: S506 # it is a SafeLoader
    except FileNotFoundError:
        raise StackError(f"{path} does not exist; {advice}") from None
    except UnicodeDecodeError as error:
        raise StackError(f"{path} is not UTF-8 text: {error}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise StackError(f"{path} is not valid YAML{where}: {getattr(error, 'problem', error)}") from None
    if not isinstance(content, dict):
        raise StackError(f"{path} must hold a mapping, got {type(content).__name__}")
    return content


def _read_project(path: Path) -> tuple[str, dict[str, _Declared]]:
    content = _read_yaml(path, "run this in the project's root, or name it")
    project = content.get("name")
    if not isinstance(project, str):
        raise StackError(f"{path}: `name` must be the project's name, got {project!r}")
    declared = content.get("config") or {}
    if not isinstance(declared, dict):
        raise StackError(f"{path}: `config` must be a mapping, got {type(declared).__name__}")
    return project, {_with_namespace(key, project): _declaration(path, key, entry) for key, entry in declared.items()}


def _declaration(path: Path, key: str, entry: Any) -> _Declared:
    if not isinstance(entry, dict):  # the short form `key: default`
        entry = {"default": entry}
    named = entry.get("type", "string")
    if named not in _TYPES:
        raise StackError(f"{path}: {key} has type {named!r}, which is none of {', '.join(_TYPES)}")
    items = entry.get("items") or {}
    return _Declared(named, items.get("type"), entry.get("default", entry.get("value")), bool(entry.get("secret")))


def _read_stack(path: Path, project: str) -> dict[str, Any]:
    others = sorted(other.name for other in path.parent.glob("Pulumi.*.yaml"))
    content = _read_yaml(path, f"stacks here: {', '.join(others) or 'none'}; name one with --stack")
    config = content.get("config") or {}
    if not isinstance(config, dict):
        raise StackError(f"{path}: `config` must be a mapping, got {type(config).__name__}")
    return {_with_namespace(str(key), project): value for key, value in config.items()}


def _with_namespace(key: str, project: str) -> str:
    return key if ":" in key else f"{project}:{key}"


def _defaults(declared: Mapping[str, _Declared]) -> dict[str, Any]:
    return {key: entry.default for key, entry in declared.items() if entry.default is not None}


def _made_up(declared: Mapping[str, _Declared]) -> dict[str, Any]:
    """A value for each secret key that has no default: recognisable, the same each time, useless anywhere else."""
    return {
        key: f"rehearsal-made-up-secret-{key.split(':', 1)[1]}"  # as long as keys must be that sign something
        for key, entry in declared.items()
        if entry.secret and entry.default is None
    }


def _without_secrets(written: Mapping[str, Any], declared: Mapping[str, _Declared]) -> dict[str, Any]:
    """What the stack file gives in plain; its values of secret keys are replaced, whoever wrote them."""
    return {key: value for key, value in written.items() if key not in declared or not declared[key].secret}


def _problems(key: str, value: Any, project: str, declared: Mapping[str, _Declared], *, generated: bool) -> list[str]:
    entry = declared.get(key)
    if entry is None:
        return [] if not key.startswith(f"{project}:") else [_unknown(key, declared)]
    if entry.secret:
        if generated and not _is_sealed(value):
            return [f"{key}: is a secret in plain text; store it with `pulumi config set --secret {key}`"]
        return []
    if _is_sealed(value):
        return [f"{key}: is encrypted here, but {PROJECT_FILE} does not declare it `secret: true`"]
    return _wrong_type(key, value, entry)


def _is_sealed(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {"secure"}


def _unknown(key: str, declared: Mapping[str, _Declared]) -> str:
    close = difflib.get_close_matches(key, declared, n=1)
    return f"{key}: is not a key of this project" + (f"; did you mean {close[0]}?" if close else "")


def _wrong_type(key: str, value: Any, entry: _Declared) -> list[str]:
    if not _fits(value, entry.type):
        return [f"{key}: must be of type '{entry.type}', got {json.dumps(value, default=str)}"]
    item_type = entry.item_type
    if entry.type == "array" and item_type is not None and item_type in _TYPES:
        return [
            f"{key}[{index}]: must be of type '{item_type}', got {json.dumps(item, default=str)}"
            for index, item in enumerate(value)
            if not _fits(item, item_type)
        ]
    return []


def _fits(value: Any, named: str) -> bool:
    if named == "integer" and isinstance(value, str):
        return value.lstrip("-").isdigit()  # `pulumi config set` writes numbers as text
    if named == "boolean" and isinstance(value, str):
        return value in ("true", "false")
    if isinstance(value, bool):
        return named == "boolean"
    return isinstance(value, _TYPES[named])
