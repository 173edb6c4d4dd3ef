"""Every record of the zone that the configuration names, with where it is written: what the rules look at."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from infra.hostnames import APEX, absolute
from infra.mail import published
from infra.mail.sections import Mail
from infra.names.record_sections import ZoneRecord
from infra.names.sections import Host


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One record: `key` is where the configuration says it, `name` relative to the zone, `value` as resolvers show it.

    The value of a type with a priority beside its content begins with that.
    """

    key: str
    name: str
    type: str
    value: str
    source: Literal["hosts", "records", "mail", "program"]
    proxied: bool = False

    def full_name(self, domain: str) -> str:
        """The absolute name."""
        return absolute(self.name, domain)


def of_hosts(hosts: tuple[Host, ...]) -> Iterator[Entry]:
    """The hosts' own records, each followed by those that its platform wants to see."""
    for index, host in enumerate(hosts):
        key = f"hosts[{index}]"
        for kind, content in host.records:
            value = f"{content}." if kind == "CNAME" else content
            yield Entry(key=key, name=host.name, type=kind, value=value, source="hosts", proxied=host.proxied)
        for number, wanted in enumerate(host.validation):
            yield _of_record(f"{key}.validation[{number}]", wanted.as_record)


def of_records(records: tuple[ZoneRecord, ...]) -> Iterator[Entry]:
    """The records that stand as they are written."""
    for index, record in enumerate(records):
        yield _of_record(f"records[{index}]", record)


def of_program(canonical: str, api_host: str, zone: str) -> Iterator[Entry]:
    """The names that the program declares itself; a tenant's stack leaves the alias to the zone's owner."""
    if zone == "owner":
        name, kind = ("www", "CNAME") if canonical == "apex" else (APEX, "AAAA")
        yield Entry(key="canonical", name=name, type=kind, value="", source="program", proxied=True)
    yield Entry(key="apiHost", name=api_host, type="CNAME", value="", source="program", proxied=True)


def of_mail(mail: Mail, domain: str, zone: str) -> Iterator[Entry]:
    """The records that the mail section makes, which its own rules judge; a tenant's mail is its owner's."""
    for record in published.records(mail, domain) if zone == "owner" else ():
        name = APEX if record.name == domain else record.name.removesuffix(f".{domain}")
        value = f"{record.content}." if record.type in ("CNAME", "MX") else record.content
        yield Entry(key="mail", name=name, type=record.type, value=_with(record.priority, value), source="mail")


def _of_record(key: str, record: ZoneRecord) -> Entry:
    value = _with(record.priority, record.value)
    return Entry(key=key, name=record.name, type=record.type, value=value, source="records", proxied=record.proxied)


def _with(priority: int | None, value: str) -> str:
    return value if priority is None else f"{priority} {value}"
