"""Takes secrets and people's addresses out of text before it is recorded anywhere."""

import hashlib
import re

SECRET = re.compile(
    r"(?P<kind>"
    r"(?:sk|rk)_(?:live|test)_"  # Stripe API keys
    r"|whsec_"  # Stripe signing secrets
    r"|xox[abpros]-"  # Slack tokens
    r"|kit_"  # Kit API keys
    r"|AKIA|ASIA"  # AWS access key ids
    r"|gh[pousr]_"  # GitHub tokens
    r")[0-9A-Za-z+/=_-]{6,}"
)
PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
SIGNATURE = re.compile(r"\b(v1=)[0-9a-f]{64}\b")


def recordable(text: str) -> str:
    """`text` without secrets and without control characters: a server's answer must not drive a terminal."""
    return CONTROL.sub("�", redact(text))


def redact(text: str) -> str:
    """`text` with each secret replaced by its kind and the first eight hex digits of its SHA-256.

    The digest tells two values apart without telling either.
    """
    text = PRIVATE_KEY.sub("[private key]", text)
    text = SIGNATURE.sub(r"\1[signature]", text)
    return SECRET.sub(lambda found: f"{found['kind']}…{_digest(found[0])}", text)


def holds_secret(text: str) -> bool:
    """Whether `text` contains what only a secret looks like."""
    return bool(SECRET.search(text) or PRIVATE_KEY.search(text))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()[:8]
