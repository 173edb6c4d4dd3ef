"""Where a finding lands: on the declaration's own line, or on that of whoever asked a factory for it."""

from pathlib import Path

import pytest

from checks.policy.lines import Lines, Place

FILE = """\
def factory(name, *, kind="x"):
    label = f"{name}-{kind}"
    return Queue(
        label,
        kind=kind,
    )


def fixed():
    for name in ("a", "b"):
        Queue(name)


class Group(Component):
    def __init__(self, name):
        Queue(name)  # checkov:skip=CKV_A_1,CKV_A_2: both
        self.made = self._make(f"{name}-dead")

    def _make(self, resource):
        return Queue(resource)


# checkov:skip=CKV_A_3:above
factory(
    "one",
)
text = "# checkov:skip=CKV_A_4:no comment"
fixed()
Group("group")
# bridgecrew:skip=CKV_A_11

factory("two")
"""


@pytest.fixture
def lines(tmp_path: Path) -> Lines:
    (tmp_path / "a.py").write_text(FILE, encoding="utf-8")
    return Lines(tmp_path)


def place(lines: Lines, *way: int) -> Place:
    return lines.place({"source": f"a.py:{way[0]}", "sources": [f"a.py:{line}" for line in way]})


@pytest.mark.parametrize(
    ("way", "start", "end"),
    [
        ((3, 24), 24, 26),  # the factory's caller, with the statement's every line
        ((3, 32), 32, 32),
        ((11, 28), 11, 11),  # a loop over names of its own is where they are declared
        ((16, 29), 16, 16),  # a component's constructor decides what it consists of
        ((20, 17, 29), 17, 17),  # a method of it that is given the name does not
        ((28,), 28, 28),
    ],
)
def test_the_line(lines: Lines, way: tuple[int, ...], start: int, end: int) -> None:
    found = place(lines, *way)
    assert (found.start, found.end) == (start, end)
    assert [number for number, _ in found.code] == list(range(start, end + 1))
    assert {found.start, *(line for _, line in found.way)} >= set(way) - {start}


@pytest.mark.parametrize(
    ("way", "skips"),
    [
        ((16, 29), {"CKV_A_1": "both", "CKV_A_2": "both"}),
        ((3, 24), {"CKV_A_3": "above"}),
        ((3, 32), {}),  # a blank line ends what a comment is about
        ((27,), {}),  # a text is no comment
    ],
)
def test_the_comments(lines: Lines, way: tuple[int, ...], skips: dict[str, str]) -> None:
    assert place(lines, *way).skips == skips


def test_a_file_that_is_not_here_is_named_with_the_line_that_was_told(lines: Lines) -> None:
    found = lines.place({"source": "infra/b.py:7", "sources": ["infra/b.py:7", "a.py:28"]})
    assert (found.file, found.start, found.end, found.code, found.way) == ("infra/b.py", 7, 7, (), (("a.py", 28),))


def test_a_graph_without_the_way_back_has_its_source(lines: Lines) -> None:
    assert lines.place({"source": "a.py:28"}).start == 28
    assert lines.place({"source": "unknown"}).file == "unknown"
