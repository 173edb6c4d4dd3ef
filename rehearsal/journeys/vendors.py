"""Journeys in which a vendor is not there for a while."""

from rehearsal.journeys.model import Journey, Person
from rehearsal.journeys.world import World

HTTP_UNAVAILABLE = 503


def joins_while_kit_is_down(world: World, person: Person) -> None:
    """Access does not wait for the mailing list, and the list catches up by itself."""
    world.kit.fail(status=HTTP_UNAVAILABLE)
    try:
        visit = world.arrives(person)
        world.subscribes(visit)
        world.expect(
            person, "while Kit is down", membership={"state": "active", "access": True}, kit=[], kit_was_tried=True
        )
    finally:
        world.kit.recover()
    world.expect(
        person, "once Kit is back", membership={"state": "active", "access": True}, kit=world.labels("member_active")
    )


VENDORS = (
    Journey(name="kit_down", title="a member joins while Kit is down", story=joins_while_kit_is_down, alone=True),
)
