import pytest

from rehearsal.journeys import JOURNEYS
from rehearsal.journeys.model import in_words


@pytest.mark.parametrize(
    ("observed", "said"),
    [
        ({"membership": None}, "membership none"),
        ({"membership": {"state": "active", "access": True}}, "state active, access yes"),
        ({"membership": {"access": False, "levels": []}, "kit": ["a", "b"]}, "access no, levels none; kit a, b"),
        ({"membership": {"grants": {"active": 1, "refunded": 2}}}, "grants 1 active + 2 refunded"),
        ({"kit_was_tried": True, "slack": []}, "kit was tried yes; slack none"),
    ],
)
def test_what_was_observed_is_told_in_words(observed, said):
    assert in_words(observed) == said


def test_each_journey_has_a_name_and_a_customer_of_its_own():
    assert len({journey.name for journey in JOURNEYS}) == len(JOURNEYS)
    assert len({journey.person().email for journey in JOURNEYS}) == len(JOURNEYS)
