"""Loads policies from folders, and tells of each file that brought none: checkov passes over such files in silence."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import yaml

PYTHON = (".py",)
DATA = (".yaml", ".yml")


def registered(resource_registry: Any, graph_registry: Any) -> set[str]:
    """The ids of all checks that are there to be run."""
    by_type = (*resource_registry.checks.values(), *resource_registry.wildcard_checks.values())
    return {check.id for checks in by_type for check in checks} | {check.id for check in graph_registry.checks}


def load(folders: list[str], resource_registry: Any, graph_registry: Any) -> tuple[set[str], list[str]]:
    """The ids that the folders' files registered, and what is wrong with the files."""
    added: set[str] = set()
    problems: list[str] = []
    for folder in folders:
        here: set[str] = set()
        for file in _files(Path(folder)):
            before = registered(resource_registry, graph_registry)
            reason = _load(file, graph_registry)
            new = registered(resource_registry, graph_registry) - before
            here |= new
            if reason:
                problems.append(f"the policy file {file} {reason}")
            elif not new:
                problems.append(f"the policy file {file} registers no check (or one whose id exists already)")
        if not here:
            problems.append(f"the policy folder {folder} has no policy in it")
        added |= here
    return added, problems


def _files(folder: Path) -> list[Path]:
    """The policies of a folder; a file that begins with an underscore is for the others to import."""
    if not folder.is_dir():
        return []
    return sorted(f for f in folder.rglob("*") if f.suffix in (*PYTHON, *DATA) and not f.name.startswith("_"))


def _load(file: Path, graph_registry: Any) -> str | None:
    try:
        return _load_python(file) if file.suffix in PYTHON else _load_data(file, graph_registry)
    except Exception as error:  # noqa: BLE001 # a policy is anybody's code: whatever it raises is told
        return f"does not load: {type(error).__name__}: {error}"


def _load_python(file: Path) -> None:
    """Import a policy under its own name, with its folder to import from."""
    if str(file.parent) not in sys.path:
        sys.path.append(str(file.parent))
    spec = importlib.util.spec_from_file_location(f"policy_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    spec.loader.exec_module(importlib.util.module_from_spec(spec))


def _load_data(file: Path, graph_registry: Any) -> str | None:
    """A policy in YAML, by checkov's own parser."""
    raw = yaml.safe_load(file.read_text(encoding="utf-8"))
    if not isinstance(raw, dict) or not graph_registry.parser.validate_check_config(str(file), raw):
        return "is no policy: it needs metadata (id, name, category) and a definition"
    check = graph_registry.parser.parse_raw_check(raw, resources_types=None, check_path=str(file))
    if check.id not in {one.id for one in graph_registry.checks}:
        graph_registry.checks.append(check)
    return None
