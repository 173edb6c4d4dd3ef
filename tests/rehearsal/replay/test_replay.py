"""A whole replay: a stack on its twins, the recorded events and some odd ones, in the mode that they have."""

import json
import warnings
from pathlib import Path
from typing import Any

import pytest

from rehearsal.errors import EventsError, ReportError
from rehearsal.replay.replay import Options, Outcome, replay
from tests.rehearsal.replay.conftest import StandIn, as_lines

with warnings.catch_warnings():
    # The SDKs announce, while they are imported, which resources were renamed; the program uses none of them.
    warnings.simplefilter("ignore", DeprecationWarning)
    import infra.program  # noqa: F401

PROJECT = Path(__file__).resolve().parents[3]
RECORDED = [json.loads(path.read_text()) for path in sorted((PROJECT / "tests/events").iterdir())]
LATE = 4_000_000_000


def odd(number: int, **more: Any) -> dict[str, Any]:
    return {**RECORDED[0], "id": f"evt_odd_{number}", "livemode": False, **more}


EVENTS = [
    *({**event, "id": f"evt_{number}", "livemode": False} for number, event in enumerate(RECORDED)),
    odd(1, livemode=True),
    odd(2, type="product.created"),
    odd(3, account="acct_1"),
    odd(4, created="yesterday"),
    odd(5, created=LATE),
    odd(6, id="evt_" + "long" * 100),
    odd(7, note="x" * 1_100_000),
]


def options(tmp_path: Path, text: str, **more: Any) -> Options:
    (tmp_path / "events.jsonl").write_text(text)
    return Options(project=PROJECT, stack="prod", events=str(tmp_path / "events.jsonl"), **more)


@pytest.fixture(scope="module")
def judge() -> StandIn:
    return StandIn()


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory, judge: StandIn) -> Outcome:
    folder = tmp_path_factory.mktemp("replay")
    text = as_lines(*EVENTS, EVENTS[0], {"object": "customer", "id": "cus_1"})
    chosen = options(
        folder, text, seed=3, repeat=2, now="2030-01-01", any_price="writer", json_file=folder / "new/out.json"
    )
    made = replay(chosen, judge)
    assert json.loads((folder / "new/out.json").read_text()) == made.document
    return made


def test_every_event_is_in_the_ledger_once_and_counted(outcome):
    counts = outcome.document["counts"]
    sent = len(EVENTS)
    assert outcome.as_hoped, outcome.document["lost"]
    assert counts["applied"] + counts["ignored"] + counts["parked"] == sent
    assert (counts["lost"], counts["after_now"], counts["repeated"], counts["not_events"]) == (0, 1, 1, 1)
    assert outcome.sent.requests == 2 * (sent + 1)


def test_the_stack_takes_the_mode_of_most_events(outcome):
    assert (outcome.document["livemode"], outcome.document["stack_livemode"]) == (False, True)
    assert {
        "reason": "livemode", "type": RECORDED[0]["type"], "count": 1, "events": ["evt_odd_1"],
    } in outcome.document["ignored"]  # fmt: skip


def test_what_tells_nothing_is_ignored_and_what_cannot_be_read_is_parked(outcome):
    ignored = [id_ for group in outcome.document["ignored"] for id_ in group["events"]]
    parked = [id_ for group in outcome.document["parked"] for id_ in group["events"]]
    assert "evt_odd_2" in ignored
    assert "evt_odd_4" in parked
    assert not {"evt_odd_5", "evt_odd_7"} & {*ignored, *parked}
    assert all(group["reason"] for group in outcome.document["parked"])


def test_the_judge_gets_the_table_the_events_and_the_deployed_policy(outcome, judge):
    asked = judge.asked
    assert [event["id"] for event in asked["events"]] == [event["id"] for event in EVENTS]
    assert {item["sk"]["S"] for item in asked["items"]} >= {"LEDGER", "MEMBER"}
    assert json.loads(asked["policy"])["grace_days"] == 7
    assert asked["identity"] is None or set(json.loads(asked["identity"])) == {"current", "previous"}
    assert (asked["now"], asked["level"]) == (1893456000, "writer")


@pytest.mark.parametrize(
    ("text", "more", "error", "said"),
    [
        ("", {}, EventsError, "holds no event"),
        ("{", {}, EventsError, "line 1, column 2"),
        (as_lines(EVENTS[0]), {"now": "later"}, EventsError, "--now later"),
        (as_lines(EVENTS[0]), {"any_price": "Gold"}, EventsError, "--any-price Gold: a level is"),
        (as_lines(EVENTS[0]), {"json_file": Path("/proc/out.json")}, ReportError, "--json"),
        (as_lines(EVENTS[0]), {"json_file": Path("/tmp")}, ReportError, "name another file"),
    ],
)
def test_what_is_wrong_is_told_before_anything_starts(tmp_path, judge, monkeypatch, text, more, error, said):
    monkeypatch.setattr("rehearsal.replay.replay.deployed", None)
    with pytest.raises(error, match=said):
        replay(options(tmp_path, text, **more), judge)
