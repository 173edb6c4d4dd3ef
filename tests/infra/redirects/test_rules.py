"""What the redirects become, followed by the edge's twin."""

import itertools
from collections.abc import Sequence
from typing import Any, cast
from urllib.parse import urlsplit

import octorules_wirefilter
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.redirects import bulk, single
from infra.redirects.addresses import Place
from infra.redirects.conflicts import Index, PathRedirect
from tests.infra.redirects.edge import by_list, by_rules
from tests.infra.redirects.zone import DOMAIN, NAMES, parsed

Line = tuple[str, str, str]
PATHS = st.lists(st.sampled_from(["a", "b", "a", "b", "A", "a%20b", "$1", "a,b"]), min_size=1, max_size=2).map(
    lambda parts: "/" + "/".join(parts)
)
SOURCES = st.tuples(st.sampled_from(["", "", f"app.{DOMAIN}"]), PATHS, st.sampled_from(["", "/", "/*"])).map("".join)
TARGETS = st.tuples(st.sampled_from(["", "", f"https://app.{DOMAIN}", "https://elsewhere.example"]), PATHS).map("".join)


@st.composite
def line(draw: st.DrawFn) -> Line:
    """A line that is right by itself."""
    source = draw(SOURCES)
    ends = ["/*", "/*", "", "/"] if source.endswith("/*") else ["", "/", "?own=1"]
    return source, draw(TARGETS).replace("$", "S") + draw(st.sampled_from(ends)), draw(st.sampled_from(["", "302"]))


LINES = st.lists(line(), max_size=10)


def accepted(lines: Sequence[Line]) -> tuple[PathRedirect, ...]:
    """The redirects of those lines that the file may hold together: what is told to be wrong is taken out."""
    kept = list(lines)
    while True:
        found = parsed(*(",".join(f'"{column}"' for column in line) for line in kept))
        if not found.faults:
            return found.redirects
        wrong = {fault.line - 2 for fault in found.faults}
        kept = [line for at, line in enumerate(kept) if at not in wrong]


def address(redirect: PathRedirect, index: Index) -> Place:
    """An address that this redirect takes."""
    source = redirect.source
    below = (Place(source.host, f"{source.path}page-{at}/x") for at in itertools.count())
    return next(place for place in below if index.acting_on(place) is redirect) if source.below else source


def leading_to(first: PathRedirect, second: PathRedirect) -> Place | None:
    """An address below the source of `first` that it leads to the source of `second`, were they alone.

    None where there is none, or where the address would have the source of `first` in it twice.
    """
    source, target, goal = first.source, first.target.place, second.source
    if not (target and target.below and target.covers(goal)) or source.covers(goal):
        return None
    return Place(source.host, source.path + goal.path[len(target.path) :] + ("x" if goal.below else ""))


def expressions(redirect: PathRedirect) -> list[str]:
    """The filter of its rule and, where it is computed, its target; the parser takes filters alone."""
    rule = cast("Any", single.old_path(redirect, NAMES))
    target = rule.action_parameters.from_value.target_url.expression
    return [rule.expression, *([f'{target} eq ""'] if target else [])]


@given(LINES)
def test_every_line_of_a_file_that_passes_leads_to_its_target_in_one_hop(lines: list[Line]) -> None:
    redirects = accepted(lines)
    index = Index(redirects)
    for redirect in redirects:
        place = address(redirect, index)
        wanted = (redirect.status, redirect.leads(place).url)
        assert by_rules(redirects, f"https://{place}") == wanted
        assert by_list(redirects, f"https://{place}") == wanted
        if urlsplit(wanted[1]).hostname in NAMES.proxied:
            assert by_rules(redirects, wanted[1]) is None
            assert by_list(redirects, wanted[1]) is None


@given(LINES)
def test_rules_and_list_lead_every_visitor_to_the_same_place(lines: list[Line]) -> None:
    redirects = accepted(lines)
    for redirect, place in itertools.product(redirects, ("", "a", "b/a")):
        url = f"https://{redirect.source.host}{redirect.source.path}{place}?keep=1"
        assert by_rules(redirects, url) == by_list(redirects, url)


@given(LINES)
def test_nobody_is_led_twice(lines: list[Line]) -> None:
    redirects = accepted(lines)
    for first, second in itertools.product(redirects, redirects):
        if (place := leading_to(first, second)) and (hop := by_rules(redirects, f"https://{place}")):
            assert urlsplit(hop[1]).hostname not in NAMES.proxied or by_rules(redirects, hop[1]) is None


@pytest.mark.parametrize(
    ("line", "url", "hop"),
    [
        ("/old,/new", "http://www.tide.example/old", (301, "https://tide.example/new")),
        ("/old,/new,307", "http://tide.example/old?a=1&b", (307, "https://tide.example/new?a=1&b")),
        ("/old,/new?x=1", "https://tide.example/old?a=1", (301, "https://tide.example/new?x=1")),
        ("/old,/new", "https://app.tide.example/old", None),
        ("app.tide.example/old,/new", "https://app.tide.example/old", (301, "https://app.tide.example/new")),
        ("app.tide.example/old,/new", "https://tide.example/old", None),
        ("/old,/new", "https://tide.example/old/", None),
        ("/old,/new", "https://tide.example/OLD", None),
        ("/old/*,/new/*", "https://tide.example/old", None),
        ("/old/*,/new/*", "https://tide.example/old/", (301, "https://tide.example/new/")),
        ("/old/*,/new/*", "https://tide.example/old/a/b?c", (301, "https://tide.example/new/a/b?c")),
        ("/old/*,/new", "https://tide.example/old/a/b?c", (301, "https://tide.example/new?c")),
        ("/en/*,/*", "https://tide.example/en/a", (301, "https://tide.example/a")),
        (
            "app.tide.example/*,https://elsewhere.example/*",
            "https://app.tide.example/",
            (301, "https://elsewhere.example/"),
        ),
        ("/old/*,/new/*", "https://tide.example/old/$1/*", (301, "https://tide.example/new/$1/*")),
    ],
)
def test_a_rule_of_the_zone_does_what_its_line_says(line: str, url: str, hop: tuple[int, str] | None) -> None:
    assert by_rules(parsed(line).redirects, url) == hop


def test_an_exact_line_wins_over_the_directory_that_it_is_in_whichever_form_it_takes() -> None:
    redirects = parsed("/a/,/index", "/a/b,/page", "/a/c/*,/deep/*", "/a/*,/rest/*").redirects
    led = {"/a/": "/index", "/a/b": "/page", "/a/c/d": "/deep/d", "/a/d": "/rest/d", "/a/b/": "/rest/b/"}
    for path, target in led.items():
        for follow in (by_rules, by_list):
            assert follow(redirects, f"https://tide.example{path}") == (301, f"https://tide.example{target}")


@given(LINES)
def test_a_list_holds_a_source_once(lines: list[Line]) -> None:
    sources = [str(bulk.entry(redirect).source_url) for redirect in accepted(lines)]
    assert len(set(sources)) == len(sources)


@given(LINES)
def test_cloudflares_own_parser_takes_every_rule(lines: list[Line]) -> None:
    for redirect in accepted(lines):
        for expression in expressions(redirect):
            assert "error" not in octorules_wirefilter.parse_expression(expression), expression


def test_the_longest_line_still_is_a_rule() -> None:
    [redirect] = parsed(f"/{'x' * 990}/*,/{'y' * 1990}/*").redirects
    assert all(len(expression) < 4096 for expression in expressions(redirect))
