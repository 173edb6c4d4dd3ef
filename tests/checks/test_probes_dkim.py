import base64
from collections.abc import Callable
from typing import Any

import dkim as dkimpy
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.probes import dkim, dns
from tests.checks.loopback import NameServer
from tests.checks.mail_oracles import dkim_says

DOMAIN = b"tidewriters.example"
NAME = "s1._domainkey.tidewriters.example"
MESSAGE = (
    b"Received: from a.example by b.example\r\n"
    b"From: Ada <ada@tidewriters.example>\r\n"
    b"To: bob@b.example\r\n"
    b"Subject: The  tide\r\n   turns\r\n"
    b"Date: Sat, 21 Nov 2026 10:00:00 +0000\r\n"
    b"\r\n"
    b"Dear Bob, \t it is  time.\r\n\r\n\r\n"
)
RSA = rsa.generate_private_key(65537, 2048)
SIMPLE, RELAXED = (b"simple", b"simple"), (b"relaxed", b"relaxed")


def signed(message: bytes = MESSAGE, **options: Any) -> bytes:
    private = RSA.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    return dkimpy.sign(message, b"s1", DOMAIN, private, **{"canonicalize": RELAXED, **options}) + message


def record() -> str:
    octets = RSA.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return f"v=DKIM1; k=rsa; p={base64.b64encode(octets).decode()}"


def publish(names: NameServer, *texts: str) -> None:
    parts = [" ".join(f'"{text[n : n + 255]}"' for n in range(0, len(text), 255)) for text in texts]
    names.set(NAME, "TXT", *parts)


def changed(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def change(message: bytes) -> bytes:
        assert old in message
        return message.replace(old, new)

    return change


EDWARDS = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
FOOTBALL = """\
DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=brisbane; t=1528637909; h=from : to :
 subject : date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus
 Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==
From: Joe SixPack <joe@football.example.com>
To: Suzie Q <suzie@shopping.example.net>
Subject: Is dinner ready?
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
Message-ID: <20030712040037.46341.5F8J@football.example.com>

Hi.

We lost the game.  Are you hungry yet?

Joe.
"""
SAME: Callable[[bytes], bytes] = lambda message: message  # noqa: E731 - one of a table's changes
# What is signed how, what happened to it, what is published; whether it holds; what is said.
TABLE: list[tuple[str, bytes, Callable[[bytes], bytes], tuple[str, ...], str]] = [
    *((f"good {how}", signed(canonicalize=(how, how)), SAME, (record(),), "") for how in (b"simple", b"relaxed")),
    ("without v=", signed(), SAME, (record().removeprefix("v=DKIM1; "),), ""),
    ("folded anew", signed(), changed(b"The  tide\r\n   turns", b"The tide turns"), (record(),), ""),
    ("empty lines at the end", signed(), lambda message: message + b"\r\n\r\n", (record(),), ""),
    ("an empty body", signed(message=MESSAGE.partition(b"Dear")[0]), SAME, (record(),), ""),
    ("line feeds alone", signed(), changed(b"\r\n", b"\n"), (record(),), ""),
    ("another trace field", signed(), lambda message: b"Received: from x by y\r\n" + message, (record(),), ""),
    ("folded anew, simple", signed(canonicalize=SIMPLE), changed(b"The  tide", b"The tide"), (record(),), "(b)"),
    ("another body", signed(), changed(b"time", b"late"), (record(),), "(bh)"),
    ("another subject", signed(), changed(b"The  tide", b"The  moon"), (record(),), "(b)"),
    ("another author", signed(), changed(b"From: Ada", b"From: Eve"), (record(),), "(b)"),
    ("no key", signed(), SAME, (), "0 keys"),
    ("a revoked key", signed(), SAME, ("v=DKIM1; p=",), "revoked"),
    ("no base64", signed(), SAME, ("v=DKIM1; p=!",), "not base64"),
    ("the key of another", signed(), SAME, (EDWARDS,), "not for this signature"),
    ("a key for other things", signed(), SAME, (record() + "; s=tlsrpt",), "not for mail"),
    ("sha1", signed(), changed(b"a=rsa-sha256", b"a=rsa-sha1"), (record(),), "not accepted"),
    ("another domain", signed(), changed(b"d=tidewriters", b"d=elsewhere"), (record(),), "is not of d="),
]  # fmt: skip


@pytest.mark.parametrize(
    ("message", "change", "published", "said"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_signatures_hold_or_say_why_not_as_dkimpy_does(look, names, message, change, published, said):
    publish(names, *published)
    scope = look()
    arrived = change(message)

    [found] = dkim.signatures(arrived, lambda name: dns.look_up(scope, name, "TXT").records)

    assert said in found.fault
    assert found.verified == (not said) == _oracle(scope, arrived)


def test_the_example_of_rfc_8463_holds():
    """dkimpy signs and verifies Ed25519 only with PyNaCl; the RFC's own message (appendix A.3) is the oracle here."""
    [found] = dkim.signatures(FOOTBALL.encode(), lambda name: (EDWARDS,))
    [changed] = dkim.signatures(FOOTBALL.replace("hungry", "thirsty").encode(), lambda name: (EDWARDS,))

    assert (found.domain, found.fault) == ("football.example.com", "")
    assert changed.fault == "the body was changed (bh)"


def _oracle(scope: Any, message: bytes) -> bool:
    try:
        return dkim_says(scope, message)
    except (dkimpy.DKIMException, ValueError):  # dkimpy raises for some of what it does not verify
        return False


def test_what_a_signature_covers_is_told(look, names):
    publish(names, record())
    scope = look()

    [found] = dkim.signatures(signed(), lambda name: dns.look_up(scope, name, "TXT").records)

    assert (found.domain, found.selector) == ("tidewriters.example", "s1")
    assert {"from", "to", "subject"} <= found.covers
    assert "received" not in found.covers


def test_a_signature_of_a_part_of_the_body_proves_too_little(look, names):
    """dkimpy accepts l=, as RFC 6376 lets a verifier; who appends to the message would be covered by it."""
    publish(names, record())
    scope = look()
    message = signed(length=True) + b"Buy this!\r\n"

    [found] = dkim.signatures(message, lambda name: dns.look_up(scope, name, "TXT").records)

    assert dkim_says(scope, message)
    assert found.fault == "l= does not cover the whole body"


@settings(max_examples=12, deadline=None)
@given(
    body=st.text(st.sampled_from("ab \t\r\n.é"), max_size=80), subject=st.text(st.sampled_from("ab \t"), max_size=20)
)
def test_whatever_dkimpy_signs_holds(body: str, subject: str) -> None:
    head = b"From: ada@tidewriters.example\r\nSubject: " + subject.encode() + b"\r\n\r\n"
    text = body.replace("\r", "").replace("\n", "\r\n").encode() + b"\r\n"  # as SMTP carries it
    for how in (b"simple", b"relaxed"):
        message = signed(message=head + text, canonicalize=(how, how))
        [found] = dkim.signatures(message, lambda name: (record(),))
        assert found.verified, found.fault


@given(st.binary(max_size=200))
def test_no_octets_break_the_reading(octets: bytes) -> None:
    for one in dkim.signatures(b"DKIM-Signature: v=1; a=rsa-sha256; " + octets, lambda name: ()):
        assert not one.verified
