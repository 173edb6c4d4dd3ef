"""Roll a secret: the new value is tried before it is stored, the old one counts until everybody has the new one.

Nothing is lost on the way: the webhook and apply hold two signing keys at a time, a vendor takes both of its keys until
the old one is revoked there, and functions look for a new value within five minutes. The value comes from standard
input, never from an argument, which every process of the machine can read.
"""

import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import botocore.exceptions

from handlers.adapters import http
from handlers.adapters.secrets import MAX_AGE_SECONDS
from handlers.adapters.stripe_read import StripeReader
from handlers.core import identity
from handlers.core.errors import VendorError
from handlers.operations import audit
from handlers.operations.errors import RefusedError, StackError, UsageError
from handlers.operations.stack import LiveStack
from handlers.settings import DESTINATIONS

SIGNING, IDENTITY, STRIPE_READ = "stripe-signing", "identity", "stripe-read"
PAIRS = (SIGNING, IDENTITY)  # held as {"current", "previous"}
PURPOSES = (SIGNING, IDENTITY, STRIPE_READ, *(spec.name for spec in DESTINATIONS))
CONFIG_KEYS = {IDENTITY: "identityKey", STRIPE_READ: "stripeReadKey", **{d.name: d.config_secret for d in DESTINATIONS}}
TRY_SECONDS = 10.0
PROOF_SECONDS = 75.0  # the webhook looks for a new secret at most once a minute
HTTP_OK = 200

Probe = Callable[[str], int]  # posts an event signed with a secret to the webhook; the status that it answers


@dataclass(frozen=True, kw_only=True)
class Rolled:
    """What was done, or would be, and what is left to do."""

    purpose: str
    did: str
    next_steps: tuple[str, ...]


def start(stack: LiveStack, purpose: str, value: str | None, *, apply: bool) -> Rolled:
    """Store `value` as the new secret for `purpose`, once it was seen to work; a new identity key is made here.

    Raises UsageError, RefusedError where the value does not work, and StackError.
    """
    arn = _arn(stack, purpose)
    held = stack.secret(arn)
    new = secrets.token_urlsafe(48) if purpose == IDENTITY and value is None else _given(purpose, value)
    _refuse_useless(stack, purpose, new, held)
    document = _with(new, held) if purpose in PAIRS else new
    if apply:
        _store(stack, arn, document)
        audit.record(stack, "roll", secret=purpose, step="start")
    return Rolled(purpose=purpose, did="stored" if apply else "tried, not stored", next_steps=_after(purpose))


def finish(stack: LiveStack, purpose: str, *, apply: bool) -> Rolled:
    """Let go of the previous value of a secret that is held as a pair. Raises UsageError, RefusedError, StackError."""
    if purpose not in PAIRS:
        raise UsageError(f"{purpose} has no previous value here: revoke the old key at the vendor")
    arn = _arn(stack, purpose)
    current, previous = _pair(stack.secret(arn))
    if previous is None:
        raise RefusedError(f"{purpose} holds no previous value: there is nothing to finish")
    if apply:
        _store(stack, arn, json.dumps({"current": current, "previous": None}))
        audit.record(stack, "roll", secret=purpose, step="finish")
    return Rolled(purpose=purpose, did="let go of the previous value" if apply else "nothing yet", next_steps=())


def prove(stack: LiveStack, probe: Probe, pause: Callable[[float], None] = time.sleep) -> None:
    """See the deployed webhook take what is signed with either signing secret. Raises RefusedError.

    It looks for a new secret at most once a minute, so the first tries may be refused.
    """
    for secret in (value for value in _pair(stack.secret(_arn(stack, SIGNING))) if value):
        deadline = time.monotonic() + PROOF_SECONDS
        while (status := probe(secret)) != HTTP_OK:
            if time.monotonic() > deadline:
                raise RefusedError(f"the webhook answers {status} to what is signed with one of its secrets")
            pause(TRY_SECONDS)


def told(rolled: Rolled) -> Iterator[str]:
    """The outcome, as lines."""
    yield f"{rolled.purpose}: {rolled.did}"
    for number, step in enumerate(rolled.next_steps, start=1):
        yield f"{number}. {step}"


def _arn(stack: LiveStack, purpose: str) -> str:
    if purpose not in PURPOSES:
        raise UsageError(f"no secret {purpose!r}; known: {', '.join(PURPOSES)}")
    for secret in stack.contract["secrets"]:
        if secret["purpose"] == purpose:
            return secret["arn"]
    raise StackError(f"the contract names no secret for {purpose}: deploy this version of the program first")


