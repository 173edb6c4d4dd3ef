"""The configuration of what concerns the zone as a whole, and of domains that only stand aside."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, field_validator

from infra.hostnames import domain_fault
from infra.section import Section, refused

MAX_ASIDE = 100  # parked or retired domains; each is a zone of its own


def _domain(name: str) -> str:
    if fault := domain_fault(name):
        raise refused(fault, "Give the domain alone, such as tidewriters.example.")
    return name


Domain = Annotated[str, AfterValidator(_domain)]


class Caa(Section):
    """Which authorities may issue certificates (RFC 8659). They are derived from what is declared; `also` adds others.

    `iodef` is where an authority reports what it was asked for in vain: a mailto: or https: address.
    """

    enabled: bool = True
    iodef: str | None = Field(default=None, pattern=r"^(mailto:[^@\s\"]+@[^@\s\"]+|https://[^\s\"]+)$", max_length=200)
    also: tuple[Domain, ...] = ()

    @field_validator("also")
    @classmethod
    def _are_there_once(cls, also: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(also)) != len(also):
            raise refused("each authority is there once", "Remove the repeated one.")
        return also


class Retired(Section):
    """A domain that leads to another address as a whole: `to` an https address, with or without the path asked for."""

    domain: Domain
    to: str = Field(max_length=500)
    keep_path: bool = True

    @field_validator("to")
    @classmethod
    def _is_an_address(cls, to: str) -> str:
        remedy = "Give the address alone, such as https://tidewriters.example."
        if not to.isascii() or any(character.isspace() or character in '"\\<>' for character in to):
            raise refused("an address is ASCII without blanks, quotes and backslashes", remedy)
        try:
            parts = urlsplit(to)
            host, port = parts.hostname or "", parts.port
        except ValueError as error:
            raise refused(f"it is no address ({error})", remedy) from None
        if parts.scheme != "https" or not host or port or parts.username is not None:
            raise refused("a retired domain leads to an https address without user and port", remedy)
        if parts.query or parts.fragment:
            raise refused("the address has neither query nor fragment", remedy)
        if fault := domain_fault(host):
            raise refused(fault, remedy)
        return to.removesuffix("/")

    @property
    def to_host(self) -> str:
        """The host that it leads to."""
        return urlsplit(self.to).netloc
