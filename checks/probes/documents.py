"""Fetches what the edge itself serves: security.txt, app links, the MTA-STS policy."""

from dataclasses import dataclass
from datetime import UTC, datetime

from checks.contract import Document
from checks.errors import NotDeclared
from checks.probes.hosts import home_host
from checks.probes.http import Browser, Exchange
from checks.scope import Scope

APP_LINKS = frozenset({"aasa", "assetlinks"})


@dataclass(frozen=True, kw_only=True)
class DocumentFacts:
    """One declared document and what is served in its place."""

    document: Document
    answer: Exchange


@dataclass(frozen=True, kw_only=True)
class SecurityTxtFacts:
    """The security.txt of the home page's host, and when it was asked for."""

    answer: Exchange
    moment: datetime


def documents(scope: Scope) -> tuple[DocumentFacts, ...]:
    """Every declared document. Raises NotDeclared where there is none."""
    return _fetched(scope, scope.contract.edge.documents, "no document is declared for the edge to serve")


def app_links(scope: Scope) -> tuple[DocumentFacts, ...]:
    """The documents by which phones know the app. Raises NotDeclared where no app is declared."""
    found = tuple(one for one in scope.contract.edge.documents if one.kind in APP_LINKS)
    return _fetched(scope, found, "no mobile application is declared")


def security_txt(scope: Scope) -> SecurityTxtFacts:
    """The security.txt of the home page's host. Raises NotDeclared where none is declared and none is served."""
    url = f"https://{home_host(scope)}/.well-known/security.txt"
    declared = any(one.kind == "security-txt" for one in scope.contract.edge.documents)
    with Browser(scope) as browser:
        answer = browser.ask(url)
    if not declared and answer.status == 404:
        raise NotDeclared("no security.txt is declared, and none is served")
    return SecurityTxtFacts(answer=answer, moment=datetime.now(UTC))


def _fetched(scope: Scope, wanted: tuple[Document, ...], absent: str) -> tuple[DocumentFacts, ...]:
    if not wanted:
        raise NotDeclared(absent)
    with Browser(scope) as browser:
        return tuple(DocumentFacts(document=one, answer=browser.ask(one.url)) for one in wanted)
