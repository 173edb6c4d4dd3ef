"""What a destination refused is tried once more by command, once the cause is mended."""

import time

from handlers.core.errors import VendorError
from handlers.operations.redeliver import find, redeliver, told, told_of
from handlers.ports import Recovery
from tests.handlers import story
from tests.handlers.crew import Crew, Vendor, join
from tests.handlers.operations.conftest import Deployed

BO = {"member": "user_bo"}


def silence(_line: str) -> None:
    """No progress."""


def test_a_parked_state_is_found_tried_again_and_then_shown(deployed: Deployed) -> None:
    world = deployed.world
    join(world, "user_bo")
    kit = Crew(world, Vendor(error=VendorError("kit: add tag 11: HTTP 404", permanent=True)))
    kit.sync(BO)
    found = find(deployed.stack, silence)
    assert list(told(found)) == [
        "kit  user_bo  parked: kit: add tag 11: HTTP 404",
        "1 deliveries would be tried once more; with --apply they are",
    ]
    assert redeliver(deployed.stack, found) == 1
    assert redeliver(deployed.stack, found) == 0
    kit.vendor.error = None
    world.clock.now = time.time() + 1
    assert world.sweep.run(lambda: 30_000)["nudged"] >= 1
    kit.sync(BO)
    record = kit.record("user_bo")
    assert record["delivered_version"] == record["desired_version"]
    assert find(deployed.stack, silence) == []


def test_a_notice_of_unknown_outcome_is_told_only_because_somebody_says_so(deployed: Deployed) -> None:
    world = deployed.world
    world.clock.now = time.time()
    at = int(world.clock()) - 5
    world.deliver(story.subscription(), story.session(), story.invoice("payment_failed", at=at, id_="in_2"))
    lost = VendorError("slack: no answer", permanent=False, unknown=True)
    slack = Crew(world, Vendor(name="slack", recovery=Recovery.AT_MOST_ONCE, error=lost))
    nudge = {"member": "user_ada", "notice": "payment_failed:in_2"}
    slack.sync(nudge, nudge)
    assert len(slack.vendor.told) == 1
    found = find(deployed.stack, silence)
    assert "the outcome is unknown" in next(told(found))
    slack.vendor.error = None
    redeliver(deployed.stack, found)
    world.clock.now += 1
    slack.sync(nudge)
    assert len(slack.vendor.told) == 2
    assert "told_at" in slack.notice()


def test_nothing_parked_is_nothing_to_do(deployed: Deployed) -> None:
    assert find(deployed.stack, silence) == []
    assert list(told_of(redeliver(deployed.stack, []))) == [
        "0 deliveries are due once more: the sweep takes them up within a minute"
    ]
