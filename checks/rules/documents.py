"""Rules over the documents that the edge itself serves."""

import hashlib
import json
import re
from datetime import datetime, timedelta
from typing import Any

from checks.contract import Contract
from checks.model import Verdict, judge
from checks.probes.documents import DocumentFacts, SecurityTxtFacts

YEAR = timedelta(days=366)  # "less than a year into the future" (RFC 9116 section 2.5.5), a leap year's
APP_ID = re.compile(r"[A-Z0-9]{10}\.[A-Za-z0-9.-]+\Z")
FINGERPRINT = re.compile(r"(?:[0-9A-F]{2}:){31}[0-9A-F]{2}\Z")


def documents(_contract: Contract, facts: tuple[DocumentFacts, ...]) -> Verdict:
    """edge.documents: each declared document is served byte for byte, with its type, unredirected (SHA-256).

    Apple, Google and mail servers take no redirect for these (RFC 8461 section 3.3).
    """
    problems = [problem for one in facts for problem in _served_problems(one)]
    return judge(
        "200, the declared bytes and type, no redirect",
        seen=f"{len(facts)} documents",
        problems=problems,
        evidence=tuple(f"{one.answer.line()}, {one.answer.header('content-type')}" for one in facts),
    )


def app_links(_contract: Contract, facts: tuple[DocumentFacts, ...]) -> Verdict:
    """app.links: phones find who the app is: 200, JSON, no redirect, ids in their form (Apple, Google).

    That the ids are those of the published app is not known here; that they are the declared ones is edge.documents.
    """
    problems = []
    for one in facts:
        if one.answer.status != 200:
            problems.append(one.answer.line())
        elif one.answer.header("content-type").partition(";")[0].strip() != "application/json":
            problems.append(f"{one.answer.url}: Content-Type {one.answer.header('content-type') or '(none)'}")
        else:
            problems += [f"{one.answer.url}: {reason}" for reason in _link_problems(one)]
    return judge(
        "200 application/json with app ids and fingerprints in their form",
        seen=f"{len(facts)} documents",
        problems=problems,
        evidence=tuple(one.answer.line() for one in facts),
    )


def security_txt(_contract: Contract, facts: SecurityTxtFacts) -> Verdict:
    """http.security-txt: somebody can be told of a hole: Contact, and one Expires within a year (RFC 9116)."""
    answer = facts.answer
    fields = [line.partition(":")[::2] for line in answer.body.splitlines() if not line.startswith("#")]
    values: dict[str, list[str]] = {}
    for name, value in fields:
        values.setdefault(name.strip().lower(), []).append(value.strip())
    problems = [] if answer.status == 200 else [answer.line()]
    if not answer.header("content-type").lower().startswith("text/plain"):
        problems.append(f"Content-Type {answer.header('content-type') or '(none)'}, must be text/plain")
    if not any(value.startswith(("mailto:", "https://", "tel:")) for value in values.get("contact", ())):
        problems.append("no Contact that is a mailto:, https: or tel: URI")
    problems += _expiry_problems(values.get("expires", []), facts.moment)
    return judge(
        "text/plain with Contact, and Expires in the future, within a year",
        seen=f"until {', '.join(values.get('expires', []))}",
        problems=problems,
        evidence=(answer.line(), answer.body[:400]),
    )


def _served_problems(one: DocumentFacts) -> list[str]:
    answer, wanted = one.answer, one.document
    if answer.status != 200:
        return [answer.line()]
    problems = []
    if hashlib.sha256(answer.body.encode()).hexdigest() != wanted.sha256:
        problems.append(f"{answer.url}: not the declared bytes")
    if answer.header("content-type") != wanted.content_type:
        problems.append(f"{answer.url}: Content-Type {answer.header('content-type')}, declared {wanted.content_type}")
    return problems


def _link_problems(one: DocumentFacts) -> list[str]:
    try:
        told = json.loads(one.answer.body)
    except ValueError as error:
        return [f"not JSON: {error}"]
    try:
        return _apple_problems(told) if one.document.kind == "aasa" else _android_problems(told)
    except (KeyError, TypeError, AttributeError) as error:
        return [f"not in its form: {type(error).__name__}: {error}"]


def _apple_problems(told: Any) -> list[str]:
    ids = [app for detail in told["applinks"]["details"] for app in detail["appIDs"]]
    return [f"{app!r} is no app id" for app in ids if not APP_ID.match(app)] or ([] if ids else ["names no app"])


def _android_problems(told: Any) -> list[str]:
    prints = [one for statement in told for one in statement["target"]["sha256_cert_fingerprints"]]
    named = all(statement["target"]["package_name"] for statement in told)
    wrong = [f"{one!r} is no SHA-256 fingerprint" for one in prints if not FINGERPRINT.match(one)]
    return wrong or ([] if prints and named else ["names no app"])


def _expiry_problems(values: list[str], now: datetime) -> list[str]:
    if len(values) != 1:
        return [f"{len(values)} Expires, must be one"]
    try:
        end = datetime.fromisoformat(values[0])
    except ValueError:
        return [f"Expires {values[0]!r} is no date (RFC 3339)"]
    if end.tzinfo is None:
        return [f"Expires {values[0]!r} has no time zone (RFC 3339)"]
    if end <= now:
        return [f"expired on {end:%Y-%m-%d}"]
    return [] if end - now <= YEAR else [f"expires on {end:%Y-%m-%d}, more than a year from now"]
