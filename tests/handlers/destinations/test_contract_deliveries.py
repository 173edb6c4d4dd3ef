"""What every registered destination must hold to as it is delivered to: crashes, lost answers, quotas, and silence.

The real sync function brings a vendor's stand-in to a member's state over HTTP, on a real table.
"""

import itertools
import json
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

import pytest

from handlers.adapters import http
from handlers.adapters.attributes import decode
from handlers.adapters.deliveries import LEASE_SECONDS, Deliveries
from handlers.adapters.vendor_limits import VendorLimits
from handlers.destinations.registry import REGISTERED
from handlers.entrypoints.sync import Sync
from handlers.ports import Recovery
from tests.handlers import story
from tests.handlers.destinations.contract import EMAIL, Subject, standing_in
from tests.handlers.loopback import Answer, Asked
from tests.handlers.pipeline_world import World
from tests.handlers.story import START


class Killed(BaseException):
    """The process is gone: nothing of ours runs afterwards."""


@dataclass
class Life:
    """A worker's life, which ends after the step `dies_after` that it takes outside of itself; 0: it does not."""

    dies_after: int = 0
    steps: int = 0

    def step(self, do: Callable[[], Any]) -> Any:
        done = do()
        self.steps += 1
        if self.steps == self.dies_after:
            raise Killed
        return done


class MortalTable:
    """A client of DynamoDB, each call of which is a step of a life."""

    def __init__(self, client: Any, life: Life) -> None:
        self._client = client
        self._life = life

    def __getattr__(self, operation: str) -> Any:
        return lambda **request: self._life.step(lambda: getattr(self._client, operation)(**request))


@dataclass
class Post:
    """Deliveries to one destination."""

    world: World
    subject: Subject
    members: Any = field(default_factory=lambda: itertools.count(1))

    def someone(self) -> dict[str, str]:
        """A new member with something to deliver; its nudge."""
        user = f"user_{next(self.members)}"
        subscription = f"sub_{user}"
        self.world.deliver(
            story.subscription(id_=subscription, customer=f"cus_{user}", user=user),
            story.session(
                id=f"cs_{user}",
                subscription=subscription,
                customer=f"cus_{user}",
                user=user,
                customer_details={"email": EMAIL.replace("ada", user)},
            ),
        )
        if self.subject.spec.carries == "state":
            return {"member": user}
        failed = story.invoice("payment_failed", at=START + 50, id_=f"in_{user}", subscription=subscription)
        self.world.deliver(failed)
        return {"member": user, "notice": f"payment_failed:in_{user}"}

    def leaves(self, nudge: dict[str, str]) -> None:
        """Take the membership of a member away."""
        user = nudge["member"]
        told = story.subscription(
            "deleted", at=START + 55, id_=f"sub_{user}", customer=f"cus_{user}", user=user, status="canceled"
        )
        self.world.deliver(told)

    def sync(self, nudge: dict[str, str], life: Life | None = None, **changes: Any) -> None:
        """One worker handles one nudge, and lives as long as `life`."""
        world, subject, life = self.world, self.subject, life or Life()
        table = MortalTable(world.dynamodb, life)
        spec = subject.spec._replace(**changes)
        limits = VendorLimits(table, world.name, spec, clock=world.clock)  # ty: ignore[invalid-argument-type]
        request = subject.request
        subject.request = lambda method, url, **options: life.step(lambda: limits.request(method, url, **options))
        world_store = World(connect=world.connect, environ=world.environ, name=world.name)
        vars(world_store)["dynamodb"] = table
        worker = Sync(
            spec=spec,
            destination=lambda: subject.destination,
            store=world_store.store,
            deliveries=Deliveries(table, world.name, spec.name),  # ty: ignore[invalid-argument-type]
            limits=limits,
            policy=world.policy,
            clock=world.clock,
            draw=lambda: 0.5,
        )
        try:
            worker.handle({"Records": [{"messageId": "m", "body": json.dumps(nudge)}]}, lambda: 30_000)
        finally:
            subject.request = request
            http.close()

    def record(self, nudge: dict[str, str]) -> dict[str, Any]:
        """The delivery record."""
        notice = nudge.get("notice")
        pk = f"NOTICE#{notice}" if notice else f"MEMBER#{nudge['member']}"
        found = self.world.item(pk, f"DELIVERY#{self.subject.spec.name}")
        assert found is not None
        return found

    def escalations(self, nudge: dict[str, str]) -> int:
        """How often a person was told that the delivery is parked."""
        name, what = self.subject.spec.name, nudge.get("notice", f"{nudge['member']}:2")
        return int(self.world.item(f"ALERT#parked_{name}#{what}", "ALERT") is not None)

    def held(self, nudge: dict[str, str]) -> str:
        """What the vendor holds, with one name for whichever member it is about."""
        return json.dumps(self.subject.held()).replace(nudge["member"], "user_X")


@pytest.fixture(params=[maker.name for maker in REGISTERED])
def post(request: pytest.FixtureRequest, world: World) -> Generator[Post]:
    with standing_in(request.param) as subject:
        yield Post(world, subject)


def undisturbed(post: Post, *, leaving: bool = False) -> str:
    """What the vendor holds in the end when nothing goes wrong."""
    nudge = post.someone()
    post.sync(nudge)
    if leaving:
        post.leaves(nudge)
        post.sync(nudge)
    return post.held(nudge)


