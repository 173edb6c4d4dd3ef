"""What a business had before the stack, in the table as its events would have left it."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import typer.testing

import launch_ready
from handlers.core.errors import ConflictError, VendorError
from handlers.entrypoints.recording import Recorder
from handlers.operations import backfill
from handlers.operations.backfill import Account, Outcome
from handlers.operations.errors import StackError
from handlers.operations.identities import Identities, parse
from handlers.operations.stack import LiveStack
from handlers.settings import STRIPE_EVENTS, Env
from tests.handlers.conftest import ACCOUNT, REGION
from tests.handlers.loopback import Answer, Asked, serving
from tests.handlers.operations.business import STATES, Business, everything, open_business
from tests.handlers.operations.conftest import Deployed
from tests.handlers.pipeline_world import Connect, World

NOBODY = Identities()
HOOK = "https://api.tidewriters.example/webhooks/stripe"


def quiet(_line: str) -> None:
    """Progress that nobody looks at."""


def stack_of(deployed: Deployed, business: Business, *, key: str = "rk_live_read") -> Deployed:
    """The stack as it was deployed for the business."""
    world, policy = deployed.world, {"products": business.products}
    secret = world.connect("secretsmanager").create_secret(Name=f"{world.name}-stripe", SecretString=key)
    told = {Env.STRIPE_SECRET_ID: secret["ARN"], Env.STRIPE_API_BASE: business.twin.url, Env.POLICY: json.dumps(policy)}
    vars(deployed.stack)["environment"] |= told
    world.policy_document, world.clock.now = policy, time.time()
    endpoint = business.sdk.webhook_endpoints.create({"url": HOOK, "enabled_events": list(STRIPE_EVENTS)})
    dict.__setitem__(deployed.stack.contract, "stripe", {"endpoint_id": endpoint.id})  # ty: ignore[invalid-argument-type]
    return deployed


def look(deployed: Deployed) -> Account:
    return backfill.look(deployed.stack, per_second=10_000, progress=quiet)


def run(deployed: Deployed, identities: Identities | str = NOBODY, *, apply: bool = True, **more: Any) -> Outcome:
    known = parse(identities.encode()) if isinstance(identities, str) else identities
    return backfill.backfill(deployed.stack, look(deployed), known, apply=apply, progress=quiet, **more)


def shown(world: World, user: str) -> dict[str, Any]:
    member = world.member(user)
    assert member is not None, user
    return member


def rows(world: World) -> dict[tuple[str, str], Any]:
    """The whole table but for the audit."""
    answer = world.connect("dynamodb").scan(TableName=world.name)
    assert "LastEvaluatedKey" not in answer
    found = {(item["pk"]["S"], item["sk"]["S"]): item for item in answer["Items"]}
    return {key: item for key, item in found.items() if not key[0].startswith("AUDIT#")}


def states(outcome: Outcome) -> dict[str, str]:
    """What each member that changes becomes."""
    return {member.user_id: str(member.becomes.state) for member in outcome.changes}


def audited(world: World) -> list[Any]:
    items = world.connect("dynamodb").scan(TableName=world.name)["Items"]
    return [item for item in items if item["pk"]["S"].startswith("AUDIT#")]


@pytest.fixture(scope="module")
def business() -> Iterator[Business]:
    with open_business() as opened:
        everything(opened)
        yield opened


@pytest.fixture(scope="module")
def by_events(connect: Connect, aws_endpoint: str, business: Business) -> Iterator[World]:
    """A table to which apply has brought everything that happened."""
    environ = {"AWS_ENDPOINT_URL": aws_endpoint, "AWS_REGION": REGION, "AWS_ACCESS_KEY_ID": ACCOUNT}
    made = World(connect=connect, environ={**environ, "AWS_SECRET_ACCESS_KEY": "not-a-secret"})
    made.policy_document = {"products": business.products}
    made.stripe_url = business.twin.url
    made.clock.now = time.time()
    for event in business.twin.events():
        if event["type"] in STRIPE_EVENTS:
            assert made.deliver(event) == []
    yield made
    made.close()


@pytest.fixture
def shop() -> Iterator[Business]:
    with open_business() as opened:
        yield opened


@pytest.fixture
def small(deployed: Deployed, shop: Business) -> Deployed:
    """The stack of a business with one member, Ada."""
    shop.subscribed(shop.customer("ada"), user="ada")
    return stack_of(deployed, shop)


def test_members_become_what_their_events_would_have_made_of_them(
    deployed: Deployed, business: Business, by_events: World
) -> None:
    outcome = run(stack_of(deployed, business))
    assert outcome.refused == []
    assert {user: shown(deployed.world, user)["state"] for user in STATES} == STATES
    differences = {user: differs(shown(deployed.world, user), shown(by_events, user)) for user in STATES}
    assert differences == {user: {} for user in STATES}
    assert states(outcome) == STATES
    kinds = {item.get("kind", {}).get("S") for item in rows(deployed.world).values()}
    assert "DELIVERY" in kinds
    assert not kinds & {"NOTICE", "LEDGER"}
    asked = [key for key, item in rows(deployed.world).items() if "due_at" in item and key[1] != "MEMBER"]
    assert {kind.partition("#")[0] for _, kind in asked} == {"DELIVERY"}, "nobody will be asked about what was written"


def differs(a: dict[str, Any], b: dict[str, Any]) -> dict[str, Any]:
    """The fields of two answers that are not the same; Stripe's moments and those of its events are seconds apart."""
    found = {}
    for name in ("state", "access", "levels", "reason", "needs_support", "until"):
        one, other = a[name], b[name]
        if one != other and not (name == "until" and one and other and abs(one - other) <= 5):
            found[name] = (one, other)
    return found


