import dns.rdata
import dns.rdataclass
import dns.rdatatype
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.mail import published
from infra.mail.documents import documents
from infra.mail.sections import Mail
from infra.names.text import quoted
from tests.infra.mail.declared import DOMAIN, KIT, SENDERS, TOKENS, mail, sender


def found(declared: Mail) -> dict[tuple[str, str], str]:
    """What is published, by name and type; a domain's own exchangers, SPF and DMARC left out where others are asked."""
    records = published.records(declared, DOMAIN)
    assert len({record.resource for record in records}) == len(records)
    return {
        (record.name, record.type): f"{record.priority} {record.content}"
        if record.priority is not None
        else record.content
        for record in records
    }


MICROSOFT = "tidewriters-example._domainkey.tidewriters.n-v1.dkim.mail.microsoft"
AT_MAIL = f"mail.{DOMAIN}"
SES = "feedback-smtp.eu-west-1.amazonses.com"
# Vendor to what it adds at the sub-domain mail: its SPF record's terms, and the other records.
VENDORS: dict[str, tuple[str, dict[tuple[str, str], str]]] = {
    "google": ("include:_spf.google.com", {("google._domainkey", "TXT"): "v=DKIM1; p=AAAA"}),
    "microsoft365": (
        "include:spf.protection.outlook.com",
        {(f"selector{n}._domainkey", "CNAME"): f"selector{n}-{MICROSOFT}" for n in (1, 2)},
    ),
    "postmark": (
        "",
        {("20261102093012pm._domainkey", "TXT"): "k=rsa;p=AAAA", ("pm-bounces", "CNAME"): "pm.mtasv.net"},
    ),
    "resend": (
        "",
        {
            ("resend._domainkey", "TXT"): "p=AAAA",
            ("send", "MX"): f"10 {SES}",
            ("send", "TXT"): "v=spf1 include:amazonses.com -all",
        },
    ),
    "sendgrid": (
        "",
        {
            ("s1._domainkey", "CNAME"): "s1.domainkey.u1234567.wl123.sendgrid.net",
            ("s2._domainkey", "CNAME"): "s2.domainkey.u1234567.wl123.sendgrid.net",
            ("em1234", "CNAME"): "u1234567.wl123.sendgrid.net",
        },
    ),
    "ses": (
        "",
        {
            **{(f"{token}._domainkey", "CNAME"): f"{token}.dkim.amazonses.com" for token in TOKENS},
            ("bounce", "MX"): f"10 {SES}",
            ("bounce", "TXT"): "v=spf1 include:amazonses.com -all",
        },
    ),
    "mailgun": (
        "include:mailgun.org",
        {(f"pdk{n}._domainkey", "CNAME"): f"pdk{n}._domainkey.c0e6d9.dkim1.eu.mgsend.org" for n in (1, 2)},
    ),
    "kit": ("", {("cka._domainkey", "CNAME"): f"dkim.{KIT}", ("ckespa", "CNAME"): f"spf.{KIT}"}),
    "plain": ("ip4:192.0.2.10", {("s1._domainkey", "TXT"): "v=DKIM1; p=AAAA"}),
}


def test_every_vendor_is_shown() -> None:
    assert VENDORS.keys() == SENDERS.keys() == published.VENDORS.keys()


@pytest.mark.parametrize("via", VENDORS)
def test_a_vendor_gets_the_records_that_its_page_asks_for(via: str) -> None:
    terms, others = VENDORS[via]
    nobody = found(mail())
    added = {key: value for key, value in found(mail(sender(via, "mail"))).items() if key not in nobody}
    spf = f"v=spf1 {terms} -all" if terms else "v=spf1 -all"
    wanted = {(AT_MAIL, "TXT"): spf, **{(f"{name}.{AT_MAIL}", kind): text for (name, kind), text in others.items()}}
    assert added == wanted


def test_a_domain_that_says_nothing_of_mail_neither_sends_nor_receives() -> None:
    assert found(Mail()) == {
        (DOMAIN, "MX"): "0 .",
        (DOMAIN, "TXT"): "v=spf1 -all",
        (f"_dmarc.{DOMAIN}", "TXT"): "v=DMARC1; p=reject",
    }


def test_senders_of_one_envelope_share_a_record_and_repeat_no_term() -> None:
    relay = sender("plain", spf=["ip4:192.0.2.10", "include:_spf.google.com"])
    assert published.spf(mail(sender("google"), relay), "@") == "v=spf1 include:_spf.google.com ip4:192.0.2.10 -all"


