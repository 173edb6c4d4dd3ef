import hashlib
import io
import marshal
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from infra import bundle
from infra.imports import BundleError, closure

ROOT = Path(__file__).resolve().parents[2]
RUNNING = f"python{sys.version_info.major}.{sys.version_info.minor}"
ENTRYPOINT = "handlers.entrypoints.hook"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose entrypoint needs some of its modules and not others."""
    write(tmp_path, "handlers/__init__.py", "")
    write(tmp_path, "handlers/core/__init__.py", "")
    write(tmp_path, "handlers/core/words.py", "KINDS = frozenset({'a', 'b', 'c', 'd'})\nTEN = (10, 'ten', 1.5, b'x')\n")
    write(tmp_path, "handlers/core/unused.py", "import stripe\n")
    write(tmp_path, "handlers/core/late.py", "NOW = 1\n")
    write(tmp_path, "handlers/entrypoints/__init__.py", "")
    write(
        tmp_path,
        "handlers/entrypoints/hook.py",
        "import json\nfrom handlers.core.words import KINDS\n\n\n"
        "def handler(event, context):\n    from handlers.core import late\n\n"
        "    return {'x': event in {'a', 'b'}, 'k': sorted(KINDS), 'n': late.NOW, 'j': json.dumps(1)}\n",
    )
    return tmp_path


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def names(root: Path, entrypoint: str = ENTRYPOINT) -> list[str]:
    return [path.relative_to(root).as_posix() for path in closure(root, entrypoint)]


def digest_in_fresh_process(root: Path, seed: str) -> str:
    code = (
        "import hashlib, pathlib, sys\nfrom infra import bundle\n"
        f"print(hashlib.sha256(bundle.archive(pathlib.Path(sys.argv[1]), {ENTRYPOINT!r})).hexdigest())"
    )
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    run = subprocess.run(
        [sys.executable, "-c", code, str(root)], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return run.stdout.strip()


def test_fresh_processes_with_different_hash_seeds_write_the_same_bytes(project: Path) -> None:
    digests = {digest_in_fresh_process(project, seed) for seed in ("0", "1", "4242")}
    digests.add(hashlib.sha256(bundle.archive(project, ENTRYPOINT)).hexdigest())
    assert len(digests) == 1


def test_times_modes_and_place_of_the_sources_do_not_matter(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("elsewhere")
    for path in project.rglob("*.py"):
        write(other, path.relative_to(project).as_posix(), path.read_text(encoding="utf-8"))
        (other / path.relative_to(project)).chmod(0o600)
    os.utime(other / "handlers/core/words.py", (1, 1))
    assert bundle.archive(other, ENTRYPOINT) == bundle.archive(project, ENTRYPOINT)


def test_only_what_the_entrypoint_imports_is_in_late_imports_included(project: Path) -> None:
    assert names(project) == [
        "handlers/__init__.py",
        "handlers/core/__init__.py",
        "handlers/core/late.py",
        "handlers/core/words.py",
        "handlers/entrypoints/__init__.py",
        "handlers/entrypoints/hook.py",
    ]


def test_relative_imports_are_followed(project: Path) -> None:
    write(project, "handlers/entrypoints/hook.py", "from ..core import words\nfrom . import near\n")
    write(project, "handlers/entrypoints/near.py", "")
    assert "handlers/core/words.py" in names(project)
    assert "handlers/entrypoints/near.py" in names(project)


def test_what_only_type_checkers_import_is_left_out(project: Path) -> None:
    write(
        project,
        "handlers/entrypoints/hook.py",
        "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    import stripe\n"
        "    from handlers.core import late\n",
    )
    assert "handlers/core/late.py" not in names(project)


def test_import_cycles_end(project: Path) -> None:
    write(project, "handlers/core/late.py", "from handlers.entrypoints import hook\n")
    assert names(project).count("handlers/core/late.py") == 1


@pytest.mark.parametrize("package", ["boto3", "botocore.config", "urllib3", "json", "dateutil.tz"])
def test_what_the_runtime_brings_may_be_imported(project: Path, package: str) -> None:
    write(project, "handlers/core/words.py", f"import {package}\nKINDS = ()\n")
    assert "handlers/core/words.py" in names(project)


@pytest.mark.parametrize("line", ["import stripe", "from pydantic import BaseModel", "import infra.settings"])
def test_an_import_that_the_runtime_does_not_have_is_refused_with_its_line(project: Path, line: str) -> None:
    write(project, "handlers/core/words.py", f"KINDS = ()\n{line}\n")
    with pytest.raises(BundleError, match=r"handlers/core/words\.py:2 imports (stripe|pydantic|infra)"):
        bundle.archive(project, ENTRYPOINT)


def test_a_module_of_ours_that_is_missing_is_refused(project: Path) -> None:
    write(project, "handlers/core/words.py", "import handlers.core.gone\n")
    with pytest.raises(BundleError, match=r"words\.py:1 imports handlers\.core\.gone, which does not exist"):
        bundle.archive(project, ENTRYPOINT)


def test_a_missing_entrypoint_is_refused_with_the_file_that_was_expected(project: Path) -> None:
    with pytest.raises(
        BundleError, match=r"handlers\.entrypoints\.gone does not exist: expected handlers/entrypoints/gone"
    ):
        bundle.build(project, "handlers.entrypoints.gone", "gone", runtime=RUNNING)


def test_another_interpreter_than_the_declared_runtime_is_refused(project: Path) -> None:
    with pytest.raises(BundleError, match=rf"run on python3\.99 and this is cpython {RUNNING}"):
        bundle.build(project, ENTRYPOINT, "hook", runtime="python3.99")
    assert not (project / ".build").exists()


def test_the_file_is_written_only_when_its_bytes_differ(project: Path) -> None:
    path = project / bundle.build(project, ENTRYPOINT, "hook", runtime=RUNNING)
    os.utime(path, (1000, 1000))
    bundle.build(project, ENTRYPOINT, "hook", runtime=RUNNING)
    assert path.stat().st_mtime == 1000
    write(project, "handlers/core/late.py", "NOW = 2\n")
    bundle.build(project, ENTRYPOINT, "hook", runtime=RUNNING)
    assert path.stat().st_mtime != 1000
    assert [entry.name for entry in path.parent.iterdir()] == ["hook.zip"]


def test_the_path_is_relative_so_that_the_state_is_the_same_on_every_machine(project: Path) -> None:
    assert bundle.build(project, ENTRYPOINT, "hook", runtime=RUNNING) == Path(".build/hook.zip")


def unpacked(project: Path, task: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(bundle.archive(project, ENTRYPOINT))) as zipped:
        zipped.extractall(task)
    return task


def test_python_runs_the_shipped_bytecode_without_looking_at_the_sources(project: Path, tmp_path: Path) -> None:
    task = unpacked(project, tmp_path / "task")
    for source in task.rglob("*.py"):
        source.write_text("not python (", encoding="utf-8")
    code = f"from {ENTRYPOINT} import handler\nprint(handler('a', None))"
    run = subprocess.run([sys.executable, "-c", code], cwd=task, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "{'x': True, 'k': ['a', 'b', 'c', 'd'], 'n': 1, 'j': '1'}"


def test_the_bytecode_names_the_task_root_and_not_this_machine(project: Path, tmp_path: Path) -> None:
    task = unpacked(project, tmp_path / "task")
    [cached] = task.glob("handlers/entrypoints/__pycache__/hook.*.pyc")
    code = marshal.loads(cached.read_bytes()[16:])
    assert code.co_filename == "/var/task/handlers/entrypoints/hook.py"
    assert str(project).encode() not in cached.read_bytes()
