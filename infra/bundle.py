"""The zip of one function: reproducible, and with only the modules that its entrypoint imports.

Same sources and same interpreter, same bytes: entries are sorted and have fixed times and modes, and the shipped
bytecode is written so that it does not depend on the process that made it. Bytecode is shipped because compiling at
start-up makes a cold start 2.7 times slower; it is unchecked (PEP 552), since nobody edits sources in /var/task.
"""

import importlib.util
import io
import marshal
import sys
import tempfile
import zipfile
from functools import cache
from pathlib import Path
from types import CodeType

from infra.imports import BundleError, closure

BUILD_DIR = ".build"
TASK_ROOT = "/var/task"  # where Lambda unpacks the zip; tracebacks name files below it
_UNCHECKED_HASH = 0b01  # PEP 552: hash-based, source not checked
# Version 3 and later write references to objects seen before, which depends on how many references the compiling
# process happened to hold. Version 2 writes every object out, and every Python since 2.5 reads it.
_MARSHAL_VERSION = 2
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can name
_FILE_MODE = 0o100644


def build(root: Path, entrypoint: str, name: str, *, runtime: str) -> Path:
    """Write the bundle of the module `entrypoint` to `.build/<name>.zip` and return that path, relative to `root`.

    The file is replaced only when its bytes change. BundleError says what cannot be bundled, or that the running
    interpreter is not `runtime` ("python3.11"), whose bytecode the zip would hold.
    """
    refuse_other_interpreter(runtime)
    path = Path(BUILD_DIR) / f"{name}.zip"
    _replace_if_different(root / path, archive(root, entrypoint))
    return path


def archive(root: Path, entrypoint: str) -> bytes:
    """The zip's bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        for member, content in sorted(_members(root, entrypoint).items()):
            zipped.writestr(_entry(member), content)
    return buffer.getvalue()


def refuse_other_interpreter(runtime: str) -> None:
    """BundleError unless this is CPython of the version that `runtime` names."""
    running = f"python{sys.version_info.major}.{sys.version_info.minor}"
    if sys.implementation.name != "cpython" or running != runtime:
        raise BundleError(
            f"the functions run on {runtime} and this is {sys.implementation.name} {running}: its bytecode would not "
            f"load there. Run the program with {runtime}, or set lambdaRuntime"
        )


def _members(root: Path, entrypoint: str) -> dict[str, bytes]:
    members: dict[str, bytes] = {}
    for source in closure(root, entrypoint):
        relative = source.relative_to(root).as_posix()
        content = source.read_bytes()
        members[relative] = content
        members[_cached_name(relative)] = _bytecode(relative, content)
    return members


def _cached_name(relative: str) -> str:
    folder, _, file = relative.rpartition("/")
    return f"{folder}/__pycache__/{file.removesuffix('.py')}.{sys.implementation.cache_tag}.pyc"


@cache  # the functions share most modules
def _bytecode(relative: str, source: bytes) -> bytes:
    code: CodeType = compile(source, f"{TASK_ROOT}/{relative}", "exec", dont_inherit=True, optimize=0)
    header = importlib.util.MAGIC_NUMBER + _UNCHECKED_HASH.to_bytes(4, "little") + importlib.util.source_hash(source)
    return header + marshal.dumps(code, _MARSHAL_VERSION)


def _entry(member: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(member, _EPOCH)
    entry.create_system = 3  # Unix, wherever this runs: it decides how the mode is read
    entry.external_attr = _FILE_MODE << 16
    entry.compress_type = zipfile.ZIP_STORED  # zlib and zlib-ng compress the same bytes differently
    return entry


def _replace_if_different(path: Path, content: bytes) -> None:
    if path.is_file() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    # Several programs may build side by side: each sees the old file or the whole new one.
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f"{path.name}.", delete=False) as scratch:
        scratch.write(content)
    Path(scratch.name).chmod(0o644)
    Path(scratch.name).replace(path)