def test_what_events_have_told_is_not_written_again(deployed: Deployed, business: Business, by_events: World) -> None:
    stack_of(deployed, business)
    vars(deployed.stack)["environment"] |= {Env.TABLE_NAME: by_events.name}
    before = rows(by_events)
    outcome = run(deployed)
    assert (outcome.writes, outcome.changes, outcome.refused) == (0, [], [])
    assert rows(by_events) == before


def test_a_second_run_writes_nothing_and_a_first_without_apply_neither(deployed: Deployed, business: Business) -> None:
    stack_of(deployed, business)
    dry = run(deployed, apply=False)
    assert (rows(deployed.world), audited(deployed.world)) == ({}, [])
    first = run(deployed)
    assert (first.writes, states(first)) == (dry.writes, states(dry))
    assert first.writes >= len(STATES)
    before = rows(deployed.world)
    second = run(deployed)
    assert (second.writes, second.changes, rows(deployed.world)) == (0, [], before)
    assert len(audited(deployed.world)) == 1


def test_a_run_that_broke_off_is_finished_by_the_next(
    deployed: Deployed, business: Business, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack_of(deployed, business)
    whole = run(deployed, apply=False)
    left = iter(range(7))
    record = Recorder.record

    def until_killed(self: Recorder, *told: Any, **more: Any) -> Any:
        if next(left, None) is None:
            raise ConflictError("killed")
        return record(self, *told, **more)

    with monkeypatch.context() as patched:
        patched.setattr(Recorder, "record", until_killed)
        with pytest.raises(ConflictError):
            run(deployed)
    rest = run(deployed)
    assert rest.writes == whole.writes - 7
    assert {user: shown(deployed.world, user)["state"] for user in STATES} == STATES
    assert run(deployed).writes == 0


def test_an_event_that_arrives_meanwhile_wins(small: Deployed, shop: Business) -> None:
    account = look(small)
    (bought,) = shop.sdk.subscriptions.list().data
    shop.sdk.subscriptions.update(bought.id, {"cancel_at_period_end": True})
    told = shop.twin.events("customer.subscription.updated")[-1]
    assert small.world.deliver(told) == []
    backfill.backfill(small.stack, account, NOBODY, apply=True, progress=quiet)
    assert shown(small.world, "ada")["reason"] == "cancels_at_period_end"
    later = {**told, "id": "evt_later", "created": told["created"] + 1}
    later["data"] = {"object": {**told["data"]["object"], "cancel_at_period_end": False, "cancel_at": None}}
    assert small.world.deliver(later) == []
    assert shown(small.world, "ada")["reason"] == "paid", "a snapshot is never newer than what happens after it"


def test_this_machines_clock_decides_nothing(small: Deployed, shop: Business, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 900)
    run(small)
    monkeypatch.undo()
    (bought,) = shop.sdk.subscriptions.list().data
    shop.sdk.subscriptions.cancel(bought.id)
    (told,) = shop.twin.events("customer.subscription.deleted")
    live = {**told, "type": "customer.subscription.updated", "created": told["created"] + 1}
    live["data"] = {"object": {**told["data"]["object"], "status": "past_due"}}
    assert small.world.deliver(live) == []
    assert shown(small.world, "ada")["state"] == "grace_period"


def test_a_file_tells_who_payers_are(small: Deployed, shop: Business) -> None:
    bob = shop.customer("bob")
    shop.subscribed(bob)
    shop.subscribed(bob, price="pro")
    guest = shop.paid("payment").payment_intent
    unknown = run(small, apply=True)
    assert {payer.payer: len(payer.grants) for payer in unknown.unmatched} == {bob: 2, guest: 1}
    assert not unknown.complete
    assert not any(bob in key[0] or guest in key[0] for key in rows(small.world)), "who is unknown is not written"
    known = run(small, f"customer,user_id\n{bob},bob\n{guest},gil\ncus_other,u9\n")
    assert (known.unmatched, known.joined, known.idle) == ([], 2, 1)
    assert shown(small.world, "bob")["levels"] == ["member", "pro"]
    assert shown(small.world, "gil")["levels"] == ["course"]
    assert run(small, f"customer,user_id\n{bob},bob\n{guest},gil\n").writes == 0


def test_a_stranger_of_whom_events_told_stays_as_they_were(small: Deployed, shop: Business) -> None:
    bought = shop.subscribed(shop.customer("bob"))
    (told,) = [event for event in shop.twin.events("customer.subscription.created") if bought.id in json.dumps(event)]
    assert small.world.deliver(told) == []
    run(small)
    before = rows(small.world)
    shop.sdk.subscriptions.cancel(bought.id)
    outcome = run(small)
    assert (len(outcome.unmatched), outcome.writes, rows(small.world)) == (1, 0, before)


def test_a_file_never_contradicts_stripe_or_the_table(small: Deployed, shop: Business) -> None:
    bob = shop.customer("bob")
    shop.subscribed(bob)
    (ada,) = [customer.id for customer in shop.sdk.customers.list().data if customer.id != bob]
    run(small, f"customer,user_id\n{bob},bob\n")
    wrong = run(small, f"customer,user_id\n{bob},eve\n{ada},eve\n")
    found = {(one.subject, one.line, one.claimed, one.known) for one in wrong.contradictions}
    assert found == {(bob, 2, "eve", ("bob",)), (ada, 3, "eve", ("ada",))}
    assert wrong.writes == 0
    assert small.world.member("eve") is None


def test_an_address_joins_only_where_asked_and_only_one_to_one(small: Deployed, shop: Business) -> None:
    customers = {name: shop.customer(name) for name in ("bob", "twin", "cleo")}
    customers["other"] = shop.customer("twin")
    for customer in customers.values():
        shop.subscribed(customer)
    rows_of = ("BOB@tidewriters.example,bob", "twin@tidewriters.example,tom", "cleo@tidewriters.example,c1")
    file = "\n".join(["email,user_id", *rows_of, "cleo@tidewriters.example,c2"])
    assert len(run(small, file, apply=False).unmatched) == 4
    matched = run(small, file, match_email=True)
    assert {one.payer for one in matched.unmatched} == {customers[name] for name in ("twin", "cleo", "other")}
    assert shown(small.world, "bob")["access"] is True
    assert small.world.member("tom") is None


def test_what_cannot_be_read_or_taken_is_named_and_the_rest_goes_on(small: Deployed, shop: Business) -> None:
    odd = shop.subscribed(shop.customer("odd"), user="o" * 300)
    shop.subscribed(shop.customer("zoe"), user="zoe", price="unnamed")
    outcome = run(small)
    reason = "metadata user_id has 300 characters, at most 256 are taken"
    assert {(one.id, one.reason) for one in outcome.refused} == {(odd.id, reason), (odd.latest_invoice, reason)}
    assert dict(outcome.prices) == {shop.price("unnamed"): 1}
    assert not outcome.complete
    assert shown(small.world, "ada")["access"] is True


def test_other_endpoints_are_listed_by_their_host_alone(small: Deployed, shop: Business) -> None:
    other = shop.sdk.webhook_endpoints.create(
        {"url": "https://hooks.zapier.example/catch/s3cret", "enabled_events": ["*"]}
    )
    shop.sdk.webhook_endpoints.create({"url": "https://a.example", "enabled_events": ["payout.paid"]})
    (found,) = look(small).others
    assert (found.id, found.host, found.enabled, set(found.events)) == (
        other.id, "hooks.zapier.example", True, set(STRIPE_EVENTS),
    )  # fmt: skip


def test_an_old_table_is_left_alone(small: Deployed, shop: Business) -> None:
    (bought,) = shop.sdk.subscriptions.list().data
    item = {"pk": {"S": f"SUBSCRIPTION#{bought.id}"}, "sk": {"S": "SUBSCRIPTION"}, "kind": {"S": "SUBSCRIPTION"}}
    small.world.connect("dynamodb").put_item(TableName=small.world.name, Item={**item, "id": {"S": bought.id}})
    before = rows(small.world)
    with pytest.raises(StackError, match=r"something that this version cannot read \(KeyError\).*deploy"):
        run(small)
    assert rows(small.world) == before


def test_a_key_of_the_other_mode_is_refused_before_anything_is_read(deployed: Deployed, shop: Business) -> None:
    with pytest.raises(StackError, match="the stack's Stripe key is of test mode, the stack is of live mode"):
        look(stack_of(deployed, shop, key="rk_test_read"))


def test_a_key_of_another_account_is_refused(small: Deployed, shop: Business) -> None:
    (ours,) = shop.sdk.webhook_endpoints.list().data
    shop.sdk.webhook_endpoints.create({"url": HOOK, "enabled_events": ["*"]})
    shop.sdk.webhook_endpoints.delete(ours.id)
    with pytest.raises(StackError, match=r"own webhook endpoint we_\w+ is not at the account"):
        look(small)


def test_objects_of_the_other_mode_are_refused(deployed: Deployed, shop: Business) -> None:
    shop.subscribed(shop.customer("ada"), user="ada")
    stack_of(deployed, shop, key="rk_read")
    shop.twin._keys = shop.twin._keys.__class__(shop.twin.api_key, "rk_read")
    shop.twin.app._service._keys = shop.twin._keys
    vars(deployed.stack)["environment"] |= {Env.LIVEMODE: "false"}
    with pytest.raises(StackError, match=r"cus_\w+ is of live mode, the stack is of test mode: nothing was written"):
        look(deployed)


def answering(answer: Callable[[Asked], Answer], deployed: Deployed, shop: Business) -> Any:
    """What `look` raises where Stripe answers so."""
    stack_of(deployed, shop)
    with serving(answer) as server:
        vars(deployed.stack)["environment"] |= {Env.STRIPE_API_BASE: server.url}
        with pytest.raises((StackError, VendorError)) as caught:
            look(deployed)
    return caught.value


def test_all_permissions_that_a_key_lacks_are_named_at_once(deployed: Deployed, shop: Business) -> None:
    def answer(asked: Asked) -> Answer:
        if "/v1/refunds" in asked.path or "/v1/disputes" in asked.path:
            message = "The provided key 'rk_live_s3cret' lacks it. Having the 'rak_charge_read' permission would do."
            return Answer.of({"error": {"message": message}}, 403)
        return Answer.of({"object": "list", "data": [], "has_more": False})

    error = str(answering(answer, deployed, shop))
    assert "may not read Refunds" in error
    assert "Disputes" in error
    assert "rak_charge_read" in error
    assert "Customers" not in error
    assert "s3cret" not in error


def test_a_key_that_stripe_does_not_know_is_refused(deployed: Deployed, shop: Business) -> None:
    error = answering(lambda _asked: Answer.of({"error": {"code": "api_key_expired"}}, 401), deployed, shop)
    assert "HTTP 401: api_key_expired: Stripe refuses the stack's key" in str(error)


@pytest.fixture
def command(small: Deployed, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """`launch-ready backfill` on the small stack."""
    monkeypatch.setattr(LiveStack, "of", lambda _path: small.stack)
    cli = typer.testing.CliRunner()
    return lambda *more: cli.invoke(launch_ready.app, ["backfill", "--contract", "c.json", "--pace", "50", *more])


def test_the_command_is_dry_unless_told(small: Deployed, command: Callable[..., Any], tmp_path: Any) -> None:
    dry = command("--json", str(tmp_path / "dry.json"))
    assert dry.exit_code == 0, dry.output
    assert "member  ada  unknown -> active (member), until " in dry.stdout
    assert "DRY RUN: 1 transactions would be written; nothing was." in dry.stdout
    assert "read 1 subscriptions, all" in dry.stderr
    assert "@" not in dry.output
    told = json.loads((tmp_path / "dry.json").read_text())
    assert (told["members"][0]["user_id"], told["members"][0]["becomes"]["state"]) == ("ada", "active")
    assert rows(small.world) == {}
    done = command("--apply")
    assert (done.exit_code, shown(small.world, "ada")["access"]) == (0, True), done.output
    assert "BACKFILLED: 1 transactions written." in done.stdout


def test_the_commands_exit_code_says_what_is_left(command: Callable[..., Any], shop: Business, tmp_path: Any) -> None:
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("customer,user_id\ncus_1,u1\ncus_1,u2\n")
    usage = command("--identities", str(wrong))
    assert (usage.exit_code, usage.stdout) == (2, "")
    assert "lines 2 and 3" in usage.stderr
    bob = shop.customer("bob")
    shop.subscribed(bob)
    found = command()
    assert found.exit_code == 1
    assert f"unmatched  {bob}: sub_" in found.stdout
    shop.sdk.webhook_endpoints.delete(shop.sdk.webhook_endpoints.list().data[0].id)
    lost = command()
    assert (lost.exit_code, lost.stdout) == (3, "")
    assert "is not at the account of the stack's Stripe key" in lost.stderr