def _given(purpose: str, value: str | None) -> str:
    text = (value or "").strip()
    if not text or not text.isprintable():
        raise UsageError(f"{purpose}: give the new value on standard input, alone and in one line")
    return text


def _with(new: str, held: str) -> str:
    current, _ = _pair(held)
    if new == current:
        raise RefusedError("that is the value which is held already: make a new one first")
    return json.dumps({"current": new, "previous": current})


def _pair(held: str) -> tuple[str, str | None]:
    match json.loads(held):
        case {"current": str(current), "previous": str() | None as previous}:
            return current, previous
    raise StackError('the secret does not hold {"current", "previous"}: deploy this version of the program first')


def _refuse_useless(stack: LiveStack, purpose: str, new: str, held: str) -> None:
    """Try a value as its function would. Raises RefusedError."""
    try:
        match purpose:
            case "stripe-signing":
                _looks_like(new, "whsec_", "the signing secret of the endpoint, as Stripe shows it")
            case "identity":
                identity.parse_keys(json.dumps({"current": new, "previous": None}))
            case "stripe-read":
                _try_stripe(stack, new)
            case "kit":
                _try_vendor("kit", f"{_base(stack, 'kit')}/account", {"X-Kit-Api-Key": new})
            case "slack":
                _try_slack(_base(stack, "slack"), new)
    except VendorError as error:
        raise RefusedError(f"{purpose}: the new value does not work: {error}") from None
    if new == held:
        raise RefusedError(f"{purpose}: that is the value which is held already: make a new one first")


def _looks_like(new: str, prefix: str, what: str) -> None:
    if not new.startswith(prefix) or len(new) < len(prefix) + 16:
        raise RefusedError(f"the new value must be {what}: it starts with {prefix}")


def _try_stripe(stack: LiveStack, new: str) -> None:
    reader = StripeReader(lambda: new, stack.settings.stripe_api_base)
    if reader.livemode is not None and reader.livemode is not stack.live:
        mode = "live" if stack.live else "test"
        raise RefusedError(f"stripe-read: the new key is of the other mode, and the stack is of the {mode} mode")
    for path in ("/v1/events", "/v1/subscriptions", "/v1/invoices", "/v1/invoice_payments", "/v1/checkout/sessions"):
        reader.page(path, {"limit": "1"})


def _try_vendor(name: str, url: str, headers: Mapping[str, str]) -> http.Response:
    answer = http.request("GET", url, headers=dict(headers), timeout=TRY_SECONDS)
    if answer.status != HTTP_OK:
        raise http.failure(answer, f"{name}: read account")
    return answer


def _try_slack(base: str, new: str) -> None:
    answer = http.request("POST", f"{base}/auth.test", headers={"Authorization": f"Bearer {new}"}, timeout=TRY_SECONDS)
    document: Any = answer.json() if answer.status == HTTP_OK else {}
    if not isinstance(document, dict) or document.get("ok") is not True:
        raise RefusedError("slack: the new value does not work: auth.test refuses it")


def _base(stack: LiveStack, name: str) -> str:
    spec = next(spec for spec in DESTINATIONS if spec.name == name)
    told = stack.function_environment("sync", name)
    return told.get(spec.base_url_env) or spec.base_url


def _store(stack: LiveStack, arn: str, document: str) -> None:
    try:
        stack.client("secretsmanager").put_secret_value(SecretId=arn, SecretString=document)
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
        raise StackError(f"secret {arn} cannot be written: {type(error).__name__}") from None


def _after(purpose: str) -> tuple[str, ...]:
    minutes = int(MAX_AGE_SECONDS // 60)
    config = f"pulumi config set --secret {CONFIG_KEYS.get(purpose, '')}"
    match purpose:
        case "stripe-signing":
            return (
                "launch-ready roll stripe-signing --prove: see the webhook take both secrets",
                "when Stripe's overlap is over: launch-ready roll stripe-signing --finish --apply",
            )
        case "identity":
            return (
                f"{config}, and identityKeyPrevious to what it was: the next pulumi up writes what the config says",
                f"{minutes} minutes from now, give the app the new key: both are held until then",
                "when the last claim link made with the old key is over: launch-ready roll identity --finish --apply",
            )
    return (
        f"{config}: the next pulumi up writes what the config says",
        f"{minutes} minutes from now, revoke the old key at the vendor",
    )
