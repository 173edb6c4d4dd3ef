"""How journeys that end well, differ or break are told; the world is only what the runner itself uses."""

from typing import Any, cast

import pytest

from rehearsal.journeys import running
from rehearsal.journeys.model import Journey, MismatchError, Person
from rehearsal.journeys.running import run
from rehearsal.journeys.world import World


class Silent:
    """A world in which nothing was compared and nothing logged."""

    def last(self, person: Person) -> tuple[str, dict[str, Any], dict[str, Any]]:
        return "the last step", {"x": 1}, {"x": 1}

    def evidence(self, person: Person) -> tuple[str, ...]:
        return ("a log line",)


def _differs(world: World, person: Person) -> None:
    raise MismatchError("a step", {"access": True}, {"access": False})


def _breaks(world: World, person: Person) -> None:
    raise ValueError("no such customer")


STORIES = (
    Journey(name="well", title="ends well", story=lambda world, person: None),
    Journey(name="differs", title="ends otherwise", story=_differs),
    Journey(name="breaks", title="does not end", story=_breaks, alone=True),
)


def test_only_a_story_that_ends_as_expected_passes():
    results = run(STORIES, cast("World", Silent()), lambda ended: None)
    assert [(result.name, result.passed) for result in results] == [
        ("well", True),
        ("differs", False),
        ("breaks", False),
    ]


def test_a_difference_is_told_with_its_step_and_evidence():
    (result,) = run(STORIES[1:2], cast("World", Silent()), lambda ended: None)
    assert (result.step, result.expected, result.actual) == ("a step", {"access": True}, {"access": False})
    assert result.evidence == ("a log line",)


def test_a_story_that_breaks_fails_with_its_error_and_the_others_still_run():
    told: list[str] = []
    results = run(STORIES, cast("World", Silent()), lambda ended: told.append(ended.name))
    assert results[2].evidence[0] == "ValueError: no such customer"
    assert sorted(told) == ["breaks", "differs", "well"]


def test_stories_that_wait_begin_first_and_those_of_their_own_come_last(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(running, "WORKERS", 1)
    begun: list[str] = []
    stories = [
        Journey(name=name, title=name, story=lambda _, person: begun.append(person.name), **more)
        for name, more in (("short", {}), ("alone", {"alone": True}), ("other", {}), ("waits", {"long": True}))
    ]
    results = run(stories, cast("World", Silent()), lambda ended: None)
    assert begun == ["waits", "short", "other", "alone"]
    assert [result.name for result in results] == ["short", "alone", "other", "waits"]
