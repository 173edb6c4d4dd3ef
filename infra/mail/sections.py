"""The configuration of the domain's mail: who receives it, who may send it and what proves that."""

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from infra.hostnames import label_fault, record_fault
from infra.section import Section, refused

MAX_SPF_LOOKUPS = 10  # RFC 7208 section 4.6.4


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


class Spf(Section):
    """Who may send for the domain (RFC 7208): one record, made of includes and what becomes of all others."""

    includes: tuple[str, ...] = ()
    all: Literal["-all", "~all"] = "-all"

    @field_validator("includes")
    @classmethod
    def _stay_in_the_limit(cls, includes: tuple[str, ...]) -> tuple[str, ...]:
        if len(includes) > MAX_SPF_LOOKUPS:
            limit = (
                f"SPF allows {MAX_SPF_LOOKUPS} terms that cost a look-up (RFC 7208 section 4.6.4), not {len(includes)}"
            )
            raise refused(limit, "Drop the senders that you no longer use; receivers reject the whole record.")
        if len(set(includes)) != len(includes):
            raise refused("each sender is included once", "Remove the repeated one.")
        for name in includes:
            if fault := record_fault(name):
                raise refused(f"{name!r}: {fault}", 'Write the domain alone, without "include:".')
        return includes

    @property
    def value(self) -> str:
        """The record's text."""
        return " ".join(["v=spf1", *(f"include:{name}" for name in self.includes), self.all])


class Dkim(Section):
    """One signing key (RFC 6376), by delegation (CNAME) or by value (TXT)."""

    selector: str
    type: Literal["CNAME", "TXT"]
    value: str

    @field_validator("selector")
    @classmethod
    def _is_a_label(cls, selector: str) -> str:
        if fault := label_fault(selector):
            raise refused(fault, 'Give the part before "._domainkey".')
        return selector

    @field_validator("value")
    @classmethod
    def _fits_the_type(cls, value: str, info: ValidationInfo) -> str:
        kind = info.data.get("type")
        if kind == "CNAME" and (fault := record_fault(value)):
            raise refused(fault, "Give the absolute name that your mail provider shows.")
        if kind == "TXT" and not (value.startswith("v=DKIM1;") and value.isascii() and '"' not in value):
            raise refused('a key begins with "v=DKIM1;" and has no quotes', "Paste it as your mail provider shows it.")
        return value


class Dmarc(Section):
    """What receivers do with mail that proves nothing, and where they report (RFC 9989)."""

    policy: Literal["none", "quarantine", "reject"]
    rua: tuple[Annotated[str, Field(pattern=r"^mailto:[^@\s,;!]+@[^@\s,;!]+$")], ...] = Field(min_length=1)

    @property
    def value(self) -> str:
        """The record's text."""
        return f"v=DMARC1; p={self.policy}; rua={','.join(self.rua)}"


class Mail(Section):
    """Everything that proves the domain's mail."""

    mx: tuple[Mx, ...]
    spf: Spf
    dkim: tuple[Dkim, ...]
    dmarc: Dmarc
