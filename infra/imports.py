"""Which files a module needs: its imports, and theirs, read from the sources without running them."""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

FIRST_PARTY = "handlers"
# What AWS installs beside the interpreter in its Python runtimes, and nothing else.
RUNTIME_PACKAGES = frozenset({"boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3"})


class BundleError(Exception):
    """The bundle cannot be built; the message says which module and what to do."""


def closure(root: Path, module: str) -> list[Path]:
    """The files below `root` that importing `module` may load, sorted; packages above a module included.

    Imports inside functions count; those under `if TYPE_CHECKING:` do not. BundleError names a module that is
    missing, or one that neither this project nor the Lambda runtime has.
    """
    if _file(root, module) is None:
        raise BundleError(f"the entrypoint {module} does not exist: expected {module.replace('.', '/')}.py in {root}")
    found: dict[str, Path] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        for part in _with_packages(name):
            path = _file(root, part)
            if path is None or part in found:
                continue
            found[part] = path
            waiting.extend(_first_party_imports(root, part, path))
    return sorted(found.values())


def _first_party_imports(root: Path, module: str, path: Path) -> Iterator[str]:
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for line, name, is_module in _imports(path.read_bytes(), str(path), package):
        top = name.partition(".")[0]
        where = f"{path.relative_to(root)}:{line}"
        if top == FIRST_PARTY:
            if _file(root, name) is not None:
                yield name
            elif is_module:
                raise BundleError(f"{where} imports {name}, which does not exist")
        elif top not in sys.stdlib_module_names and top not in RUNTIME_PACKAGES:
            raise BundleError(
                f"{where} imports {name}, which the Lambda runtime does not have "
                f"(it has the standard library and {', '.join(sorted(RUNTIME_PACKAGES))})"
            )


@cache  # the functions share most modules, and parsing them is most of the time that bundles take
def _imports(source: bytes, file: str, package: str) -> tuple[tuple[int, str, bool], ...]:
    """Line and absolute name of everything that a file's `source` imports, and whether it must be a module.

    `from a import b` gives a, which must be one, and a.b, which may be. `package` is what relative imports begin at.
    """
    return tuple(_read_imports(ast.parse(source, file), package))


def _read_imports(tree: ast.Module, package: str) -> Iterator[tuple[int, str, bool]]:
    for node in _outside_type_checking(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, True) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = _origin(node, package)
            yield node.lineno, origin, True
            if origin.partition(".")[0] == FIRST_PARTY:
                yield from ((node.lineno, f"{origin}.{alias.name}", False) for alias in node.names)


def _outside_type_checking(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            for other in child.orelse:
                yield other
                yield from _outside_type_checking(other)
            continue
        yield child
        yield from _outside_type_checking(child)


def _origin(node: ast.ImportFrom, package: str) -> str:
    """The absolute name of the module behind `from`."""
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    above = parts[: len(parts) - (node.level - 1)]
    return ".".join([*above, *([node.module] if node.module else [])])


def _with_packages(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts) + 1)]


def _file(root: Path, module: str) -> Path | None:
    stem = root.joinpath(*module.split("."))
    for candidate in (stem.with_name(f"{stem.name}.py"), stem / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None
