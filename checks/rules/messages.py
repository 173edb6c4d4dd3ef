"""Rules over seed messages: what was really sent aligns, and can be unsubscribed from."""

import re

from checks.contract import Contract
from checks.model import Verdict, judge
from checks.probes.dkim import Signature
from checks.probes.messages import Message

ONE_CLICK = "List-Unsubscribe=One-Click"
HTTPS = re.compile(r"<https://[^>\s]+>")
COVERED = frozenset({"list-unsubscribe", "list-unsubscribe-post"})


def align(contract: Contract, facts: tuple[Message, ...]) -> Verdict:
    """mail.align: each seed message passes DMARC, came over TLS, from an address whose PTR leads back (RFC 9989 5.3).

    One of SPF and DKIM is enough for DMARC; Gmail and Yahoo ask for both, so one alone warns, as does a sender without
    a seed message. Alignment is relaxed: the zone is the organisation's domain.
    """
    problems: list[str] = []
    warnings: list[str] = []
    for message in facts:
        failing, warning = _judged(contract, message)
        problems += [f"{message.file}: {text}" for text in failing]
        warnings += [f"{message.file}: {text}" for text in warning]
    seen = {message.author for message in facts}
    unseen = [f"{sender.via} at {sender.domain}" for sender in contract.mail.senders if sender.domain not in seen]
    warnings += [f"no seed message of {', '.join(unseen)}"] if unseen else []
    return judge(
        "every seed message aligned, over TLS, from a confirmed name",
        seen=f"{len(facts)} messages",
        problems=problems,
        warnings=warnings,
        evidence=tuple(_line(message) for message in facts),
    )


def unsubscribe(contract: Contract, facts: tuple[Message, ...]) -> Verdict:
    """mail.unsub: marketing mail has List-Unsubscribe with an https address and One-Click, both signed (RFC 8058 3, 4).

    Whether the address takes the request is not tried: it would unsubscribe the mailbox.
    """
    problems = []
    for message in facts:
        if not HTTPS.search(message.unsubscribe):
            problems.append(f"{message.file}: List-Unsubscribe {message.unsubscribe or '(none)'}: no https address")
        if message.unsubscribe_post != ONE_CLICK:
            problems.append(f"{message.file}: List-Unsubscribe-Post {message.unsubscribe_post or '(none)'}")
        if not any(one.verified and one.covers >= COVERED for one in _aligned(contract, message)):
            problems.append(f"{message.file}: no aligned signature covers both headers")
    return judge(
        f"List-Unsubscribe with https and {ONE_CLICK}, covered by DKIM",
        seen=f"{len(facts)} newsletters",
        problems=problems,
        evidence=tuple(_line(message) for message in facts),
    )


def _judged(contract: Contract, message: Message) -> tuple[list[str], list[str]]:
    """Problems and warnings of one message."""
    if message.author not in {sender.domain for sender in contract.mail.senders}:
        return [f"From is at {message.author or '(nothing)'}, which no sender is declared for"], []
    dkim = any(one.verified for one in _aligned(contract, message))
    spf = message.spf == "pass" and _of_zone(contract, message.envelope)
    problems = [] if dkim or spf else [f"DMARC fails: {_proof(message)}"]
    warnings = [] if dkim and spf else [f"{'SPF' if dkim else 'DKIM'} does not align: {_proof(message)}"]
    if message.arrival is None:
        return [*problems, "no Received field says where it came from"], []
    if not message.arrival.tls:
        problems.append(f"came from {message.arrival.client} without TLS")
    if not message.arrival.confirmed:
        problems.append(f"{message.arrival.client}: no PTR leads back to it ({', '.join(message.arrival.names)})")
    return problems, [] if problems else warnings


def _aligned(contract: Contract, message: Message) -> list[Signature]:
    return [one for one in message.signatures if _of_zone(contract, one.domain)]


def _of_zone(contract: Contract, domain: str) -> bool:
    return domain == contract.domain or domain.endswith(f".{contract.domain}")


def _proof(message: Message) -> str:
    signed = [f"d={one.domain} {one.fault or 'holds'}" for one in message.signatures] or ["no signature"]
    return f"SPF {message.spf} for {message.envelope or '(empty)'}; {', '.join(signed)}"


def _line(message: Message) -> str:
    return f"{message.file}: From {message.author}; {_proof(message)}"
