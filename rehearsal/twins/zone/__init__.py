"""Cloudflare's side of what was declared: one zone, its records, settings, rulesets and DNSSEC."""

from rehearsal.twins.zone.entries import Entry, Kind
from rehearsal.twins.zone.records import Record
from rehearsal.twins.zone.refusals import CloudflareError, NotInTwinError
from rehearsal.twins.zone.rulesets import Rule, Ruleset
from rehearsal.twins.zone.twin import ZoneTwin

__all__ = ["CloudflareError", "Entry", "Kind", "NotInTwinError", "Record", "Rule", "Ruleset", "ZoneTwin"]
