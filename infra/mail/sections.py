"""The configuration of the domain's mail: who receives it, who may send it and what proves that."""

import re
from datetime import date
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, field_validator, model_validator

from infra.hostnames import APEX, domain_fault, label_fault, record_fault
from infra.ladders import Ladder
from infra.mail.sender_sections import Sender
from infra.mail.vendors import GOOGLE_MX, MICROSOFT_MX
from infra.section import Section, refused

POLICIES = ("none", "quarantine", "reject")  # RFC 9989, weakest first
Policy = Literal["none", "quarantine", "reject"]
_LOCAL_PART = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}")
_UNESCAPED = re.compile(r"[,!;\"]")  # what separates addresses and tags in the record (RFC 9990 section 4)


def mailto(uri: str) -> str:
    """A `mailto:` URI that a record can hold as it is."""
    scheme, _, address = uri.partition(":")
    local, _, domain = address.rpartition("@")
    if scheme != "mailto" or not _LOCAL_PART.fullmatch(local) or _UNESCAPED.search(local):
        raise refused("an address is written mailto:name@domain, without , ! or ;", "Write one address an entry.")
    if fault := domain_fault(domain):
        raise refused(f"{domain!r}: {fault}", "Correct the part after the @.")
    return uri


def _https(url: str, ending: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or not parts.path.endswith(ending) or re.search(r'[\s;,"]', url):
        raise refused(f"an https address that ends in {ending}", "Give the file's own address.")
    return url


def _report_uri(uri: str) -> str:
    return mailto(uri) if not uri.startswith("https:") else _https(uri, "")


Mailto = Annotated[str, AfterValidator(mailto)]
ReportUri = Annotated[str, AfterValidator(_report_uri)]


class Mx(Section):
    """One mail exchanger."""

    host: str
    priority: int = Field(ge=0, le=65535)

    @field_validator("host")
    @classmethod
    def _is_a_host(cls, host: str) -> str:
        if fault := record_fault(host, host_only=True):
            raise refused(fault, "Give the host name that your mail provider shows.")
        return host


class Receive(Section):
    """Who receives the domain's mail: a vendor, or the exchangers one by one."""

    via: Literal["google", "microsoft365"] | None = None
    host: str | None = None
    mx: tuple[Mx, ...] = ()

    @model_validator(mode="after")
    def _says_it_once(self) -> Self:
        if bool(self.via) == bool(self.mx):
            raise refused("receive has either via or mx", "Leave mail.receive out where no mail is received.")
        made_for_the_domain = self.via == "microsoft365"
        if made_for_the_domain and not re.fullmatch(MICROSOFT_MX, self.host or ""):
            limit = "Microsoft makes an exchanger for each domain, host"
            raise refused(limit, "Give what the admin centre shows, such as …mail.protection.outlook.com.")
        if self.host and not made_for_the_domain:
            raise refused("host is for microsoft365 alone", "Leave it out.")
        return self

    @property
    def exchangers(self) -> tuple[tuple[str, int], ...]:
        """Host and priority of each."""
        if self.via == "google":
            return GOOGLE_MX
        return ((self.host, 0),) if self.host else tuple((mx.host, mx.priority) for mx in self.mx)


class Dmarc(Section):
    """What receivers do with mail that proves nothing, and where they report (RFC 9989).

    `rung` is what is published, `testing` its t=y; `target` must be reached `by` a date. `subdomains` (sp) and
    `nonexistent` (np) are those of the domain's record; `domains` gives single sub-domains a record of their own.
    """

    rung: Policy = "reject"
    testing: bool = False
    target: Policy = "reject"
    by: date | None = None
    rua: tuple[Mailto, ...] = ()
    subdomains: Policy | None = None
    nonexistent: Policy | None = None
    domains: dict[str, Policy] = Field(default_factory=dict)

    @field_validator("domains")
    @classmethod
    def _are_below(cls, domains: dict[str, Policy]) -> dict[str, Policy]:
        for name in domains:
            if name == APEX or label_fault(name):
                raise refused(f"{name!r} is no sub-domain", "Give its label, such as news.")
        return domains

    @property
    def ladder(self) -> Ladder:
        """What is published for the domain, as a ladder."""
        return Ladder(name="dmarc", key="mail.dmarc", rungs=POLICIES, rung=self.rung, target=self.target, by=self.by)

    @property
    def weakest(self) -> Policy:
        """The weakest policy that some mail of the domain meets."""
        policies = (self.rung, self.subdomains, self.nonexistent, *self.domains.values())
        return min((policy for policy in policies if policy), key=POLICIES.index)

    @property
    def reached(self) -> bool:
        """Whether all that is published is the target, and meant."""
        return POLICIES.index(self.weakest) >= POLICIES.index(self.target) and not self.testing

    @property
    def enforced(self) -> bool:
        """Whether receivers keep forged mail out of the inbox."""
        return self.weakest != "none" and not self.testing


class MtaSts(Section):
    """That mail to the domain comes over TLS, to the exchangers named (RFC 8461)."""

    mode: Literal["testing", "enforce"]
    max_age_seconds: int = Field(default=604800, ge=86400, le=31557600)


class Bimi(Section):
    """The logo that mailboxes show beside the domain's mail, and the certificate that says whose it is."""

    logo: str
    authority: str | None = None

    @field_validator("logo")
    @classmethod
    def _is_a_drawing(cls, url: str) -> str:
        return _https(url, ".svg")

    @field_validator("authority")
    @classmethod
    def _is_a_certificate(cls, url: str | None) -> str | None:
        return url if url is None else _https(url, ".pem")


class Mail(Section):
    """Everything that proves the domain's mail; as it stands, a domain that neither sends nor receives any."""

    receive: Receive | None = None
    senders: tuple[Sender, ...] = ()
    spf_all: Literal["-all", "~all"] = "-all"
    dmarc: Dmarc = Dmarc()
    mta_sts: MtaSts | None = None
    tls_rpt: tuple[ReportUri, ...] = ()
    bimi: Bimi | None = None
