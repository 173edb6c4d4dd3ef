"""The configuration of who may reach what operators use, and what it asks of the hosts."""

from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import Field, model_validator

from infra.hostnames import domain_fault
from infra.names.sections import Host
from infra.problems import Problem, problem
from infra.section import Section, refused

# Where anybody can have an address: to let in all of one is to let in everybody.
ANYBODYS = frozenset(
    {
        *("aol.com", "gmail.com", "gmx.de", "gmx.net", "googlemail.com", "hotmail.com", "icloud.com", "live.com"),
        *("mail.com", "mail.ru", "me.com", "outlook.com", "pm.me", "proton.me", "protonmail.com", "qq.com"),
        *("web.de", "yahoo.com", "yandex.com", "yandex.ru", "zoho.com", "163.com"),
    }
)
Email = Annotated[str, Field(pattern=r"^[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+$", max_length=254)]


class Access(Section):
    """Who may reach the hosts of role ops, by address or by its domain; none are guarded where it names nobody."""

    emails: tuple[Email, ...] = ()
    email_domains: tuple[str, ...] = ()
    session_hours: int = Field(default=12, ge=1, le=720)

    @model_validator(mode="after")
    def _lets_in_nobody_by_accident(self) -> Self:
        for domain in self.email_domains:
            if fault := domain_fault(domain):
                raise refused(f"emailDomains: {fault}", "Give the part after the @, such as tidewriters.example.")
            if domain in ANYBODYS:
                raise refused(f"anybody can have an address at {domain}", "Name people in emails instead.")
        return self

    @property
    def guards(self) -> bool:
        """Whether it is asked for."""
        return bool(self.emails or self.email_domains)


def access_has_hosts(access: Access, hosts: tuple[Host, ...]) -> Iterator[Problem]:
    """Access stands at the edge: a host that is not proxied would be open beside it."""
    operators = [(index, host) for index, host in enumerate(hosts) if host.role == "ops" and access.guards]
    if access.guards and not operators:
        limit = "no host has role ops, so there is nothing to stand in front of"
        yield problem("access", "a value", limit, "Give operators' hosts role ops, or leave out access.")
    for index, host in operators:
        if not host.proxied:
            limit = (
                f"{host.name} is for operators and access stands at the edge, which a host that is not proxied avoids"
            )
            yield problem(f"hosts[{index}].proxied", "false", limit, "Proxy it, or leave out access.")


CHECKS = (access_has_hosts,)
