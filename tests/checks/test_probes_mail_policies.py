import ssl

import pytest

from checks.contract import Retired
from checks.errors import NotDeclared, ProbeError
from checks.probes import mail, mail_policies
from checks.rules import mail_policies as rules
from tests.checks.loopback import WebServer, unused_port

APEX = "tidewriters.example"
STS = f"mta-sts.{APEX}"
POLICY = "version: STSv1\r\nmode: enforce\r\nmx: mx1.mailhost.example\r\nmx: *.mailhost.example\r\nmax_age: 604800\r\n"
PLAIN = {"content-type": "text/plain; charset=utf-8"}
SVG = '<svg xmlns="http://www.w3.org/2000/svg" baseProfile="tiny-ps"></svg>'


class Web:
    """What is served at every host, by path."""

    def __init__(self):
        self.policy = (200, PLAIN, POLICY)
        self.logo = (200, {"content-type": "image/svg+xml"}, SVG)

    def answer(self, method, host, path, headers, body):
        return {"/.well-known/mta-sts.txt": self.policy, "/logo.svg": self.logo}[path]


@pytest.fixture
def web():
    return Web()


@pytest.fixture
def seen(web, names, look, authority, ca_file, declared):
    """A scope over a zone that holds what is declared, and the web beside it."""
    for name in (STS, APEX):
        names.set(name, "A", "127.0.0.1")
    names.set(f"_mta-sts.{APEX}", "TXT", f'"v=STSv1; id={declared.mail.mta_sts.id};"')
    names.set(f"default._bimi.{APEX}", "TXT", f'"v=BIMI1; l=https://{APEX}/logo.svg; a=https://{APEX}/logo.pem"')
    names.set(f"_dmarc.{APEX}", "TXT", '"v=DMARC1; p=quarantine"')
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(APEX, f"*.{APEX}").configure_cert(context)
    with WebServer(web.answer, tls=context) as server:
        yield lambda **changes: look(ports={443: server.port}, ca_file=ca_file, **changes)


@pytest.fixture
def declared(declared):
    """The contract, whose policy names its exchangers as this one does."""
    sts = declared.mail.mta_sts.model_copy(update={"mx": ("mx1.mailhost.example", "*.mailhost.example")})
    return declared.model_copy(update={"mail": declared.mail.model_copy(update={"mta_sts": sts})})


def test_the_policy_is_fetched_and_passes(seen, declared):
    verdict = rules.mta_sts(declared, mail_policies.mta_sts(seen()))

    assert (verdict.status, verdict.actual) == ("pass", "mode enforce, 2 exchangers")


SERVED = {
    "a redirect": ((301, {"location": f"https://{APEX}/"}, ""), "no redirect is followed"),
    "not there": ((404, PLAIN, ""), "served with 200"),
    "as a page": ((200, {"content-type": "text/html"}, POLICY), "content-type text/html"),
    "without a type": ((200, {}, POLICY), "content-type (none)"),
    "testing": ((200, PLAIN, POLICY.replace("enforce", "testing")), "mode: ['testing'], declared ['enforce']"),
    "short": ((200, PLAIN, POLICY.replace("604800", "60")), "max_age: ['60']"),
    "another version": ((200, PLAIN, POLICY.replace("STSv1", "STSv2")), "version: ['STSv2']"),
    "other exchangers": ((200, PLAIN, POLICY.replace("mailhost", "elsewhere")), "mx1.mailhost.example is not covered"),
    "two labels under a star": (
        (200, PLAIN, POLICY.replace("mx1.mailhost", "a").replace("*.mailhost.example", "*.example")),
        "mx2.mailhost.example is not covered",
    ),
}


@pytest.mark.parametrize("case", SERVED)
def test_another_policy_fails(seen, web, declared, case):
    web.policy, said = SERVED[case]

    verdict = rules.mta_sts(declared, mail_policies.mta_sts(seen()))

    assert verdict.status == "fail"
    assert said in verdict.actual


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ((), "0 MTA-STS records"),
        (('"v=STSv1; id=1;"', '"v=STSv1; id=2;"'), "2 MTA-STS records"),
        (('"v=STSv1; id=another;"',), "id=another, declared 20261121a"),
        (('"v=STSv1; id=2026-11-21;"',), "not 1 to 32 letters and digits"),
    ],
)
def test_another_announcement_fails(seen, names, declared, texts, said):
    names.set(f"_mta-sts.{APEX}", "TXT", *texts)

    assert said in rules.mta_sts(declared, mail_policies.mta_sts(seen())).actual