def test_what_becomes_of_all_others_is_declared_but_where_nobody_sends_nobody_may() -> None:
    declared = mail(sender("google"), sender("kit", "news"), spfAll="~all")
    assert published.spf(declared, "@").endswith(" ~all")
    assert published.spf(declared, "news") == "v=spf1 -all"


@pytest.mark.parametrize(
    ("dmarc", "record"),
    [
        ({"rung": "none", "testing": True}, "v=DMARC1; p=none; t=y"),
        (
            {"rung": "quarantine", "subdomains": "reject", "nonexistent": "reject"},
            "v=DMARC1; p=quarantine; sp=reject; np=reject",
        ),
        (
            {"rua": ["mailto:a@b.example", "mailto:c@d.example"]},
            "v=DMARC1; p=reject; rua=mailto:a@b.example,mailto:c@d.example",
        ),
    ],
)
def test_the_rung_is_what_is_published(dmarc: dict[str, object], record: str) -> None:
    assert found(mail(dmarc=dmarc))[f"_dmarc.{DOMAIN}", "TXT"] == record


def test_a_sub_domain_may_have_a_policy_of_its_own() -> None:
    declared = mail(sender("kit", "news"), dmarc={"rung": "reject", "domains": {"news": "none"}, "by": "2027-03-01"})
    assert found(declared)[f"_dmarc.news.{DOMAIN}", "TXT"] == "v=DMARC1; p=none"
    assert not declared.dmarc.reached


def test_the_policy_s_id_changes_with_the_policy_and_with_nothing_else() -> None:
    enforce = mail(mtaSts={"mode": "enforce"})
    same = mail(sender("google"), mtaSts={"mode": "enforce"})
    other = mail(mtaSts={"mode": "enforce"}, receive={"mx": [{"host": "in1.mail.example", "priority": 1}]})
    ids = [found(declared)[f"_mta-sts.{DOMAIN}", "TXT"] for declared in (enforce, same, other)]
    assert ids[0] == ids[1] != ids[2]


def test_the_policy_is_a_document_of_the_edge_at_a_host_of_its_own() -> None:
    declared = mail(mtaSts={"mode": "enforce"})
    [document] = documents(declared, DOMAIN)
    assert (document.url, document.kind) == (f"https://mta-sts.{DOMAIN}/.well-known/mta-sts.txt", "mta-sts")
    assert document.body == "version: STSv1\r\nmode: enforce\r\nmx: smtp.google.com\r\nmax_age: 604800\r\n"
    assert found(declared)[f"mta-sts.{DOMAIN}", "AAAA"] == "100::"
    assert documents(mail(), DOMAIN) == ()


def test_reports_about_tls_and_the_logo_are_published_where_they_are_declared() -> None:
    bimi = {"logo": "https://tidewriters.example/logo.svg", "authority": "https://tidewriters.example/vmc.pem"}
    declared = found(mail(tlsRpt=["mailto:tls@tidewriters.example", "https://tls.example/report"], bimi=bimi))
    assert declared[f"_smtp._tls.{DOMAIN}", "TXT"] == (
        "v=TLSRPTv1; rua=mailto:tls@tidewriters.example,https://tls.example/report"
    )
    assert declared[f"default._bimi.{DOMAIN}", "TXT"] == f"v=BIMI1; l={bimi['logo']}; a={bimi['authority']}"


def test_who_else_must_agree_to_take_reports_is_named() -> None:
    uris = ("mailto:a@tidewriters.example", "mailto:b@in.tidewriters.example", "mailto:c@reports.example")
    assert published.authorisations(uris, DOMAIN) == (f"{DOMAIN}._report._dmarc.reports.example",)


@given(st.lists(st.sampled_from(sorted(SENDERS)), unique=True))
def test_whoever_sends_every_text_fits_a_record_and_every_domain_has_one_spf_record(vendors: list[str]) -> None:
    declared = mail(*(sender(via, f"d{number}") for number, via in enumerate(vendors)))
    records = published.records(declared, DOMAIN)
    spf = [record.name for record in records if record.content.startswith("v=spf1")]
    assert len(spf) == len(set(spf)) == len(published.sending_domains(declared))
    for record in records:
        if record.type == "TXT":
            assert dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.TXT, quoted(record.content))
