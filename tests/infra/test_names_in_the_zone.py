from rehearsal.graph import Graph
from tests.infra.conftest import Deployed

RECORD = "cloudflare:index/dnsRecord:DnsRecord"
DOMAIN = "tidewriters.example"
PUBLISHED = "a key of 2048 bits"
KIT = "dm-2wq0v4n6.sg7.convertkit.com"
MAIL = [
    (DOMAIN, "TXT", '"v=spf1 include:_spf.google.com -all"'),
    (f"mail.{DOMAIN}", "TXT", '"v=spf1 -all"'),
    (f"news.{DOMAIN}", "TXT", '"v=spf1 -all"'),
    (f"pm-bounces.mail.{DOMAIN}", "CNAME", "pm.mtasv.net"),
    (f"ckespa.news.{DOMAIN}", "CNAME", f"spf.{KIT}"),
    (f"cka._domainkey.news.{DOMAIN}", "CNAME", f"dkim.{KIT}"),
    (f"cka2._domainkey.news.{DOMAIN}", "CNAME", f"dkim2.{KIT}"),
    (f"google._domainkey.{DOMAIN}", "TXT", PUBLISHED),
    (f"20261102093012pm._domainkey.mail.{DOMAIN}", "TXT", PUBLISHED),
    (f"_dmarc.{DOMAIN}", "TXT", f'"v=DMARC1; p=quarantine; rua=mailto:dmarc@{DOMAIN}"'),
    (f"_smtp._tls.{DOMAIN}", "TXT", f'"v=TLSRPTv1; rua=mailto:tls-reports@{DOMAIN}"'),
]


def shortened(content: str) -> str:
    """A published key, whose 400 characters no test repeats, by what it is."""
    return PUBLISHED if "p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A" in content else content


def test_the_records_are_these(deployed: Deployed) -> None:
    found = [
        (
            values["name"],
            values["type"],
            shortened(values["content"]),
            values["proxied"],
            values["ttl"],
            values.get("priority"),
        )
        for values in deployed.of_type(RECORD).values()
    ]
    assert sorted(found, key=str) == sorted(
        [
            (DOMAIN, "A", "203.0.113.24", True, 1, None),
            (DOMAIN, "AAAA", "2001:db8:24::1", True, 1, None),
            (f"www.{DOMAIN}", "CNAME", DOMAIN, True, 1, None),
            (f"app.{DOMAIN}", "CNAME", "tide-writers.hosting.example", True, 1, None),
            (f"ops.{DOMAIN}", "CNAME", "tide-writers-ops.hosting.example", True, 1, None),
            (f"api.{DOMAIN}", "CNAME", "d-1.execute-api.eu-west-1.amazonaws.com", True, 1, None),
            (f"_proof.api.{DOMAIN}", "CNAME", "_x.acm.example", False, 300, None),
            *((*mail, False, 300, None) for mail in MAIL),
            (DOMAIN, "MX", "smtp.google.com", False, 300, 1),
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
