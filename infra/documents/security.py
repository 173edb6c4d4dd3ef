"""security.txt: whom to tell of a vulnerability (RFC 9116)."""

from collections.abc import Iterator, Sequence
from datetime import date

from infra.documents.document import Document
from infra.documents.sections import SecurityTxt

PATH = "/.well-known/security.txt"
_TYPE = "text/plain; charset=utf-8"


def security_txt(hosts: Sequence[str], section: SecurityTxt) -> list[Document]:
    """The same file at each of `hosts`: it speaks for its own host alone, and names every place where it is."""
    if section.contact is None or section.expires is None:
        return []
    body = "".join(f"{line}\r\n" for line in _lines(hosts, section, section.contact, section.expires))
    return [Document(host, PATH, _TYPE, body, "security-txt") for host in hosts]


def _lines(hosts: Sequence[str], section: SecurityTxt, contact: str, expires: date) -> Iterator[str]:
    yield f"Contact: {contact}"
    yield f"Expires: {expires.isoformat()}T00:00:00Z"
    pages = {
        "Encryption": section.encryption,
        "Acknowledgments": section.acknowledgments,
        "Policy": section.policy,
    }
    yield from (f"{name}: {page}" for name, page in pages.items() if page)
    if section.languages:
        yield f"Preferred-Languages: {', '.join(section.languages)}"
    yield from (f"Canonical: https://{host}{PATH}" for host in hosts)
