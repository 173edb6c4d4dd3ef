from hypothesis import given
from hypothesis import strategies as st

from handlers.core.switch import Mode, Switch

MEMBERS = [f"user_{number}" for number in range(2000)]


def served(percent: int, destination: str = "kit") -> set[str]:
    switch = Switch(percent=percent)
    return {member for member in MEMBERS if switch.of(destination, member) is Mode.ON}


def test_it_is_on_for_everybody_unless_told() -> None:
    assert served(100) == set(MEMBERS)
    assert served(0) == set()


def test_who_is_outside_the_percentage_is_as_in_shadow() -> None:
    assert {Switch(percent=30).of("kit", member) for member in MEMBERS} == {Mode.ON, Mode.SHADOW}


def test_a_percentage_is_that_share() -> None:
    assert 0.2 < len(served(25)) / len(MEMBERS) < 0.3


def test_a_destination_does_not_try_the_same_members_as_another() -> None:
    assert served(25) != served(25, "slack")


@given(lower=st.integers(0, 100), higher=st.integers(0, 100), member=st.text())
def test_a_higher_percentage_only_adds(lower: int, higher: int, member: str) -> None:
    lower, higher = sorted((lower, higher))
    if Switch(percent=lower).of("kit", member) is Mode.ON:
        assert Switch(percent=higher).of("kit", member) is Mode.ON


@given(percent=st.integers(0, 100), member=st.text())
def test_off_and_shadow_hold_for_everybody(percent: int, member: str) -> None:
    assert Switch(mode=Mode.OFF, percent=percent).of("kit", member) is Mode.OFF
    assert Switch(mode=Mode.SHADOW, percent=percent).of("kit", member) is Mode.SHADOW
