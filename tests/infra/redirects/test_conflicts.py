import pytest

from tests.infra.redirects.zone import DOMAIN, faults, parsed

ELSEWHERE = "https://elsewhere.example/"


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["/a,/x", "/a,/y"], ["3: tide.example/a; line 2 has the same from. Keep one of the two."]),
        (["/a,/x", "tide.example/a,/x"], ["3: tide.example/a; line 2 has the same from. Keep one of the two."]),
        (["/a/*,/x", "/a/*,/y"], ["3: tide.example/a/*; line 2 has the same from. Keep one of the two."]),
        (
            ["/a/*,/x", "/a/b,/y"],
            ["3: tide.example/a/b; line 2, tide.example/a/*, takes it first. Move it above line 2, or remove it."],
        ),
        (
            ["/a/*,/x", "/a/b/c/*,/y"],
            ["3: tide.example/a/b/c/*; line 2, tide.example/a/*, takes it first. Move it above line 2, or remove it."],
        ),
    ],
)
def test_repeats_and_lines_that_are_never_reached(lines: list[str], told: list[str]) -> None:
    assert faults(*lines) == told


@pytest.mark.parametrize(
    "lines",
    [
        ["/a/b,/y", "/a/*,/x"],
        ["/a/b/*,/y", "/a/*,/x"],
        ["/a,/x", "/a/,/x", "/a/*,/y"],
        ["/A,/x", "/a,/y"],
        ["/a,/x", "app.tide.example/a,/y"],
        ["/a/*,/x", "/ab,/y"],
        ["/a/*,/x/*", "/a,/x"],
        ["/a,/b?next=/a"],
        ["/a,https://elsewhere.example/a", "/b,https://elsewhere.example/a"],
        ["/en/*,/*"],
        ["/en/*,/*", "app.tide.example/x,/y"],
    ],
)
def test_lines_that_stand_well_beside_one_another(lines: list[str]) -> None:
    assert faults(*lines) == []


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["/a,/b", "/b,/c"], ["2: line 3 leads on; Lead to https://tide.example/c at once."]),
        (
            ["/a,/b", "/b,/c", "/c,/d?x"],
            [
                "2: line 3 leads on; Lead to https://tide.example/d?x at once.",
                "3: line 4 leads on; Lead to https://tide.example/d?x at once.",
            ],
        ),
        (["/a,/b?x=1", f"/b,{ELSEWHERE}"], [f"2: line 3 leads on; Lead to {ELSEWHERE} at once."]),
        (["/a,/b/c", "/b/*,/d/*"], ["2: line 3 leads on; Lead to https://tide.example/d/c at once."]),
        (["/a/*,/b/*", "/b/*,/c/*"], ["2: line 3 leads on; Lead to https://tide.example/c/* at once."]),
        (["/a/*,/b/c/*", "/b/*,/d/*"], ["2: line 3 leads on; Lead to https://tide.example/d/c/* at once."]),
        (["/a/*,/b/c/*", "/b/*,/d"], ["2: line 3 leads on; Lead to https://tide.example/d at once."]),
        (
            ["/a,https://app.tide.example/b", f"app.tide.example/b,{ELSEWHERE}"],
            [f"2: line 3 leads on; Lead to {ELSEWHERE} at once."],
        ),
    ],
)
def test_a_chain_is_told_with_where_it_ends(lines: list[str], told: list[str]) -> None:
    shown = []
    for fault in parsed(*lines).faults:
        assert fault.limit.endswith("leads on from there, and one visit is one redirect")
        shown.append(f"{fault.line}: {fault.limit.partition(' from there')[0]}; {fault.remedy}")
    assert shown == told


def test_a_chain_of_some_of_what_is_below_is_told_with_an_example_and_the_line_to_add() -> None:
    [found] = parsed("/blog/*,/news/*", "/news/old,/news/new").faults
    assert (found.line, found.value) == (2, "tide.example/blog/* → https://tide.example/news/*")
    assert found.limit == "it leads tide.example/blog/old to tide.example/news/old, from where line 3 leads on"
    assert found.remedy == "Above this line, lead tide.example/blog/old to https://tide.example/news/new at once."


@pytest.mark.parametrize("added", ["/blog/old,/news/new", "/blog/old,https://elsewhere.example/"])
def test_the_line_that_the_remedy_asks_for_cures_it(added: str) -> None:
    assert faults(added, "/blog/*,/news/*", "/news/old,/news/new") == []


def test_a_directory_of_the_target_may_be_taken_by_a_narrower_line_as_a_whole() -> None:
    lines = ["/blog/2019/*,/archive/*", "/blog/*,/news/*", "/news/2019/*,/archive/*"]
    assert faults(*lines) == []
    assert len(faults(*lines[1:])) == 1


@pytest.mark.parametrize(
    ("lines", "limits"),
    [
        (["/a,/a"], ["it leads to itself"]),
        (["/a/*,/a/b/*"], ["it leads to itself"]),
        (["/a/*,/a/*"], ["it leads to itself"]),
        (["/a/*,/a/b"], ["it leads to itself"]),
        (["/a,/b", "/b,/a"], ["it is a loop, with line 3", "it is a loop, with line 2"]),
        (["/a/*,/b/*", "/b/*,/a/*"], ["it is a loop, with line 3", "it is a loop, with line 2"]),
        (
            ["/a,/b", "/b,/c", "/c,/b"],
            ["it is a loop, with lines 3, 4", "it is a loop, with line 4", "it is a loop, with line 3"],
        ),
    ],
)
def test_a_loop_is_told_at_each_of_its_lines(lines: list[str], limits: list[str]) -> None:
    assert [fault.limit for fault in parsed(*lines).faults] == limits


def test_a_chain_longer_than_browsers_follow_is_told_as_such() -> None:
    first = parsed(*(f"/{at},/{at + 1}" for at in range(30))).faults[0]
    assert first.limit == "line 3 leads on from there, and browsers give up after 20 redirects in a row"


DEEP = "/".join("abcdefghijklmn")


@pytest.mark.parametrize(
    ("lines", "wrong"),
    [
        ([f"/old/{at},/new/{at}" for at in range(10_000)], 0),
        ([f"/{at},/{at + 1}" for at in range(10_000)], 9_999),
        ([f"/{DEEP}/{at}/*,/new/{at}/*" for at in range(10_000)], 0),
        ([*(f"/p{at}/*,/news/*" for at in range(5_000)), *(f"/news/{at},/n" for at in range(5_000))], 5_000),
        (
            [
                *(line for at in range(3_000) for line in (f"/p{at}/x/*,{ELSEWHERE}", f"/p{at}/*,/news/*")),
                *(f"/news/x/{at},/n" for at in range(4_000)),
            ],
            0,
        ),
        (["/a,/b"] * 10_000, 9_999),
    ],
    ids=["plain", "one chain", "deep", "all into one directory", "all but one directory", "one line"],
)
def test_ten_thousand_lines_are_judged_at_once(lines: list[str], wrong: int) -> None:
    assert len(parsed(*lines).faults) == wrong


def test_faults_stand_in_the_order_of_the_file() -> None:
    lines = [fault.line for fault in parsed("/b,/c", "/c,/d", "x", "/e,/f,999", "/b,/x").faults]
    assert lines == sorted(lines)
    assert len(lines) == 4
    assert DOMAIN in str(parsed("/b,/c", "/c,/d").faults[0].value)
