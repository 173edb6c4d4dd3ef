"""The plain configuration of another stack of this project, as the engine would hand it over.

Two stacks on one zone must know of one another before either is deployed: a reference to the other's outputs would
show its hosts only after an `up`, and each of the two would wait for the other (docs/adr/0010-tenants.md).
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import yaml

PROJECT_ROOT = Path(__file__).resolve().parent.parent
_BOOLEAN = "tag:yaml.org,2002:bool"
_DATE = "tag:yaml.org,2002:timestamp"


class OtherStacks(Protocol):
    """The configuration of the project's other stacks: namespaced key to text, JSON for what is not text."""

    def names(self) -> Sequence[str]:
        """Every stack that there is, in a fixed order."""
        ...

    def of(self, name: str) -> Mapping[str, str]:
        """One stack's. Raises StackFileError."""
        ...


class StackFileError(Exception):
    """The file of another stack is missing, or is none; the text says which and why."""


class _EngineYaml(yaml.SafeLoader):
    """YAML as the engine reads it (Go's yaml.v3): only true and false are booleans; on, yes and dates are texts."""

    yaml_implicit_resolvers = {  # noqa: RUF012 # that of the class above is no ClassVar either
        first: [(tag, pattern) for tag, pattern in resolvers if tag not in (_BOOLEAN, _DATE)]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


_EngineYaml.add_implicit_resolver(_BOOLEAN, re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))


@dataclass(frozen=True)
class StackFiles:
    """The stack files beside `Pulumi.yaml`. Encrypted values are left out: what one stack asks is never secret."""

    root: Path = PROJECT_ROOT

    def names(self) -> Sequence[str]:
        """See OtherStacks."""
        found = sorted(self.root.glob("Pulumi.*.yaml"))
        return [path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in found]

    def of(self, name: str) -> dict[str, str]:
        """See OtherStacks."""
        config = _read(self.root / f"Pulumi.{name}.yaml").get("config")
        if not isinstance(config, dict):
            raise StackFileError(f"Pulumi.{name}.yaml has no `config` mapping")
        return {str(key): _text(value) for key, value in config.items() if not _is_sealed(value)}


@dataclass(frozen=True)
class OfProject:
    """Other stacks with the keys of one project alone, without its name."""

    project: str
    others: OtherStacks

    def names(self) -> Sequence[str]:
        """See OtherStacks."""
        return self.others.names()

    def of(self, name: str) -> Mapping[str, str]:
        """See OtherStacks."""
        return of_namespace(self.others.of(name), self.project)


def of_namespace(raw: Mapping[str, str], project: str) -> dict[str, str]:
    """The keys of `project`, without its name."""
    return {key.removeprefix(f"{project}:"): text for key, text in raw.items() if key.startswith(f"{project}:")}


def defaults(root: Path = PROJECT_ROOT) -> dict[str, str]:
    """What `Pulumi.yaml` gives every stack that says nothing else: namespaced key to text. Raises StackFileError."""
    declared = _read(root / "Pulumi.yaml").get("config") or {}
    return {key: _text(entry["default"]) for key, entry in declared.items() if "default" in entry}


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _EngineYaml)  # noqa: S506 # it is a SafeLoader
    except FileNotFoundError:
        raise StackFileError(f"{path.name} does not exist") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise StackFileError(f"{path.name} cannot be read: {error}") from None
    if not isinstance(content, dict):
        raise StackFileError(f"{path.name} holds no mapping")
    return content


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _is_sealed(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {"secure"}
