"""The records that receive the domain's mail and prove who may send it."""

from infra.component import Component
from infra.mail import published
from infra.names.zone import Zone
from infra.settings import Stack

TXT_OCTETS = 255  # RFC 1035 section 3.3.14: a character string


class MailRecords(Component):
    """MX, SPF for each sending domain, a record for each DKIM selector, return paths, DMARC and what else is declared.

    What stands in them is in `infra.mail.published`.
    """

    def __init__(self, stack: Stack, zone: Zone) -> None:
        super().__init__("mail")
        for record in published.records(stack.settings.mail, stack.settings.domain):
            content = quoted(record.content) if record.type == "TXT" else record.content
            zone.record(record.resource, record.name, record.type, content, priority=record.priority, parent=self)
        self.register_outputs({})


def quoted(text: str) -> str:
    """TXT content as Cloudflare keeps it: quoted strings of at most 255 octets, split at exactly that.

    Any other form is accepted and then differs from what is read back, in every preview.
    """
    parts = [text[start : start + TXT_OCTETS] for start in range(0, len(text), TXT_OCTETS)]
    return " ".join(f'"{part}"' for part in parts)
