"""Which documents the edge serves and which hosts it keeps closed, from the configuration."""

from collections.abc import Iterable, Iterator

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


def documents(domain: str, hosts: Iterable[Host], apps: Apps, security_txt: SecurityTxt) -> tuple[Document, ...]:
    """The documents that these sections ask for."""
    visited = proxied((host for host in hosts if host.role == "web"), domain)
    return (*_associations(domain, apps), *security_documents(visited, security_txt))


def _associations(domain: str, apps: Apps) -> Iterator[Document]:
    for host in apps.hosts:
        if apps.apple:
            yield associations.apple(absolute(host, domain), apps)
        if apps.android:
            yield associations.android(absolute(host, domain), apps)


def closed(stack: Stack) -> tuple[str, ...]:
    """Hosts under maintenance."""
    maintenance = stack.settings.maintenance
    return tuple(stack.host(host) for host in maintenance.hosts) if stack.owns_zone else ()
