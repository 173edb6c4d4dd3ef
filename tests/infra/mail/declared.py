"""Mail as a stack declares it, for the tests."""

import json
from typing import Any

from infra.mail.sections import Mail

DOMAIN = "tidewriters.example"
KEY = {"selector": "s1", "type": "TXT", "value": "v=DKIM1; p=AAAA"}
TOKENS = ["a" * 32, "b" * 32, "c" * 32]
KIT = "dm-1.sg7.convertkit.com"
SENDERS: dict[str, dict[str, Any]] = {
    "google": {"kind": "people", "dkim": [{**KEY, "selector": "google"}]},
    "microsoft365": {
        "kind": "people",
        "dkim": [
            {
                "selector": f"selector{n}",
                "type": "CNAME",
                "value": f"selector{n}-tidewriters-example._domainkey.tidewriters.n-v1.dkim.mail.microsoft",
            }
            for n in (1, 2)
        ],
    },
    "postmark": {"kind": "transactional", "dkim": [{**KEY, "selector": "20261102093012pm", "value": "k=rsa;p=AAAA"}]},
    "resend": {
        "kind": "transactional",
        "region": "eu-west-1",
        "dkim": [{**KEY, "selector": "resend", "value": "p=AAAA"}],
    },
    "sendgrid": {
        "kind": "transactional",
        "returnPath": "em1234",
        "returnPathTarget": "u1234567.wl123.sendgrid.net",
        "dkim": [
            {"selector": f"s{n}", "type": "CNAME", "value": f"s{n}.domainkey.u1234567.wl123.sendgrid.net"}
            for n in (1, 2)
        ],
    },
    "ses": {
        "kind": "transactional",
        "region": "eu-west-1",
        "returnPath": "bounce",
        "dkim": [{"selector": token, "type": "CNAME", "value": f"{token}.dkim.amazonses.com"} for token in TOKENS],
    },
    "mailgun": {
        "kind": "transactional",
        "dkim": [
            {"selector": f"pdk{n}", "type": "CNAME", "value": f"pdk{n}._domainkey.c0e6d9.dkim1.eu.mgsend.org"}
            for n in (1, 2)
        ],
    },
    "kit": {
        "kind": "marketing",
        "returnPathTarget": f"spf.{KIT}",
        "dkim": [{"selector": "cka", "type": "CNAME", "value": f"dkim.{KIT}"}],
    },
    "plain": {"kind": "people", "spf": ["ip4:192.0.2.10"], "dkim": [KEY]},
}


def sender(via: str, domain: str = "@", **changes: Any) -> dict[str, Any]:
    """One sender as its vendor asks for it, with some keys changed."""
    return {"via": via, "domain": domain, **SENDERS[via], **changes}


def raw(*senders: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The section, as it stands in a stack's file."""
    return {
        "receive": {"via": "google"},
        "senders": list(senders),
        "dmarc": {"rua": [f"mailto:dmarc@{DOMAIN}"]},
        **changes,
    }


def mail(*senders: dict[str, Any], **changes: Any) -> Mail:
    """The section, read as a stack's is."""
    return Mail.model_validate_json(json.dumps(raw(*senders, **changes)))