def killed(post: Post, nudge: dict[str, str], step: int) -> bool:
    try:
        post.sync(nudge, Life(dies_after=step))
    except Killed:
        return True
    return False


def taken_up(post: Post, nudge: dict[str, str]) -> None:
    """Later workers go on with what was left."""
    for _ in range(3):
        if "due_at" in post.record(nudge):
            post.world.clock.now += LEASE_SECONDS + 15
            post.sync(nudge)


def check(post: Post, nudge: dict[str, str], expected: str, *, where: str) -> None:
    """What holds after a delivery that was disturbed, and then taken up again."""
    record, held = post.record(nudge), post.held(nudge)
    assert not record.keys() & {"lease", "due_at", "calling_at"}, where
    if post.subject.destination.recovery is not Recovery.AT_MOST_ONCE:
        assert held == expected, where
        assert "parked" not in record, where
        return
    assert held in ("[]", expected), where
    assert ("told_at" in record) is not ("parked" in record), where
    assert held == expected or "parked" in record, where
    assert post.escalations(nudge) == int("parked" in record), where


def crashes() -> list[tuple[str, bool]]:
    """Each destination when somebody joins; those that carry a state when somebody leaves, too."""
    return [
        (maker.name, leaving)
        for maker in REGISTERED
        for leaving in ([False, True] if hasattr(maker, "bring") else [False])
    ]


@pytest.mark.parametrize(("post", "leaving"), crashes(), indirect=["post"])
def test_a_crash_after_any_step_is_recovered_from_as_declared(post: Post, leaving: bool) -> None:
    expected = undisturbed(post, leaving=leaving)
    for step in itertools.count(1):
        post.subject.start_anew()
        nudge = post.someone()
        if leaving:
            post.sync(nudge)
            post.leaves(nudge)
        died = killed(post, nudge, step)
        taken_up(post, nudge)
        check(post, nudge, expected, where=f"killed after step {step}")
        if not died:
            break
    assert step > len(post.subject.server.asked) + 2


def test_an_answer_that_is_lost_after_any_call_is_recovered_from_as_declared(post: Post) -> None:
    expected = undisturbed(post)
    for place in range(1, len(post.subject.server.asked) + 1):
        post.subject.start_anew()
        nudge = post.someone()
        account, calls = post.subject.account, itertools.count(1)

        def lose(asked: Asked, account: Any = account, calls: Any = calls, place: int = place) -> Answer:
            answer = account(asked)
            return Answer(then="hang up") if next(calls) == place else answer

        post.subject.server.answer = lose
        post.sync(nudge)
        taken_up(post, nudge)
        check(post, nudge, expected, where=f"no answer to call {place}")


def test_a_refusal_of_any_call_goes_to_one_person_once(post: Post) -> None:
    undisturbed(post)
    for place in range(1, len(post.subject.server.asked) + 1):
        post.subject.start_anew()
        nudge = post.someone()
        account, calls = post.subject.account, itertools.count(1)

        def refuse(asked: Asked, account: Any = account, calls: Any = calls, place: int = place) -> Answer:
            return Answer(403, b"no") if next(calls) >= place else account(asked)

        post.subject.server.answer = refuse
        for _ in range(3):
            post.sync(nudge)
            post.world.clock.now += 3600
        assert "parked" in post.record(nudge), place
        assert post.escalations(nudge) == 1
        assert len(post.subject.server.asked) == place


def test_the_calls_of_any_sixty_seconds_are_no_more_than_allowed(post: Post) -> None:
    allowed, made = 4, []
    account = post.subject.account

    def noted(asked: Asked) -> Answer:
        made.append(post.world.clock())
        return account(asked)

    post.subject.server.answer = noted
    early, late = ([post.someone() for _ in range(3)] for _ in range(2))
    post.world.clock.now = START // 60 * 60 + 60 + 50  # a minute by the clock ends between the two
    waiting = early
    while waiting:
        for nudge in waiting:
            post.sync(nudge, calls_per_minute=allowed)
        post.world.clock.now += 12
        waiting = [nudge for nudge in early + late if "due_at" in post.record(nudge)]
    busiest = max(sum(at <= other < at + 60 for other in made) for at in made)
    assert busiest <= allowed
    assert not any(post.record(nudge).get("last_error") for nudge in early + late)


def test_the_calls_of_a_month_are_no_more_than_allowed(post: Post) -> None:
    nudges = [post.someone() for _ in range(5)]
    for _ in range(6):
        for nudge in nudges:
            post.sync(nudge, calls_per_month=5)
        post.world.clock.now += 3600
    assert len(post.subject.server.asked) <= 5
    assert any("due_at" in post.record(nudge) for nudge in nudges)


def leaky(asked: Asked) -> Answer:
    """The worst vendor: quotes everything that it was sent."""
    return Answer.of({"errors": [json.dumps(dict(asked.headers)), asked.path, asked.body.decode()]}, 422)


def test_neither_key_nor_address_gets_into_logs_or_records(post: Post, capsys: pytest.CaptureFixture[str]) -> None:
    nudge = post.someone()
    capsys.readouterr()
    post.subject.server.answer = leaky
    post.sync(nudge)
    answer = post.world.connect("dynamodb").scan(TableName=post.world.name)
    told = [decode(item) for item in answer["Items"] if item["sk"]["S"].startswith(("DELIVERY", "ALERT"))]
    seen = capsys.readouterr().out + json.dumps(told, default=str)
    assert "parked" in seen
    assert post.subject.secret not in seen
    assert "lovelace" not in seen
