"""Which documents the edge serves and which hosts it keeps closed, from the configuration."""

from collections.abc import Iterable

from infra.documents import apps as associations
from infra.documents.document import Document
from infra.documents.sections import Apps, SecurityTxt
from infra.documents.security import security_txt as security_documents
from infra.hostnames import absolute
from infra.mail import documents as mail_documents
from infra.names.sections import Host
from infra.settings import Stack
from infra.tenancy import proxied


def of(stack: Stack) -> tuple[Document, ...]:
    """All documents of a stack's zone; a tenant serves none."""
    settings = stack.settings
    if not stack.owns_zone:
        return ()
    own = documents(settings.domain, settings.hosts, settings.apps, settings.security_txt)
    return (*own, *mail_documents.documents(settings.mail, settings.domain))


def documents(
    domain: str, hosts: Iterable[Host], apps: Apps | None, security_txt: SecurityTxt | None
) -> tuple[Document, ...]:
    """The documents that these sections ask for."""
    found: list[Document] = []
    for host in apps.hosts if apps else ():
        found += [associations.apple(absolute(host, domain), apps)] if apps and apps.apple else []
        found += [associations.android(absolute(host, domain), apps)] if apps and apps.android else []
    if security_txt:
        found += security_documents(proxied((host for host in hosts if host.role == "web"), domain), security_txt)
    return tuple(found)


def closed(stack: Stack) -> tuple[str, ...]:
    """Hosts under maintenance."""
    maintenance = stack.settings.maintenance
    return tuple(stack.host(host) for host in maintenance.hosts) if stack.owns_zone else ()
