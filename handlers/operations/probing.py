"""A harmless event of our own, signed, at the stack's public webhook: the ledger keeps it as ignored."""

import hashlib
import hmac
import json
import os
import time

import requests

from handlers.operations.errors import StackError
from handlers.operations.roll import Probe
from handlers.operations.stack import LiveStack

TYPE = "launch_ready.secret_rolled"
TIMEOUT_SECONDS = 15.0


def webhook(stack: LiveStack) -> Probe:
    """Posts to the endpoint that the contract names; StackError when it cannot be reached."""
    url = stack.contract["endpoints"]["webhook"]

    def probe(secret: str) -> int:
        body, signature = signed(secret, live=stack.live)
        headers = {"content-type": "application/json", "stripe-signature": signature}
        try:
            return requests.post(
                url, data=body, headers=headers, timeout=TIMEOUT_SECONDS, allow_redirects=False
            ).status_code
        except requests.RequestException as error:
            raise StackError(f"{url} cannot be reached: {type(error).__name__}") from None

    return probe


def signed(secret: str, *, live: bool) -> tuple[bytes, str]:
    """The body of an event that means nothing, and its Stripe-Signature header."""
    at = int(time.time())
    event = {"id": f"evt_probe_{os.urandom(8).hex()}", "object": "event", "type": TYPE, "created": at, "livemode": live}
    body = json.dumps({**event, "data": {"object": {"object": "probe"}}}).encode()
    mac = hmac.new(secret.encode(), b"%d." % at + body, hashlib.sha256).hexdigest()
    return body, f"t={at},v1={mac}"
