"""The same endings through the real table; core/test_convergence.py goes through every order in memory."""

import itertools
from collections.abc import Sequence

from tests.handlers import story
from tests.handlers.pipeline_world import World
from tests.handlers.story import START

ORDERS = list(itertools.permutations(range(5)))[::7]


def test_any_order_ends_refunded_with_one_notice(world: World) -> None:
    world.clock.now = START + 8000
    for person, order in enumerate(ORDERS):
        assert world.deliver(*purchase_and_refund(person, order)) == []
        member = world.member(f"user_{person}")
        assert member is not None
        assert (member["state"], member["access"], member["until"]) == ("refunded", False, START + 7200)
        assert world.item(f"NOTICE#refund:pi_{person}:2900", "DELIVERY#slack") is not None
        delivery = world.item(f"MEMBER#user_{person}", "DELIVERY#kit")
        assert delivery is not None
        for kind, id_ in (("SUBSCRIPTION", "sub"), ("INVOICE", "in"), ("PAYMENT", "pi")):
            node = world.item(f"{kind}#{id_}_{person}", kind)
            assert node is not None
            assert "due_at" not in node


def purchase_and_refund(person: int, order: Sequence[int]) -> list[story.Event]:
    sub, bill, payment, customer, user = (f"{kind}_{person}" for kind in ("sub", "in", "pi", "cus", "user"))
    told = [
        story.subscription(id_=sub, customer=customer, user=None),
        story.session(id=f"cs_{person}", subscription=sub, customer=customer, user=user, invoice=bill),
        story.invoice("paid", id_=bill, subscription=sub, customer=customer),
        story.invoice_payment(invoice=bill, payment=payment),
        story.refund(payment=payment, customer=customer),
    ]
    return [told[place] for place in order]
