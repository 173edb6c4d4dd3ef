"""A secret is rolled: the new value is tried, both count meanwhile, and no event is refused on the way."""

import json

import pytest

from handlers.adapters.secrets_http import SigningSecrets
from handlers.core.errors import VendorError
from handlers.entrypoints.webhook import Webhook
from handlers.operations import roll
from handlers.operations.errors import RefusedError, UsageError
from handlers.operations.probing import signed
from handlers.settings import Env
from tests.handlers.loopback import Answer, Asked, serving
from tests.handlers.operations.conftest import Deployed

OLD, NEW = "whsec_old0000000000000000", "whsec_new0000000000000000"


def holding(deployed: Deployed, purpose: str, value: str) -> str:
    """A secret of the stack; its ARN."""
    client = deployed.world.connect("secretsmanager")
    arn = client.create_secret(Name=f"{deployed.world.name}/{purpose}", SecretString=value)["ARN"]
    contract = dict(deployed.stack.contract)
    contract["secrets"] = [*contract.get("secrets", []), {"purpose": purpose, "arn": arn, "name": purpose}]
    object.__setattr__(deployed.stack, "contract", contract)
    return arn


def pair(current: str, previous: str | None = None) -> str:
    return json.dumps({"current": current, "previous": previous})


class Took:
    """A queue that takes everything."""

    def send(self, body: str, *, group: str, deduplication_id: str) -> None:
        """Forget it."""


def test_no_event_is_refused_while_the_signing_secret_is_rolled(deployed: Deployed) -> None:
    arn = holding(deployed, "stripe-signing", pair(OLD))
    ticks = iter(range(0, 10_000, 61))
    held = SigningSecrets(arn, deployed.world.environ, clock=lambda: float(next(ticks)))
    webhook = Webhook(queue=Took(), secrets=held)

    def answered(secret: str) -> int:
        body, signature = signed(secret, live=True)
        return webhook.receive({"headers": {"stripe-signature": signature}, "body": body.decode()})["statusCode"]

    assert (answered(OLD), answered(NEW)) == (200, 400)
    roll.start(deployed.stack, "stripe-signing", NEW, apply=True)
    assert (answered(OLD), answered(NEW), answered(OLD)) == (200, 200, 200)
    roll.prove(deployed.stack, answered, pause=lambda _: None)
    roll.finish(deployed.stack, "stripe-signing", apply=True)
    assert deployed.stack.secret(arn) == pair(NEW)
    held.close()


def test_without_apply_nothing_is_stored(deployed: Deployed) -> None:
    arn = holding(deployed, "stripe-signing", pair(OLD))
    rolled = roll.start(deployed.stack, "stripe-signing", NEW, apply=False)
    assert rolled.did == "tried, not stored"
    assert deployed.stack.secret(arn) == pair(OLD)


def test_a_new_identity_key_is_made_here_and_never_shown(deployed: Deployed) -> None:
    arn = holding(deployed, "identity", pair("k" * 32))
    lines = list(roll.told(roll.start(deployed.stack, "identity", None, apply=True)))
    held = json.loads(deployed.stack.secret(arn))
    assert held["previous"] == "k" * 32
    assert len(held["current"]) >= 32
    assert held["current"] not in "\n".join(lines)


def test_what_is_no_signing_secret_is_refused_and_not_shown(deployed: Deployed) -> None:
    holding(deployed, "stripe-signing", pair(OLD))
    with pytest.raises(RefusedError, match="starts with whsec_") as refused:
        roll.start(deployed.stack, "stripe-signing", "sk_live_mistake", apply=True)
    assert "sk_live_mistake" not in str(refused.value)


def test_the_same_value_again_is_refused(deployed: Deployed) -> None:
    holding(deployed, "stripe-signing", pair(OLD))
    with pytest.raises(RefusedError, match="held already"):
        roll.start(deployed.stack, "stripe-signing", OLD, apply=True)


def test_a_key_that_the_vendor_refuses_is_not_stored(deployed: Deployed) -> None:
    arn = holding(deployed, "kit", "kit_old")

    def kit(asked: Asked) -> Answer:
        return Answer.of({}, 200 if asked.headers["x-kit-api-key"] == "kit_new" else 401)

    with serving(kit) as server:
        functions = [{"purpose": "sync", "destination": "kit", "name": "sync-kit"}]
        object.__setattr__(deployed.stack, "contract", {**deployed.stack.contract, "functions": functions})
        object.__setattr__(
            deployed.stack, "function_environment", lambda *_: {"KIT_API_BASE": server.url, Env.STACK: "test"}
        )
        with pytest.raises(RefusedError, match="does not work"):
            roll.start(deployed.stack, "kit", "kit_wrong", apply=True)
        assert deployed.stack.secret(arn) == "kit_old"
        rolled = roll.start(deployed.stack, "kit", "kit_new", apply=True)
    assert deployed.stack.secret(arn) == "kit_new"
    assert "kitApiKey" in rolled.next_steps[0]


def test_a_stripe_key_of_the_other_mode_is_refused(deployed: Deployed) -> None:
    holding(deployed, "stripe-read", "rk_live_old")
    with pytest.raises(RefusedError, match="the stack is of the live mode"):
        roll.start(deployed.stack, "stripe-read", "rk_test_new", apply=True)


def test_a_proof_that_fails_says_what_the_webhook_answers(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roll, "PROOF_SECONDS", 0.0)
    holding(deployed, "stripe-signing", pair(NEW, OLD))
    with pytest.raises(RefusedError, match="answers 400"):
        roll.prove(deployed.stack, lambda _: 400, pause=lambda _: None)


@pytest.mark.parametrize(("purpose", "value"), [("stripe-signing", None), ("kit", " "), ("nobody", "x" * 40)])
def test_a_call_that_means_nothing_says_what_would(deployed: Deployed, purpose: str, value: str | None) -> None:
    holding(deployed, "stripe-signing", pair(OLD))
    holding(deployed, "kit", "kit_old")
    with pytest.raises(UsageError):
        roll.start(deployed.stack, purpose, value, apply=True)


def test_finishing_what_holds_no_previous_value_is_refused(deployed: Deployed) -> None:
    holding(deployed, "identity", pair("k" * 32))
    with pytest.raises(RefusedError, match="nothing to finish"):
        roll.finish(deployed.stack, "identity", apply=True)
    with pytest.raises((UsageError, VendorError)):
        roll.finish(deployed.stack, "slack", apply=True)
