import pytest

from checks.contract import Caa, Record
from checks.probes.dns import Answer
from checks.probes.records import RecordFacts
from checks.rules import records
from tests.checks.exchanges import changed, passes

APEX = "tidewriters.example"


def answer(kind, *texts, name=APEX):
    return Answer(name=name, type=kind, resolver="1.1.1.1:53", records=texts)


def fact(kind, content, *texts, priority=None, proxied=False, addresses=()):
    record = Record(name=APEX, type=kind, content=content, ttl=1, proxied=proxied, priority=priority)
    return (
        RecordFacts(name=APEX, type=kind, declared=(record,), answers=(answer(kind, *texts),), addresses=addresses),
    )


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (fact("TXT", "site=abc", "site=abc", "v=spf1 -all"), None),
        (fact("TXT", "site=ABC", "site=abc"), "lacks site=ABC"),
        (fact("TXT", "site=abc"), "TXT at 1.1.1.1:53 lacks site=abc"),
        (fact("SRV", "1 5 5060 SIP.example.", "1 5 5060 sip.example."), None),
        (fact("SRV", "1 5 5060 sip.example.", "1 5 5061 sip.example."), "lacks 1 5 5060 sip.example."),
        (fact("MX", "mx.example.", "10 mx.example.", priority=10), None),
        (fact("MX", "mx.example.", "20 mx.example.", priority=10), "lacks 10 mx.example."),
        (fact("AAAA", "2001:DB8::0:1", "2001:db8::1"), None),
        (fact("A", "203.0.113.1", proxied=True, addresses=(answer("A", "198.51.100.7"),)), None),
        (fact("A", "203.0.113.1", proxied=True, addresses=(answer("A"),)), "a proxied name has an address"),
        (fact("NAPTR", "no such form", "no such form"), None),
    ],
)
def test_records(declared, facts, said):
    assert passes(records.records(declared, facts), said)


PUBLISHED = (
    '0 issue "letsencrypt.org"',
    '0 issue "pki.goog; cansignhttpexchanges=yes"',
    '0 iodef "mailto:a@b.example"',
)


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (PUBLISHED, None),
        ((*PUBLISHED, '0 issuewild ";"'), None),
        (PUBLISHED[1:], "issue at 1.1.1.1:53 lacks letsencrypt.org"),
        ((*PUBLISHED, '0 issue "evil.example"'), "lets evil.example in, which is not declared"),
        ((*PUBLISHED, '0 issuewild "evil.example"'), "issuewild at 1.1.1.1:53 lets evil.example in"),
        (PUBLISHED[:2], "iodef at 1.1.1.1:53 is absent"),
        ((), "no CAA issue record"),
    ],
)
def test_caa(declared, texts, said):
    policy = Caa(issuers=("letsencrypt.org", "pki.goog"), wildcard_issuers=(), iodef="mailto:a@b.example")

    assert passes(records.caa(changed(declared, caa=policy), (answer("CAA", *texts),)), said)


def test_declared_wildcard_authorities_must_be_published(declared):
    policy = Caa(issuers=("pki.goog",), wildcard_issuers=("pki.goog",), iodef=None)
    bare = answer("CAA", '0 issue "pki.goog"')

    assert passes(records.caa(changed(declared, caa=policy), (bare,)), "issuewild at 1.1.1.1:53 lacks pki.goog")


def test_without_caa_any_authority_may_issue(declared):
    assert passes(records.caa(changed(declared, caa=None), (answer("CAA"),)), "any authority may issue")
