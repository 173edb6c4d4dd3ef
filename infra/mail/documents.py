"""What the edge serves for the domain's mail."""

from infra.documents.document import Document
from infra.hostnames import absolute
from infra.mail import published
from infra.mail.sections import Mail


def documents(mail: Mail, domain: str) -> tuple[Document, ...]:
    """The MTA-STS policy at the address that senders ask for (RFC 8461 section 3.3); none where none is declared."""
    if not mail.mta_sts or not mail.receive:
        return ()
    policy = published.mta_sts_policy(mail.mta_sts, mail.receive.exchangers)
    host = absolute(published.MTA_STS_HOST, domain)
    return (Document(host, published.MTA_STS_PATH, "text/plain; charset=utf-8", policy, "mta-sts"),)
