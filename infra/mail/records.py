"""The records that receive the domain's mail and prove who may send it."""

from infra.component import Component
from infra.mail import published
from infra.names.text import quoted
from infra.names.zone import Zone
from infra.settings import Stack


class MailRecords(Component):
    """MX, SPF for each sending domain, a record for each DKIM selector, return paths, DMARC and what else is declared.

    What stands in them is in `infra.mail.published`.
    """

    def __init__(self, stack: Stack, zone: Zone) -> None:
        super().__init__("mail")
        for record in published.records(stack.settings.mail, stack.settings.domain):
            # checkov:skip=CKV_LR_5:vendors' return paths are asked for over DNS, and behind the proxy not found
            zone.record(
                record.resource,
                record.name,
                record.type,
                quoted(record.content) if record.type == "TXT" else record.content,
                priority=record.priority,
                proxied=record.proxied,
                parent=self,
            )
        self.register_outputs({})
