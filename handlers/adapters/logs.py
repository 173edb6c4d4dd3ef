"""Structured logs and metrics on stdout: one JSON object a line, free of personal data and secrets.

CloudWatch Logs takes a function's stdout line by line; a line in embedded metric format (EMF) also becomes a metric.
Standard library only: the webhook function imports this module.
"""

import hashlib
import json
import math
import os
import re
import sys
import time
from collections.abc import Mapping
from functools import cache
from typing import Literal

from handlers.settings import Env

Level = Literal["debug", "info", "warning", "error"]

METRIC_NAMESPACE = "LaunchReady"

# Possessive quantifiers (`++`) keep each search linear in the length of the text.
_SECRETS = (
    r"(?<![A-Za-z0-9])(?:"
    r"(?:[sr]k|whsec)_[\w+/=-]+"  # Stripe: secret and restricted keys, signing secrets
    r"|xox[a-z]-[\w.-]+|xapp-[\w-]+"  # Slack: bot, user and app tokens
    r"|kit_[A-Za-z0-9]{12,}+"  # Kit: API keys
    r"|lc1_[\w-]++"  # ours: claim tokens
    r"|A[KS]IA[A-Z0-9]{16}"  # AWS: access key ids
    r"|(?:Bearer|Basic) [\w.~+/=-]++"  # whatever else an Authorization header carries
    r")"
)
_EMAIL = (
    r"(?:"
    r"(?<![^\s@<>(),:;\"\\\[\]])(?:[^\s@<>(),:;\"\\\[\]%]|%(?!40))++"  # the local part
    r"|\"[^\"\n]{1,64}\""  # the local part in quotes
    r")(?:@|%40)[\w-]++(?:\.[\w-]++)*+"
)
_CARD = r"(?<!\w)\d(?:[ -]?\d){12,18}(?!\w)"
_CARD_NUMBERS = range(10**12, 10**19)

# Parts of which each secret and each e-mail address has one. A line without them, and without a card's digits, has
# nothing to redact, which is seen in a twentieth of the time that the patterns take, and without compiling them.
_SIGNS = ("@", "%40", "sk_", "rk_", "whsec_", "xox", "xapp-", "kit_", "lc1_", "AKIA", "ASIA", "Bearer ", "Basic ")
_DIGITS_ALIKE = bytes.maketrans(b"123456789", b"0" * 9)
_PLAIN = frozenset({str, int, bool})

_encode = json.JSONEncoder(separators=(",", ":")).encode


def redact(text: str) -> str:
    """`text` without e-mail addresses, tokens of the vendors that we use, and 13 to 19 digit card-like numbers."""
    secrets, email, card = _patterns()
    return card.sub("[number]", email.sub("[email]", secrets.sub("[token]", text)))


def log(level: Level, message: str, **fields: object) -> None:
    """Print one line `{"level", "message", **fields}`, redacted; fields that are None are left out."""
    record = {"level": level, "message": message, **{k: v for k, v in fields.items() if v is not None}}
    if _PLAIN.issuperset(map(type, record.values())) and _is_harmless(line := _encode(record)):
        _print(line)
    else:
        _print(_encode(_clean(record)))


def metric(name: str, value: float, unit: str = "Count", **dimensions: str) -> None:
    """Print one EMF line: `value` of `name` in the namespace LaunchReady, with `dimensions`.

    In a function the stack is a dimension too, and there is a metric by the stack alone, which alarms watch:
    CloudWatch sums no metric over dimensions that an alarm does not name.

    `unit` is one of CloudWatch's (Count, Milliseconds, Seconds, Bytes, …).
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    if name in dimensions:
        raise ValueError(f"metric {name!r} has a dimension of the same name; EMF keeps both in one object")
    stack = os.environ.get(Env.STACK)
    if stack:
        dimensions = {**dimensions, "stack": stack}
    every = [sorted(dimensions)]
    directive = {
        "Namespace": METRIC_NAMESPACE,
        "Dimensions": [["stack"], *every] if stack and len(dimensions) > 1 else every,
        "Metrics": [{"Name": name, "Unit": unit}],
    }
    envelope = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}
    _print(_encode({"_aws": envelope, name: value, **{key: redact(text) for key, text in dimensions.items()}}))


def email_hash(email: str) -> str:
    """A short stable name for an e-mail address in logs: 16 hex digits of SHA-256 of its lower-case form.

    It lets a person who knows the address find its lines. It is a pseudonym, not anonymous: addresses can be guessed.
    """
    return hashlib.sha256(email.strip().lower().encode("utf-8", "replace")).hexdigest()[:16]


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """Secrets, e-mail addresses and card numbers; compiled at the first use, as few lines of the webhook need it."""
    return re.compile(_SECRETS), re.compile(_EMAIL), re.compile(_CARD)


def _is_harmless(line: str) -> bool:
    """Whether `redact` would leave each text in this line of JSON as it is.

    Texts stand in it as they are, but where a backslash is: that line is for the patterns.
    """
    if "\\" in line or b"0" * 13 in line.encode("ascii").translate(_DIGITS_ALIKE, b" -"):
        return False
    return not any(map(line.__contains__, _SIGNS))


def _clean(value: object) -> object:
    """`value` as redacted JSON data; what JSON does not know becomes its redacted text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return "[number]" if abs(value) in _CARD_NUMBERS else value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, Mapping):
        return {redact(str(key)): _clean(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_clean(item) for item in value]
    return redact(str(value))
