"""Loads policies from folders, and tells of each file that brought none: checkov passes over such files in silence."""

import functools
import importlib.util
import sys
from pathlib import Path
from typing import Any

import yaml
from checkov.common.bridgecrew.check_type import CheckType
from checkov.common.checks_infra.registry import get_graph_checks_registry
from checkov.terraform.checks.resource.registry import resource_registry

PYTHON = (".py",)
DATA = (".yaml", ".yml")


@functools.cache
def built_in() -> frozenset[str]:
    """The ids of checkov's own checks, as long as nothing else was loaded."""
    _graph_checks().load_checks()
    return frozenset(_registered())


def load(folders: list[str]) -> tuple[set[str], list[str]]:
    """The ids that the folders' files registered, and what is wrong with the files."""
    added: set[str] = set()
    problems: list[str] = []
    for folder in folders:
        here, wrong = _load_folder(Path(folder))
        added |= here
        problems += wrong
    return added, problems


@functools.cache
def _load_folder(folder: Path) -> tuple[frozenset[str], tuple[str, ...]]:
    """Once a process: what is registered stays so."""
    here: set[str] = set()
    problems: list[str] = []
    for file in _files(folder):
        before = _registered()
        reason = _load(file)
        new = _registered() - before
        here |= new
        if reason:
            problems.append(f"the policy file {file} {reason}")
        elif not new:
            problems.append(f"the policy file {file} registers no check (or one whose id exists already)")
    if not here:
        problems.append(f"the policy folder {folder} has no policy in it")
    return frozenset(here), tuple(problems)


def _files(folder: Path) -> list[Path]:
    """The policies of a folder; a file that begins with an underscore is for the others to import."""
    if not folder.is_dir():
        return []
    return sorted(f for f in folder.rglob("*") if f.suffix in (*PYTHON, *DATA) and not f.name.startswith("_"))


def _load(file: Path) -> str | None:
    try:
        return _load_python(file) if file.suffix in PYTHON else _load_data(file)
    except Exception as error:  # noqa: BLE001 # a policy is anybody's code: whatever it raises is told
        return f"does not load: {type(error).__name__}: {error}"


def _load_python(file: Path) -> None:
    """Import a policy under a name of its own, with its folder to import from."""
    if str(file.parent) not in sys.path:
        sys.path.append(str(file.parent))
    spec = importlib.util.spec_from_file_location(f"policy_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    spec.loader.exec_module(importlib.util.module_from_spec(spec))


def _load_data(file: Path) -> str | None:
    """A policy in YAML, by checkov's own parser."""
    raw = yaml.safe_load(file.read_text(encoding="utf-8"))
    registry = _graph_checks()
    if not isinstance(raw, dict) or not registry.parser.validate_check_config(str(file), raw):
        return "is no policy: it needs metadata (id, name, category) and a definition"
    check = registry.parser.parse_raw_check(raw, resources_types=None, check_path=str(file))
    if check.id not in {one.id for one in registry.checks}:
        registry.checks.append(check)
    return None


def _graph_checks() -> Any:
    return get_graph_checks_registry(CheckType.TERRAFORM)


def _registered() -> set[str]:
    """The ids of all checks that are there to be run."""
    by_type = (*resource_registry.checks.values(), *resource_registry.wildcard_checks.values())
    return {check.id for checks in by_type for check in checks} | {check.id for check in _graph_checks().checks}
