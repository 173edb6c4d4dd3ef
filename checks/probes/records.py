"""Asks the DNS for what is declared beside the hosts: other records, and the authorities that may issue."""

from dataclasses import dataclass
from itertools import groupby

from checks.contract import Record
from checks.errors import NotDeclared
from checks.probes import dns
from checks.scope import Scope


@dataclass(frozen=True, kw_only=True)
class RecordFacts:
    """The declared records of one name and type, and what each resolver answers; `addresses` where they are proxied."""

    name: str
    type: str
    declared: tuple[Record, ...]
    answers: tuple[dns.Answer, ...]
    addresses: tuple[dns.Answer, ...] = ()


def records(scope: Scope) -> tuple[RecordFacts, ...]:
    """Facts of every other declared record, by name and type. Raises NotDeclared when there is none."""
    declared = sorted(scope.contract.records, key=_owner)
    if not declared:
        raise NotDeclared("no record is declared beside those of hosts and mail")
    return tuple(_facts(scope, *owner, tuple(group)) for owner, group in groupby(declared, key=_owner))


def caa(scope: Scope) -> tuple[dns.Answer, ...]:
    """The domain's CAA records at each resolver. Raises NotDeclared for a zone's tenant: the owner has them."""
    if scope.contract.zone.role == "tenant":
        raise NotDeclared("the zone's owner declares its CAA records")
    return dns.look_up_everywhere(scope, scope.contract.domain, "CAA")


def _facts(scope: Scope, name: str, kind: str, declared: tuple[Record, ...]) -> RecordFacts:
    proxied = any(record.proxied for record in declared)
    return RecordFacts(
        name=name,
        type=kind,
        declared=declared,
        answers=dns.look_up_everywhere(scope, name, kind),
        addresses=dns.look_up_everywhere(scope, name, "A") if proxied else (),
    )


def _owner(record: Record) -> tuple[str, str]:
    return record.name, record.type
