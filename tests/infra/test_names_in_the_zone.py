import dns.rdata
import dns.rdataclass
import dns.rdatatype
import pytest
from dns.rdtypes.ANY.TXT import TXT
from hypothesis import given
from hypothesis import strategies as st

from infra.mail.records import quoted
from rehearsal.graph import Graph
from tests.infra.conftest import Deployed

RECORD = "cloudflare:index/dnsRecord:DnsRecord"
DOMAIN = "tidewriters.example"


def test_the_records_are_these(deployed: Deployed) -> None:
    found = [
        (values["name"], values["type"], values["content"], values["proxied"], values["ttl"], values.get("priority"))
        for values in deployed.of_type(RECORD).values()
    ]
    mail = "dkim.mail.example"
    assert sorted(found, key=str) == sorted(
        [
            (DOMAIN, "A", "203.0.113.24", True, 1, None),
            (DOMAIN, "AAAA", "2001:db8:24::1", True, 1, None),
            (f"www.{DOMAIN}", "CNAME", DOMAIN, True, 1, None),
            (f"app.{DOMAIN}", "CNAME", "tide-writers.hosting.example", True, 1, None),
            (f"ops.{DOMAIN}", "CNAME", "tide-writers-ops.hosting.example", True, 1, None),
            (f"api.{DOMAIN}", "CNAME", "d-1.execute-api.eu-west-1.amazonaws.com", True, 1, None),
            (f"_proof.api.{DOMAIN}", "CNAME", "_x.acm.example", False, 300, None),
            (DOMAIN, "MX", "in1.mail.example", False, 300, 10),
            (DOMAIN, "MX", "in2.mail.example", False, 300, 20),
            (DOMAIN, "TXT", '"v=spf1 include:_spf.mail.example include:_spf.kit.example -all"', False, 300, None),
            (f"mail1._domainkey.{DOMAIN}", "CNAME", f"mail1.tidewriters.{mail}", False, 300, None),
            (f"mail2._domainkey.{DOMAIN}", "CNAME", f"mail2.tidewriters.{mail}", False, 300, None),
            (f"kit._domainkey.{DOMAIN}", "CNAME", "dkim.kit.example", False, 300, None),
            (f"_dmarc.{DOMAIN}", "TXT", f'"v=DMARC1; p=quarantine; rua=mailto:dmarc@{DOMAIN}"', False, 300, None),
        ],
        key=str,
    )


def test_what_cloudflare_refuses_only_when_it_is_too_late_is_never_declared(graph: Graph) -> None:
    for record in graph.of_type(RECORD):
        values = record.inputs
        assert (values["ttl"] == 1) == values["proxied"], str(record)
        assert ("priority" in values) == (values["type"] == "MX"), str(record)


def test_a_preview_leads_every_name_somewhere_if_only_to_what_is_not_known_yet(graph: Graph) -> None:
    for record in graph.of_type(RECORD):
        assert record.inputs.get("content"), str(record)
    [api] = [record for record in graph.of_type(RECORD) if record.name == "host-api"]
    assert "content" in api.unknowns


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters='"\\'), min_size=1, max_size=900))
def test_a_text_record_of_any_length_is_read_back_as_it_was_written(text: str) -> None:
    rdata = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.TXT, quoted(text))
    assert isinstance(rdata, TXT)
    assert b"".join(rdata.strings).decode() == text
    assert all(len(part) == 255 for part in rdata.strings[:-1])


@pytest.mark.parametrize(("length", "parts"), [(255, 1), (256, 2), (510, 2), (511, 3)])
def test_a_text_record_is_split_at_255(length: int, parts: int) -> None:
    assert len(quoted("a" * length).split(" ")) == parts
