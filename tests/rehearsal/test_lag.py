from hypothesis import given
from hypothesis import strategies as st

from rehearsal.lag import LagMeter, percentile


@given(st.lists(st.floats(0, 1e6), min_size=1))
def test_a_percentile_is_one_of_the_values_and_never_falls_with_the_percent(values):
    ordered = sorted(values)
    found = [percentile(ordered, percent) for percent in (1, 50, 95, 100)]
    assert found == sorted(value for value in found if value is not None)
    assert found[-1] == round(ordered[-1], 1)


def test_nothing_measured_is_told_as_nothing():
    assert LagMeter(lambda event: None).summary() == {"p50": None, "p95": None, "count": 0}


def test_an_event_counts_once_and_only_if_it_was_accepted():
    meter = LagMeter({"evt_1": 1.0}.get)
    member = {"transitions": [{"event": "evt_1"}, {"event": "evt_2"}, {"event": None}]}
    meter.saw(member)
    first = meter.summary()
    meter.saw(member)
    assert first["count"] == 1
    assert meter.summary() == first
