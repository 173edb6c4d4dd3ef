"""The records that receive the domain's mail and prove who may send it."""

from infra.component import Component
from infra.names.zone import Zone
from infra.settings import Stack

TXT_OCTETS = 255  # RFC 1035 section 3.3.14: a character string


class MailRecords(Component):
    """MX, one SPF record, a record for each DKIM selector, and DMARC."""

    def __init__(self, stack: Stack, zone: Zone) -> None:
        super().__init__("mail")
        mail, domain = stack.settings.mail, stack.settings.domain
        for number, mx in enumerate(mail.mx, start=1):
            zone.record(f"mx-{number}", domain, "MX", mx.host, priority=mx.priority, parent=self)
        zone.record("spf", domain, "TXT", quoted(mail.spf.value), parent=self)
        for dkim in mail.dkim:
            content = quoted(dkim.value) if dkim.type == "TXT" else dkim.value
            zone.record(f"dkim-{dkim.selector}", dkim_name(dkim.selector, domain), dkim.type, content, parent=self)
        zone.record("dmarc", dmarc_name(domain), "TXT", quoted(mail.dmarc.value), parent=self)
        self.register_outputs({})


def dkim_name(selector: str, domain: str) -> str:
    """Where a selector's key stands (RFC 6376 section 3.6.2.1)."""
    return f"{selector}._domainkey.{domain}"


def dmarc_name(domain: str) -> str:
    """Where the policy stands (RFC 9989)."""
    return f"_dmarc.{domain}"


def quoted(text: str) -> str:
    """TXT content as Cloudflare keeps it: quoted strings of at most 255 octets, split at exactly that.

    Any other form is accepted and then differs from what is read back, in every preview.
    """
    parts = [text[start : start + TXT_OCTETS] for start in range(0, len(text), TXT_OCTETS)]
    return " ".join(f'"{part}"' for part in parts)
