from pathlib import Path

import dkim as dkimpy
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from checks.errors import NeedsInput, NotDeclared, ProbeError
from checks.probes import messages
from checks.rules import messages as rules
from tests.checks.loopback import NameServer
from tests.checks.test_probes_mail import rsa_text

APEX = "tidewriters.example"
KEY = rsa.generate_private_key(65537, 2048)
PRIVATE = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
)
HOP = "from mta.vendor.example (mta.vendor.example [192.0.2.10]) by mx.mailbox.example with ESMTPS id 1; now"
INSIDE = "from in.mailbox.example ([10.0.0.1]) by store.mailbox.example with LMTP; now"
UNSUBSCRIBE = ("List-Unsubscribe: <https://news.example/u/1>", "List-Unsubscribe-Post: List-Unsubscribe=One-Click")


@pytest.fixture
def published(names: NameServer) -> NameServer:
    names.set(f"s1._domainkey.mail.{APEX}", "TXT", rsa_text(KEY.public_key()))
    names.set(f"send.mail.{APEX}", "TXT", '"v=spf1 ip4:192.0.2.10 -all"')
    names.set("10.2.0.192.in-addr.arpa", "PTR", "mta.vendor.example.")
    names.set("mta.vendor.example", "A", "192.0.2.10")
    return names


@pytest.fixture
def newsletter(declared):
    """The contract, whose mail domain sends marketing mail."""
    senders = tuple(one.model_copy(update={"kind": "marketing"}) for one in declared.mail.senders[1:])
    return declared.model_copy(update={"mail": declared.mail.model_copy(update={"senders": senders})})


def saved(
    folder: Path,
    *lines: str,
    author: str = f"ada@mail.{APEX}",
    envelope: str = f"b@send.mail.{APEX}",
    hop: str = HOP,
    signed_as: str = f"mail.{APEX}",
) -> str:
    """A message as a mailbox keeps it: signed by the sender, the trace on top."""
    message = "\r\n".join([f"From: Ada <{author}>", "Subject: Tides", *lines, "", "It is time.", ""]).encode()
    if signed_as:
        message = dkimpy.sign(message, b"s1", signed_as.encode(), PRIVATE, include_headers=_covered(lines)) + message
    trace = f"Return-Path: <{envelope}>\r\nReceived: {INSIDE}\r\n" + (f"Received: {hop}\r\n" if hop else "")
    path = folder / f"{abs(hash((author, envelope, hop, signed_as, lines)))}.eml"
    path.write_bytes(trace.encode() + message)
    return str(path)


def _covered(lines: tuple[str, ...]) -> list[bytes]:
    return [b"from", b"subject", *(line.partition(":")[0].lower().encode() for line in lines)]


def judged(look, subject, *files: str):
    facts = messages.seeds(look(subject=subject, seed_messages=files))
    return rules.align(subject, facts)


def test_a_message_that_is_signed_and_comes_from_where_it_may_is_aligned(look, published, newsletter, tmp_path):
    verdict = judged(look, newsletter, saved(tmp_path))

    assert (verdict.status, verdict.actual) == ("pass", "1 messages")


@pytest.mark.parametrize(
    "hop",
    [
        "from mta.vendor.example (mta.vendor.example. [192.0.2.10]) by mx.google.com with ESMTPS id a (version=TLS1_3)",
        "from mta.vendor.example (192.0.2.10) by mx.outlook.example (10.0.0.1) with Microsoft SMTP (version=TLS1_2)",
        "from helo.example (mta.vendor.example [192.0.2.10]) (using TLSv1.3 with cipher X) by mx.example with ESMTP",
    ],
)
def test_the_trace_of_each_mailbox_provider_is_read(look, published, newsletter, tmp_path, hop):
    assert judged(look, newsletter, saved(tmp_path, hop=hop)).status == "pass"