def test_a_policy_that_only_tests_warns(seen, web, declared):
    web.policy = (200, PLAIN, POLICY.replace("enforce", "testing"))
    sts = declared.mail.mta_sts.model_copy(update={"mode": "testing"})
    subject = declared.model_copy(update={"mail": declared.mail.model_copy(update={"mta_sts": sts})})

    assert rules.mta_sts(subject, mail_policies.mta_sts(seen())).status == "warn"


def test_a_host_that_does_not_answer_is_no_verdict(look, names):
    names.set(STS, "A", "127.0.0.1")
    with pytest.raises(ProbeError):
        mail_policies.mta_sts(look(ports={443: unused_port()}))


def test_the_logo_is_looked_at_live(seen, declared):
    live = rules.bimi(declared, mail_policies.bimi(seen(rehearsal=False)))
    rehearsed = rules.bimi(declared, mail_policies.bimi(seen(rehearsal=True)))

    assert (live.status, rehearsed.status) == ("pass", "pass")
    assert "the logo itself is looked at live" in rehearsed.actual
    assert "looked at live" not in live.actual


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (f"default._bimi.{APEX}", None, "0 BIMI records"),
        (
            f"default._bimi.{APEX}",
            f"v=BIMI1; l=https://{APEX}/other.svg; a=",
            "declared https://tidewriters.example/logo",
        ),
        (f"_dmarc.{APEX}", "v=DMARC1; p=none", "not enforced"),
        (f"_dmarc.{APEX}", "v=DMARC1; p=reject; t=y", "not enforced"),
        (f"_dmarc.{APEX}", "v=DMARC1; p=reject; sp=none", "not enforced"),
        (f"_dmarc.{APEX}", None, "not enforced"),
    ],
)
def test_a_logo_that_no_mailbox_would_show_fails(seen, names, declared, name, text, said):
    names.set(name, "TXT", *([f'"{text}"'] if text else []))

    verdict = rules.bimi(declared, mail_policies.bimi(seen(rehearsal=False)))

    assert verdict.status == "fail"
    assert said in verdict.actual


def test_a_logo_that_is_no_drawing_fails(seen, web, declared):
    web.logo = (200, {"content-type": "text/html"}, "<html></html>")

    assert "no SVG" in rules.bimi(declared, mail_policies.bimi(seen(rehearsal=False))).actual


@pytest.fixture
def parked(declared, names):
    """The contract with a parked and a retired domain that are as they should be."""
    for domain in ("tidewriters.net", "oldtide.example"):
        names.set(domain, "MX", "0 .")
        names.set(domain, "TXT", '"v=spf1 -all"')
        names.set(f"_dmarc.{domain}", "TXT", '"v=DMARC1; p=reject"')
        names.set(f"launch-ready-probe._domainkey.{domain}", "TXT", '"v=DKIM1; p="')
    old = Retired(domain="oldtide.example", to=f"https://{APEX}", status=301, keep_path=True)
    return declared.model_copy(update={"parked": ("tidewriters.net",), "retired": (old,)})


def test_parked_and_retired_domains_neither_send_nor_receive(look, parked):
    verdict = rules.parked(parked, mail.parked(look(subject=parked)))

    assert (verdict.status, verdict.actual) == ("pass", "2 domains neither send nor receive")


@pytest.mark.parametrize(
    ("name", "kind", "value", "said"),
    [
        ("tidewriters.net", "MX", "10 mx.tidewriters.net.", "a null MX is wanted"),
        ("oldtide.example", "MX", None, "a null MX is wanted"),
        ("tidewriters.net", "TXT", '"v=spf1 ~all"', "wanted v=spf1 -all"),
        ("_dmarc.tidewriters.net", "TXT", '"v=DMARC1; p=quarantine"', "p=reject is wanted"),
        ("launch-ready-probe._domainkey.tidewriters.net", "TXT", None, "v=DKIM1; p= is wanted"),
        ("launch-ready-probe._domainkey.tidewriters.net", "TXT", '"v=DKIM1; p=AAAA"', "v=DKIM1; p= is wanted"),
    ],
)
def test_a_parked_domain_that_somebody_could_send_as_fails(look, names, parked, name, kind, value, said):
    names.set(name, kind, *([value] if value else []))

    verdict = rules.parked(parked, mail.parked(look(subject=parked)))

    assert verdict.status == "fail"
    assert said in verdict.actual


@pytest.mark.parametrize("probe", [mail_policies.mta_sts, mail_policies.bimi, mail.tls_rpt, mail.parked, mail.dkim])
def test_what_is_not_declared_does_not_apply(look, declared, probe):
    nothing = {"mta_sts": None, "bimi": None, "tls_rpt": None, "senders": ()}
    subject = declared.model_copy(update={"mail": declared.mail.model_copy(update=nothing)})
    with pytest.raises(NotDeclared):
        probe(look(subject=subject))
