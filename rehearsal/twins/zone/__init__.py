"""Cloudflare's side of what was declared: an account with its zones and all that they hold."""

from rehearsal.twins.zone.access import AccessApplication, AccessPolicy
from rehearsal.twins.zone.entries import Entry, Kind
from rehearsal.twins.zone.lists import RedirectItem
from rehearsal.twins.zone.origin_pulls import ClientCertificate
from rehearsal.twins.zone.records import Record
from rehearsal.twins.zone.refusals import CloudflareError, NotInTwinError
from rehearsal.twins.zone.rulesets import Rule, Ruleset
from rehearsal.twins.zone.twin import ZoneTwin
from rehearsal.twins.zone.view import Zone
from rehearsal.twins.zone.workers import Worker

__all__ = [
    "AccessApplication",
    "AccessPolicy",
    "ClientCertificate",
    "CloudflareError",
    "Entry",
    "Kind",
    "NotInTwinError",
    "Record",
    "RedirectItem",
    "Rule",
    "Ruleset",
    "Worker",
    "Zone",
    "ZoneTwin",
]