CASES = {
    "a forged signature": ({"signed_as": "elsewhere.example"}, "warn", "DKIM does not align"),
    "no signature": ({"signed_as": ""}, "warn", "DKIM does not align"),
    "the vendor's own envelope": ({"envelope": "b@vendor.example"}, "warn", "SPF does not align"),
    "neither": ({"signed_as": "", "envelope": "b@vendor.example"}, "fail", "DMARC fails"),
    "nobody's domain": ({"author": f"ada@shop.{APEX}"}, "fail", "which no sender is declared for"),
    "no trace": ({"hop": ""}, "fail", "no Received field"),
    "no TLS": ({"hop": HOP.replace("ESMTPS", "ESMTP")}, "fail", "without TLS"),
    "an address without a name": ({"hop": HOP.replace("192.0.2.10", "192.0.2.11")}, "fail", "no PTR leads back"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_proves_too_little_is_told(look, published, newsletter, tmp_path, case):
    changes, status, said = CASES[case]

    verdict = judged(look, newsletter, saved(tmp_path, **changes))

    assert verdict.status == status
    assert said in verdict.actual


def test_senders_without_a_seed_message_are_named(look, published, declared, tmp_path):
    verdict = judged(look, declared, saved(tmp_path))

    assert (verdict.status, verdict.actual) == ("warn", f"no seed message of google at {APEX}")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (UNSUBSCRIBE, ""),
        ((), "List-Unsubscribe (none): no https address"),
        (UNSUBSCRIBE[:1], "List-Unsubscribe-Post (none)"),
        (("List-Unsubscribe: <mailto:u@news.example>", UNSUBSCRIBE[1]), "no https address"),
        (("List-Unsubscribe: <http://news.example/u>", UNSUBSCRIBE[1]), "no https address"),
        ((UNSUBSCRIBE[0], "List-Unsubscribe-Post: yes"), "List-Unsubscribe-Post yes"),
    ],
)
def test_a_newsletter_can_be_left_with_one_click(look, published, newsletter, tmp_path, lines, said):
    facts = messages.marketing_seeds(look(subject=newsletter, seed_messages=(saved(tmp_path, *lines),)))

    verdict = rules.unsubscribe(newsletter, facts)

    assert (verdict.status == "pass") == (not said)
    assert said in verdict.actual


def test_headers_that_anybody_could_have_added_do_not_count(look, published, newsletter, tmp_path):
    path = Path(saved(tmp_path))
    path.write_bytes("".join(f"{line}\r\n" for line in UNSUBSCRIBE).encode() + path.read_bytes())

    facts = messages.marketing_seeds(look(subject=newsletter, seed_messages=(str(path),)))

    assert "no aligned signature covers both headers" in rules.unsubscribe(newsletter, facts).actual


def test_what_is_missing_is_asked_for(look, newsletter, declared, tmp_path):
    nobody = declared.model_copy(update={"mail": declared.mail.model_copy(update={"senders": ()})})
    with pytest.raises(NotDeclared):
        messages.seeds(look(subject=nobody))
    with pytest.raises(NotDeclared, match="no sender of marketing mail"):
        messages.marketing_seeds(look())
    with pytest.raises(NeedsInput, match=r"saved from a mailbox with all headers"):
        messages.seeds(look())
    with pytest.raises(NeedsInput, match=f"a newsletter from mail.{APEX}"):
        messages.marketing_seeds(look(subject=newsletter, seed_messages=(saved(tmp_path, author=f"a@{APEX}"),)))
    with pytest.raises(ProbeError, match="cannot read the seed message"):
        messages.seeds(look(seed_messages=(str(tmp_path / "none.eml"),)))


def test_a_message_without_bounds_is_not_read(look, tmp_path, monkeypatch):
    monkeypatch.setattr(messages, "OCTETS_MOST", 100)
    with pytest.raises(ProbeError, match="more than 100 bytes"):
        messages.seeds(look(seed_messages=(saved(tmp_path),)))
