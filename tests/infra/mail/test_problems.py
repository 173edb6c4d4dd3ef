from typing import Any

import pytest

from tests.infra.mail.declared import KEY, raw, sender
from tests.infra.test_config import problems

CNAME = {"selector": "s1", "type": "CNAME", "value": "s1.dkim.example"}


def plain(**changes: Any) -> dict[str, Any]:
    return raw(sender("plain", **changes))


def key(**changes: Any) -> dict[str, Any]:
    return plain(dkim=[{**KEY, **changes}])


def dmarc(**changes: Any) -> dict[str, Any]:
    return raw(dmarc={"rua": ["mailto:a@tidewriters.example"], **changes})


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    (raw(receive={}), "mail.receive", "either via or mx"),
    (raw(receive={"via": "google", "mx": [{"host": "a.example", "priority": 1}]}), "mail.receive", "either via or mx"),
    (raw(receive={"mx": [{"host": "mail", "priority": 1}]}), "mail.receive.mx[0].host", "relative name"),
    (
        raw(receive={"mx": [{"host": "192.0.2.1", "priority": 1}]}),
        "mail.receive.mx[0].host",
        "an address is not a name",
    ),
    (raw(receive={"mx": [{"host": "m.example"}]}), "mail.receive.mx[0].priority", "it has no default"),
    (raw(receive={"mx": [{"host": "m.example", "priority": 1}] * 2}), "mail.receive.mx", "declared once"),
    (raw(receive={"via": "microsoft365"}), "mail.receive", "an exchanger for each domain"),
    (raw(receive={"via": "microsoft365", "host": "evil.example"}), "mail.receive", "an exchanger for each domain"),
    (raw(sender("google"), receive=None), "mail.senders[0].domain", "null MX"),
    (raw(sender("google"), sender("google")), "mail.senders", "declared once for a domain"),
    (raw(sender("google", kind="marketing")), "mail.senders[0]", "google sends people mail, not marketing"),
    (raw(sender("postmark", "mail"), sender("kit", "mail")), "mail.senders[1].domain", "never share a domain"),
    (raw(sender("plain", "eu_1")), "mail.senders[0].domain", "letters, digits and inner hyphens"),
    (raw(sender("plain", "münchen")), "mail.senders[0].domain", "xn--mnchen-3ya"),
    (raw({"via": "pigeon", "kind": "people"}), "mail.senders[0].via", "'google'"),
    (key(selector="@"), "mail.senders[0].dkim[0].selector", "labels of its own"),
    (key(selector="s1 in txt"), "mail.senders[0].dkim[0].selector", "letters, digits and inner hyphens"),
    (key(selector="../s1"), "mail.senders[0].dkim[0].selector", "letters, digits and inner hyphens"),
    (key(selector="s1."), "mail.senders[0].dkim[0].selector", "letters, digits and inner hyphens"),
    (key(selector="a" * 64), "mail.senders[0].dkim[0].selector", "at most 63 characters"),
    (key(selector=".".join(["a" * 60] * 4)), "mail.senders", "253 characters"),
    (key(value='v=DKIM1; p=AAAA" "x'), "mail.senders[0].dkim[0].value", "without quotes"),
    (key(value="v=DKIM1; p=AAAA\nv=spf1 +all"), "mail.senders[0].dkim[0].value", "printable ASCII"),
    (key(value="v=DKIM1; p=" + "A" * 2048), "mail.senders[0].dkim[0].value", "at most 2048 characters, this one 2059"),
    (key(value="p=AAAA; v=DKIM1"), "mail.senders[0].dkim[0].value", "comes first"),
    (key(value="v=DKIM2; p=AAAA"), "mail.senders[0].dkim[0].value", "is DKIM1"),
    (key(value="v=DKIM1; k=rsa"), "mail.senders[0].dkim[0].value", "p= holds the key"),
    (key(value="v=DKIM1; p=!"), "mail.senders[0].dkim[0].value", "base64"),
    (key(type="CNAME", value="s1.dkim.example."), "mail.senders[0].dkim[0].value", "trailing dot"),
    (plain(dkim=[KEY, KEY]), "mail.senders", "one key stands at a name"),
    (plain(dkim=[KEY, CNAME]), "mail.senders", "a CNAME stands alone and here are TXT, CNAME"),
    (raw(sender("google", dkim=[])), "mail.senders[0]", "at least 1 selector, here are 0"),
    (raw(sender("google", dkim=[CNAME])), "mail.senders[0]", "google gives TXT records"),
    (raw(sender("ses", dkim=[CNAME] * 3)), "mail.senders[0]", "'s1' is no selector of ses"),
    (raw(sender("kit", dkim=[{**CNAME, "selector": "cka"}])), "mail.senders[0]", "not where kit keeps keys"),
    (raw(sender("kit", returnPathTarget="evil.example")), "mail.senders[0]", "not where a return path of kit leads"),
    (raw(sender("sendgrid", returnPath=None)), "mail.senders[0]", "needs a returnPath, made for your account"),
    (raw(sender("google", returnPath="x")), "mail.senders[0]", "no return path of its own"),
    (raw(sender("postmark", returnPathTarget="pm.mtasv.net")), "mail.senders[0]", "leads to pm.mtasv.net"),
    (raw(sender("postmark", returnPath="@")), "mail.senders[0].returnPath", "below the sending domain"),
    (raw(sender("ses", region="Ireland")), "mail.senders[0]", "AWS region"),
    (raw(sender("google", spf=["ip4:192.0.2.1"])), "mail.senders[0]", "spf is for plain senders"),
    (plain(spf=[]), "mail.senders[0]", "spf, or a returnPath"),
    (plain(spf=["+all"]), "mail.senders[0].spf", "'+all' is not include:"),
    (plain(spf=["include:münchen.example"]), "mail.senders[0].spf", "xn--mnchen-3ya.example"),
    (plain(spf=["include:relay"]), "mail.senders[0].spf", "relative name"),
    (plain(spf=["ip4:192.0.2.300"]), "mail.senders[0].spf", "does not appear to be an IPv4"),
    (plain(spf=["ip4:192.0.2.1/24"]), "mail.senders[0].spf", "has host bits set"),
    (plain(spf=["ip4:2001:db8::1"]), "mail.senders[0].spf", "of the other version"),
    (plain(spf=["include:a.example/24"]), "mail.senders[0].spf", "is not include:"),
    (plain(spf=["ptr:a.example"]), "mail.senders[0].spf", "is not include:"),
    (plain(spf=["ip4:0.0.0.0/0"]), "mail.senders[0].spf", "lets anybody send"),
    (plain(spf=["include:a.example +all"]), "mail.senders[0].spf", "is not include:"),
    (plain(spf=[f"ip4:203.0.113.{number}" for number in range(40)]), "mail.senders", "at most 450 characters"),
    (plain(spf=[f"include:s{number}.example" for number in range(11)]), "mail.senders", "11 lookups, at most 10"),
    (raw(spfAll="+all"), "mail.spfAll", "'-all' or '~all'"),
    (dmarc(rung="maybe"), "mail.dmarc.rung", "'none'"),
    (dmarc(rung="none"), "mail.dmarc.by", "below the target reject, which must have a day"),
    (dmarc(testing=True), "mail.dmarc.by", "below the target reject, as a test or for sub-domains"),
    (dmarc(subdomains="none"), "mail.dmarc.by", "below the target reject, as a test or for sub-domains"),
    (dmarc(rung="reject", target="none"), "mail.dmarc.target", "the target is not below the rung"),
    (dmarc(rung="none", by="soon"), "mail.dmarc.by", "valid date"),
    (dmarc(pct=50), "mail.dmarc.pct", "no such key"),
    (dmarc(rua=["a@b.example"]), "mail.dmarc.rua[0]", "mailto:name@domain"),
    (dmarc(rua=["mailto:a@b.example,mailto:c@d.example"]), "mail.dmarc.rua[0]", "mailto:name@domain"),
    (dmarc(rua=["mailto:a@münchen.example"]), "mail.dmarc.rua[0]", "xn--mnchen-3ya.example"),
    (dmarc(rua=["mailto:grüße@b.example"]), "mail.dmarc.rua[0]", "mailto:name@domain"),
    (dmarc(domains={"news": "none"}), "mail.dmarc.domains.news", "no sender uses this sub-domain"),
    (dmarc(domains={"@": "none"}), "mail.dmarc.domains", "no sub-domain"),
    (raw(sender("google"), dmarc={}), "mail.dmarc.rua", "takes aggregate reports"),
    (raw(receive=None, mtaSts={"mode": "enforce"}), "mail.mtaSts", "it receives none"),
    (raw(receive=None, tlsRpt=["mailto:a@b.example"]), "mail.tlsRpt", "it receives none"),
    (raw(mtaSts={"mode": "none"}), "mail.mtaSts.mode", "'testing' or 'enforce'"),
    (raw(mtaSts={"mode": "enforce", "maxAgeSeconds": 60}), "mail.mtaSts.maxAgeSeconds", "86400"),
    (raw(tlsRpt=["http://a.example"]), "mail.tlsRpt[0]", "mailto:"),
    (raw(tlsRpt=["https://a.example/x;y"]), "mail.tlsRpt[0]", "https address"),
    (raw(bimi={"logo": "https://a.example/logo.png"}), "mail.bimi.logo", ".svg"),
    (raw(bimi={"logo": "http://a.example/logo.svg"}), "mail.bimi.logo", "https address"),
    (
        raw(bimi={"logo": "https://a.example/l.svg"}, dmarc={"rung": "none", "by": "2027-03-01"}),
        "mail.bimi",
        "needs DMARC at quarantine or reject",
    ),
]


@pytest.mark.parametrize(("section", "path", "limit"), REFUSED, ids=[f"{path}: {limit}" for _, path, limit in REFUSED])
def test_what_is_wrong_is_told_with_its_place(section: dict[str, Any], path: str, limit: str) -> None:
    found = problems(mail=section)
    assert any(said.startswith(f"launch-ready:{path}") and limit in said for said in found), found


def test_a_record_over_the_limit_is_shown_as_the_tree_that_costs_it() -> None:
    relays = [f"include:s{number}.example" for number in range(5)]
    [said] = problems(mail=raw(sender("google"), sender("mailgun"), sender("plain", spf=relays)))
    assert "11 lookups, at most 10 (RFC 7208 section 4.6.4)" in said
    tree = "include:mailgun.org: 5 |   include:_spf.mailgun.org: 3 |     include:_spf1.mailgun.org: 1"
    assert tree in said
