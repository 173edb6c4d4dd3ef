"""Adopting a zone: what is there stays there, under names of the program's, or is told."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
import yaml

from checks import drift
from checks.drift import Change
from infra import adoption
from infra.names.record_sections import ZoneRecord
from rehearsal.plan import plan
from tests.infra.conftest import ROOT
from tests.infra.live_zone import DOMAIN, ZONE, LiveZone, grown

TODAY = date(2026, 11, 21)


class Adopted:
    """A zone that was adopted, as `launch-ready adopt` does it."""

    def __init__(self, zone: LiveZone) -> None:
        snapshot = zone.snapshot()
        guess = adoption.first_guess(snapshot, TODAY)
        first = drift.compare([self._graph(guess.config)], snapshot)
        left = [one.id for change in (Change.UNMANAGED, Change.REMOVED) for one in first.of(change)]
        guess = adoption.with_leftovers(guess, snapshot, left)
        self.config, self.notes = guess.config, guess.notes
        self.graph = self._graph(guess.config)
        self.drift = drift.compare([self.graph], snapshot)

    @staticmethod
    def _graph(config: Mapping[str, Any]) -> dict[str, Any]:
        return plan(ROOT, "prod", config).to_document()

    def changed(self, kind: str) -> dict[str, dict[str, Any]]:
        found = [one for one in self.drift.of(Change.DIFFERENT) if one.kind == kind]
        return {one.name: {field.path: field.declared for field in one.fields} for one in found}


@pytest.fixture(scope="module")
def adopted() -> Adopted:
    return Adopted(grown())


def test_nothing_that_was_there_is_removed_changed_or_left_out(adopted: Adopted) -> None:
    assert adopted.drift.of(Change.REMOVED) == []
    assert adopted.drift.of(Change.UNMANAGED) == []
    assert adopted.changed("record") == {}
    assert adopted.changed("rule") == {}


def test_what_the_program_stands_for_is_told_before_it_happens(adopted: Adopted) -> None:
    assert adopted.changed("setting")["ssl"] == {"value": "strict"}
    made = {one.name for one in adopted.drift.of(Change.MISSING)}
    assert f"hooks.{DOMAIN} CNAME" in made  # api is taken by somebody else's
    assert "http_request_firewall_custom: stripe-webhooks" in made


def test_hosts_mail_and_the_rest_are_told_apart(adopted: Adopted) -> None:
    assert {host["name"]: host["platform"] for host in adopted.config["hosts"]} == {
        "@": "plain",
        "app": "vercel",
        "api": "plain",
    }
    assert adopted.config["mail"]["senders"][0]["spf"] == ["include:_spf.google.com", "include:servers.mcsv.net"]
    assert adopted.config["mail"]["dmarc"] == {
        "rung": "none",
        "target": "quarantine",
        "by": "2027-02-19",
        "rua": ["mailto:d@oldfounder.example"],
    }
    assert {record["name"] for record in adopted.config["records"]} == {"shop", "*.dev", "@", "_sip._tcp"}
    assert adopted.config["settings"] == {"brotli": "off"}


def test_the_import_file_names_what_is_there_as_the_program_does(adopted: Adopted) -> None:
    ids = {pair.urn: pair.id for pair in adopted.drift.pairs}
    document = adoption.import_document(adopted.graph, ids)
    by_name = {entry["name"]: entry for entry in document["resources"]}
    app = by_name["host-app-cname"]
    assert app["id"] == f"{ZONE}/{3:032x}"
    assert by_name[app["parent"]] == {"type": "launch-ready:infra:Zone", "name": app["parent"], "component": True}
    assert by_name["ssl"]["id"] == f"{ZONE}/ssl"
    assert by_name["redirects"]["id"] == f"zones/{ZONE}/{'e0' * 16}"
    assert len([entry for entry in document["resources"] if "id" in entry]) == len(adopted.drift.pairs)
    logical = {(entry["type"], entry.get("logicalName", entry["name"])) for entry in document["resources"]}
    declared = {(entry["type"], entry["name"]) for entry in adopted.graph["resources"]}
    assert logical <= declared
    assert len(by_name) == len(document["resources"])


def test_parents_come_before_their_parts(adopted: Adopted) -> None:
    seen: set[str] = set()
    for entry in adoption.import_document(adopted.graph, {p.urn: p.id for p in adopted.drift.pairs})["resources"]:
        assert entry.get("parent") is None or entry["parent"] in seen
        seen.add(entry["name"])


def test_the_written_file_is_the_configuration_and_keeps_what_no_zone_tells(adopted: Adopted) -> None:
    template = (ROOT / "Pulumi.prod.yaml").read_text(encoding="utf-8")
    text = adoption.stack_file(template, adopted.config, "launch-ready", "Adopted.")
    written = yaml.safe_load(text)["config"]
    assert text.startswith("# Adopted.\n")
    assert {key: written[f"launch-ready:{key}"] for key in adopted.config} == json.loads(json.dumps(adopted.config))
    before = yaml.safe_load(template)["config"]
    others = before.keys() - {f"launch-ready:{key}" for key in adopted.config}
    assert {key: written[key] for key in others} == {key: before[key] for key in others}


LONG = "v=DKIM1; k=rsa; p=" + "A" * 400


def hostile() -> LiveZone:
    """Odd, all of it allowed by Cloudflare."""
    zone = LiveZone(plan="pro", dnssec="active")
    zone.record("@", "CNAME", "flattened.netlify.app", proxied=True)
    zone.record("@", "TXT", f'"{LONG[:255]}" "{LONG[255:]}"').record("@", "TXT", r'"say \"hi\" \\ there"')
    zone.record("@", "TXT", "unquoted by an old client").record("@", "TXT", '"unquoted by an old client 2"', ttl=3600)
    zone.record("xn--bcher-kva", "A", "198.51.100.9").record("_under_score.deep.down", "CNAME", "x_y.example")
    zone.record("*", "CNAME", "catch-all.example", proxied=True).record("*.eu", "AAAA", "2001:db8::9")
    zone.record("same", "A", "198.51.100.1").record("same", "A", "198.51.100.2").record("same", "AAAA", "2001:db8::1")
    zone.record("@", "CAA", '0 issue "pki.goog"', data={"flags": 0, "tag": "issue", "value": "pki.goog"})
    zone.record("child", "NS", "ns1.other.example").record("child", "NS", "ns2.other.example")
    zone.record("@", "MX", "in1.mail.example", priority=10).record("send", "MX", "bounce.mail.example", priority=10)
    zone.record("@", "TXT", '"v=spf1 a mx ip4:192.0.2.0/24 include:_spf.mail.example -all"')
    zone.record("send", "TXT", '"v=spf1 include:amazonses.com ~all"').record("local", "A", "10.0.0.7")
    zone.record("a.b.c", "A", "198.51.100.77", ttl=60).record("apex", "A", "198.51.100.8")
    return zone


def test_an_odd_zone_stays_as_it_is_or_is_told_of() -> None:
    adopted = Adopted(hostile())
    assert adopted.drift.of(Change.REMOVED) == []
    left = {one.name for one in adopted.drift.of(Change.UNMANAGED)}
    assert all(any(name.split()[0] in note for note in adopted.notes) for name in left), left
    assert set(adopted.changed("record")) == {
        f"{DOMAIN} CNAME",  # Netlify behind the proxy
        f"{DOMAIN} TXT",  # a and mx are written out in SPF
        f"send.{DOMAIN} TXT",  # one end for all SPF records
    }
    assert adopted.config["dnssec"] is True
    assert adopted.config["zonePlan"] == "pro"


def test_three_thousand_records_are_kept_as_they_are() -> None:
    zone = LiveZone(plan="pro").record("@", "A", "203.0.113.9", proxied=True)
    for number in range(3000):
        zone.record("many" if number < 100 else f"_t{number}", "TXT", f'"value {number}"')
    snapshot = zone.snapshot()
    guess = adoption.with_leftovers(adoption.first_guess(snapshot, TODAY), snapshot, [r["id"] for r in zone.records])
    kept = [ZoneRecord.model_validate_json(json.dumps(record)) for record in guess.config["records"]]
    assert [record.sent_content for record in kept[1:]] == [record["content"] for record in zone.records[1:]]
    assert guess.notes == []


def test_a_rule_that_cannot_be_declared_is_told_before_it_would_be_removed() -> None:
    rule = {"expression": "true", "action": "skip", "action_parameters": {"unheard_of": 1}}
    adopted = Adopted(LiveZone().record("@", "A", "203.0.113.9").rules("http_request_firewall_custom", rule))
    assert any("would REMOVE it" in note and "unheardOf" in note for note in adopted.notes)
    assert [one.name for one in adopted.drift.of(Change.REMOVED)] == [f"http_request_firewall_custom: {'00' * 16}"]


def test_a_second_address_of_www_is_told_for_it_stands_in_the_way() -> None:
    zone = LiveZone().record("@", "A", "203.0.113.9").record("www", "A", "203.0.113.9")
    assert any(
        "www.oldfounder.example has a record A" in note for note in adoption.first_guess(zone.snapshot(), TODAY).notes
    )
