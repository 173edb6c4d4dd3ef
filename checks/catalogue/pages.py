"""The checks of what web servers send with pages, and of the documents that the edge serves."""

from checks.catalogue.checklist import entries
from checks.commands import curl, only
from checks.model import Check
from checks.probes import documents, edge, pages, rungs
from checks.rules import documents as document_rules
from checks.rules import edge as edge_rules
from checks.rules import headers
from checks.rules import pages as rules
from checks.rules import rungs as rung_rules


def checks() -> tuple[Check, ...]:
    """Every check of this area."""
    return (*_headers(), *_behaviour(), *_documents())


def _headers() -> tuple[Check, ...]:
    return (
        Check(
            entry=entries()["http.csp"],
            probe=pages.pages,
            rule=headers.csp,
            fix="deploy again; `csp.policies` holds each host's policy, `csp.rung` whether it is enforced",
            command=lambda scope: curl(scope, f"https://{scope.contract.domain}/"),
        ),
        Check(
            entry=entries()["http.csp-rung"],
            probe=rungs.of("csp"),
            rule=rung_rules.climbs,
            fix="when the reports are quiet, set `csp.rung` to enforce and deploy",
            command=only("http.csp-rung"),
        ),
        Check(
            entry=entries()["http.frame"],
            probe=pages.pages,
            rule=headers.frame,
            fix="restore `headers.frame`, or enforce a policy with frame-ancestors",
            command=lambda scope: curl(scope, f"https://{scope.contract.domain}/"),
        ),
        Check(
            entry=entries()["http.nosniff"],
            probe=pages.typed,
            rule=headers.nosniff,
            fix="restore the header rule; let the app name the type and charset of each answer",
            command=lambda scope: curl(scope, f"https://{scope.contract.domain}/"),
        ),
        Check(
            entry=entries()["http.referrer"],
            probe=pages.pages,
            rule=headers.referrer,
            fix="set `headers.referrerPolicy` to strict-origin-when-cross-origin",
            command=lambda scope: curl(scope, f"https://{scope.contract.domain}/"),
        ),
        Check(
            entry=entries()["http.coop"],
            probe=pages.pages,
            rule=headers.coop,
            fix="set `headers.coop` to same-origin, or same-origin-allow-popups for sign-in pop-ups",
            command=lambda scope: curl(scope, f"https://{scope.contract.domain}/"),
        ),
        Check(
            entry=entries()["http.headers"],
            probe=pages.declared_headers,
            rule=headers.declared,
            fix="deploy again: a header rule was changed by hand, or one after it sets the header differently",
            command=lambda scope: curl(scope, f"https://{scope.contract.domain}/"),
        ),
    )


def _behaviour() -> tuple[Check, ...]:
    return (
        Check(
            entry=entries()["http.cookies"],
            probe=pages.cookies,
            rule=rules.cookies,
            fix="set session cookies as __Host-…; Secure; HttpOnly; SameSite=Lax; Path=/",
            command=lambda scope: curl(scope, f"https://{scope.contract.domain}/"),
        ),
        Check(
            entry=entries()["http.sri"],
            probe=pages.pages,
            rule=rules.sri,
            fix="add integrity and crossorigin to the tag, or serve the file from your own host",
            command=lambda scope: curl(scope, f"https://{scope.contract.domain}/"),
        ),
        Check(
            entry=entries()["http.methods"],
            probe=pages.traced,
            rule=rules.methods,
            fix="refuse TRACE, and take versions out of Server and X-Powered-By",
            command=lambda scope: curl(scope, f"https://{scope.contract.domain}/", "-X", "TRACE"),
        ),
        Check(
            entry=entries()["http.exposed"],
            probe=edge.sensitive,
            rule=edge_rules.exposed,
            fix="remove the file from what is published, then change every secret that it held",
            command=lambda scope: curl(scope, f"https://{scope.contract.domain}/.env"),
            timeout=30.0,
        ),
        Check(
            entry=entries()["http.errors"],
            probe=pages.missing,
            rule=rules.errors,
            fix="answer unknown paths with 404, and turn debug pages off in production",
            command=lambda scope: curl(scope, f"https://{scope.contract.domain}{pages.MISSING_PATH}"),
        ),
        Check(
            entry=entries()["http.noindex"],
            probe=pages.robots,
            rule=rules.noindex,
            fix="production: remove noindex; tests: let the edge set X-Robots-Tag: noindex, or ask who one is",
            command=lambda scope: curl(scope, f"https://{scope.contract.domain}/robots.txt"),
        ),
    )


def _documents() -> tuple[Check, ...]:
    return (
        Check(
            entry=entries()["edge.documents"],
            probe=documents.documents,
            rule=document_rules.documents,
            fix="deploy again: the Worker, its route or its documents were changed by hand",
            command=only("edge.documents"),
        ),
        Check(
            entry=entries()["http.security-txt"],
            probe=documents.security_txt,
            rule=document_rules.security_txt,
            fix="set `securityTxt` with a contact and a date within a year, and deploy",
            command=lambda scope: curl(scope, f"https://{scope.contract.domain}/.well-known/security.txt"),
        ),
        Check(
            entry=entries()["app.links"],
            probe=documents.app_links,
            rule=document_rules.app_links,
            fix="declare the app under `apps:` with its team id and fingerprints, and deploy",
            command=lambda scope: curl(scope, f"https://{scope.contract.domain}/.well-known/assetlinks.json"),
        ),
    )
