"""A person is erased: no address and no user id is left, ids and amounts stay, and a second time finds nobody."""

import json
import zlib

import pytest

from handlers.operations.forget import StillPayingError, UnknownMemberError, erase, find, told
from tests.handlers import story
from tests.handlers.operations.conftest import Deployed
from tests.handlers.story import DAY, START


def silence(_line: str) -> None:
    """No progress."""


def everything(deployed: Deployed) -> str:
    """Every item of the table but the audit, kept texts unpacked."""
    items = deployed.stack.scan("attribute_exists(#pk)", {"#pk": "pk"}, {})
    return json.dumps([item for item in items if item.get("kind") != {"S": "AUDIT"}], default=_text)


def _text(value: object) -> str:
    assert isinstance(value, bytes)
    return zlib.decompress(value).decode()


def ended(deployed: Deployed) -> None:
    """Ada bought, was given her money back and has left; Bob is still there."""
    deployed.world.deliver(story.subscription(), story.session(), story.invoice("paid"), story.invoice_payment())
    deployed.world.deliver(story.refund(), story.subscription("deleted", at=START + DAY))
    deployed.world.deliver(story.subscription(id_="sub_bob", customer="cus_Bob", user="user_bob"))


def test_nothing_of_a_forgotten_person_is_left_but_ids_and_amounts(deployed: Deployed) -> None:
    ended(deployed)
    assert "user_ada" in everything(deployed)
    assert "ada@tidewriters.example" in everything(deployed)
    bob = deployed.world.member("user_bob")
    traces = find(deployed.stack, "user_ada", silence)
    erase(deployed.stack, traces, silence)
    left = everything(deployed)
    assert "user_ada" not in left
    assert "ada@" not in left
    assert "sub_1Member0001" in left
    assert "2900" in left
    assert deployed.world.member() is None
    assert deployed.world.member("user_bob") == bob


def test_it_says_whom_to_ask_outside(deployed: Deployed) -> None:
    ended(deployed)
    lines = list(told(find(deployed.stack, "user_ada", silence), applied=False))
    assert any(line.startswith("stripe   cus_Ada0001") for line in lines)
    assert any(line.startswith("kit ") for line in lines)
    assert lines[-1] == "nothing was changed; with --apply it is"
    assert deployed.world.member() is not None


def test_a_second_time_finds_nobody(deployed: Deployed) -> None:
    ended(deployed)
    erase(deployed.stack, find(deployed.stack, "user_ada", silence), silence)
    with pytest.raises(UnknownMemberError, match="no member 'user_ada'"):
        find(deployed.stack, "user_ada", silence)


def test_what_broke_off_is_finished_by_the_next_time(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    ended(deployed)
    traces = find(deployed.stack, "user_ada", silence)

    class BrokeOffError(Exception):
        """The process was killed."""

    def killed(line: str) -> None:
        if line.startswith("deleted 1 "):
            raise BrokeOffError

    with pytest.raises(BrokeOffError):
        erase(deployed.stack, traces, killed)
    erase(deployed.stack, find(deployed.stack, "user_ada", silence), silence)
    assert "user_ada" not in everything(deployed)


def test_somebody_whose_subscription_goes_on_is_not_forgotten(deployed: Deployed) -> None:
    deployed.world.deliver(story.subscription())
    with pytest.raises(StillPayingError, match="cancel sub_1Member0001 at Stripe"):
        find(deployed.stack, "user_ada", silence)


def test_who_forgot_is_audited_without_saying_whom(deployed: Deployed) -> None:
    ended(deployed)
    erase(deployed.stack, find(deployed.stack, "user_ada", silence), silence)
    (entry,) = deployed.stack.scan("#kind = :audit", {"#kind": "kind"}, {":audit": {"S": "AUDIT"}})
    assert entry["command"]["S"] == "forget"
    assert "user_ada" not in json.dumps(entry)
