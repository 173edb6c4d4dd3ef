import json
from datetime import UTC, datetime, timedelta

import pytest

from handlers.entrypoints.environment import SettingsError
from handlers.entrypoints.expiry import METRIC, tell_days_left
from handlers.settings import Env

NOW = datetime(2027, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ends", "days"),
    [
        ("2027-12-23T00:00:00Z", 30.0),
        ("2027-12-23T02:00:00+02:00", 30.0),
        ("2027-11-23T12:00:00Z", 0.5),
        ("2027-11-22T00:00:00Z", -1.0),
    ],
)
def test_the_days_that_are_left_are_a_metric(capsys: pytest.CaptureFixture[str], ends: str, days: float) -> None:
    tell_days_left({Env.ORIGIN_CERTIFICATE_ENDS: ends}, NOW.timestamp())
    [line] = capsys.readouterr().out.splitlines()
    told = json.loads(line)
    assert told[METRIC] == days
    [directive] = told["_aws"]["CloudWatchMetrics"]
    assert directive["Metrics"] == [{"Name": METRIC, "Unit": "None"}]


@pytest.mark.parametrize("environ", [{}, {Env.ORIGIN_CERTIFICATE_ENDS: ""}])
def test_where_the_edge_shows_no_certificate_nothing_is_told(
    capsys: pytest.CaptureFixture[str], environ: dict[str, str]
) -> None:
    tell_days_left(environ, NOW.timestamp())
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("text", ["soon", "2027-12-23T00:00:00"])
def test_a_moment_that_is_none_is_named(text: str) -> None:
    with pytest.raises(SettingsError, match=r"ORIGIN_CERTIFICATE_ENDS must .* got '"):
        tell_days_left({Env.ORIGIN_CERTIFICATE_ENDS: text}, (NOW + timedelta()).timestamp())
