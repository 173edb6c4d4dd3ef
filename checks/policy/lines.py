"""The Python lines that a finding of a resource points at, and the comments there that skip checks.

The graph has the way back from each declaration, innermost first. What declares a resource under a name that it was
given is a factory: its caller asked for the resource, so the finding lands on the caller's line. A constructor is none,
because what a component consists of is decided in the component.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

_SKIP = re.compile(r"(?:checkov|bridgecrew|cortex):skip=\s*([A-Za-z_\d-]+(?:,[A-Za-z_\d-]+)*)(?::\s*(.*))?")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_NAME_KEYWORD = "resource_name"


@dataclass(frozen=True)
class Place:
    """`file` is relative to the project's root, `start` to `end` the statement there, `skips` reasons by check id.

    `way` are the other lines between the declaration and the program's root.
    """

    file: str
    start: int
    end: int
    code: tuple[tuple[int, str], ...]
    skips: Mapping[str, str]
    way: tuple[tuple[str, int], ...]


class Lines:
    """Reads the files of one project, each once; without a root, lines are told and their text is not."""

    def __init__(self, root: Path | None) -> None:
        self._root = root
        self._files: dict[str, _File | None] = {}

    def place(self, entry: Mapping[str, Any]) -> Place:
        """Where the resource of a graph's entry was asked for."""
        way = [_split(source) for source in entry.get("sources") or [entry["source"]]]
        chosen = self._asked_for(way)
        file, line = way[chosen]
        source = self._file(file)
        start, end = source.statement(line) if source else (line, line)
        skips: dict[str, str] = {}
        for at_file, at_line in way[: chosen + 1]:  # a comment beside the declaration holds for all that it declares
            found = self._file(at_file)
            skips |= found.skips(at_line) if found else {}
        code = tuple(source.code(start, end)) if source else ()
        return Place(file, start, end, code, skips, tuple(one for one in way if one != way[chosen]))

    def _asked_for(self, way: list[tuple[str, int]]) -> int:
        for index, (file, line) in enumerate(way):
            source = self._file(file)
            if source is None or not source.in_factory(line):
                return index
        return len(way) - 1

    def _file(self, name: str) -> "_File | None":
        if name not in self._files:
            path = self._root / name if self._root else None
            self._files[name] = _File(path.read_text(encoding="utf-8")) if path and path.is_file() else None
        return self._files[name]


def _split(source: str) -> tuple[str, int]:
    file, _, line = source.rpartition(":")
    return (file, int(line)) if file else (source, 1)


class _File:
    def __init__(self, text: str) -> None:
        self._text = text
        self._lines = text.splitlines(keepends=True)

    @cached_property
    def _tree(self) -> ast.Module:
        return ast.parse(self._text)

    @cached_property
    def _comments(self) -> Mapping[int, str]:
        tokens = tokenize.generate_tokens(io.StringIO(self._text).readline)
        return {token.start[0]: token.string for token in tokens if token.type == tokenize.COMMENT}

    def code(self, start: int, end: int) -> Iterator[tuple[int, str]]:
        """The lines with their numbers."""
        return ((number, self._lines[number - 1]) for number in range(start, min(end, len(self._lines)) + 1))

    def statement(self, line: int) -> tuple[int, int]:
        """First and last line of the smallest statement around a line; of a loop or function, its first line alone."""
        around = [node for node in ast.walk(self._tree) if isinstance(node, ast.stmt) and _holds(node, line)]
        smallest = min(around, key=lambda node: (node.end_lineno or 0) - node.lineno, default=None)
        if smallest is None or hasattr(smallest, "body"):
            return line, line
        return smallest.lineno, smallest.end_lineno or smallest.lineno

    def skips(self, line: int) -> dict[str, str]:
        """Reasons by check id, of comments in the statement and on lines of their own right above it."""
        start, end = self.statement(line)
        while start - 1 in self._comments and self._lines[start - 2].lstrip().startswith("#"):
            start -= 1
        found = {}
        for number in range(start, end + 1):
            match = _SKIP.search(self._comments.get(number, ""))
            if match:
                reason = (match[2] or "").strip()
                found |= dict.fromkeys(match[1].split(","), reason)
        return found

    def in_factory(self, line: int) -> bool:
        """Whether a function that is no constructor declares here what it got the name of."""
        around = [node for node in ast.walk(self._tree) if isinstance(node, _FUNCTIONS) and _holds(node, line)]
        function = min(around, key=lambda node: (node.end_lineno or 0) - node.lineno, default=None)
        if function is None or function.name == "__init__":
            return False
        given = _given(function)
        calls = [node for node in ast.walk(function) if isinstance(node, ast.Call) and node.lineno == line]
        outermost = max(calls, key=lambda node: (node.end_lineno or 0, node.end_col_offset or 0), default=None)
        return outermost is not None and any(_names(argument) & given for argument in _naming(outermost))


def _holds(node: ast.stmt | ast.expr, line: int) -> bool:
    return node.lineno <= line <= (node.end_lineno or node.lineno)


def _naming(call: ast.Call) -> list[ast.expr]:
    """The argument that is a resource's name: the first, or the one of that name."""
    named = [keyword.value for keyword in call.keywords if keyword.arg == _NAME_KEYWORD]
    return named or call.args[:1]


def _given(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    """The parameters, and the variables that are made of them; what a loop runs over is the loop's own."""
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    given = {argument.arg for argument in every} - {"self", "cls"}
    assignments = [node for node in ast.walk(function) if isinstance(node, ast.Assign)]
    for assignment in sorted(assignments, key=lambda node: node.lineno):
        if _names(assignment.value) & given:
            given |= {name for target in assignment.targets for name in _names(target)}
    return given


def _names(expression: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(expression) if isinstance(node, ast.Name)}
