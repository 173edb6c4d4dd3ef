from tests.handlers import story
from tests.handlers.pipeline_world import World


def test_a_subscription_makes_a_member_who_can_be_read_back(world: World) -> None:
    assert world.member() is None
    assert world.deliver(story.recorded("customer.subscription.created")) == []
    member = world.member()
    assert member is not None
    assert member["state"] == "active"
    assert member["access"] is True
    assert member["levels"] == ["member"]
    assert member["until"] == story.START + story.MONTH
    assert member["version"] == 1
