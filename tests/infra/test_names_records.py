import json
from typing import Any, get_args, get_type_hints

import dns.rdata
import pytest
from cloudflare.types.dns import record_create_params as cloudflare_types
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from infra.names.record_data import PARTS
from infra.names.record_sections import RecordType, ZoneRecord
from tests.infra.test_config import NO_HOSTS_NAMED, host, loaded, problems

PARTS_OF = {
    "CAA": {"flags": 0, "tag": "issue", "value": "letsencrypt.org"},
    "CERT": {"type": 1, "keyTag": 12345, "algorithm": 8, "certificate": "AAAA"},
    "DNSKEY": {"flags": 257, "protocol": 3, "algorithm": 13, "publicKey": "AAAA"},
    "DS": {"keyTag": 1, "algorithm": 13, "digestType": 2, "digest": "ab" * 32},
    "HTTPS": {"priority": 1, "target": ".", "value": 'alpn="h2,h3"'},
    "LOC": {
        "latDegrees": 51,
        "latMinutes": 30,
        "latSeconds": 12.748,
        "latDirection": "N",
        "longDegrees": 0,
        "longMinutes": 7,
        "longSeconds": 39.6,
        "longDirection": "W",
        "altitude": 10,
        "size": 1,
        "precisionHorz": 10000,
        "precisionVert": 10,
    },
    "NAPTR": {
        "order": 100,
        "preference": 10,
        "flags": "S",
        "service": "SIP+D2U",
        "regex": "",
        "replacement": "_sip._udp.tide.example",
    },
    "SMIMEA": {"usage": 3, "selector": 0, "matchingType": 0, "certificate": "abcd"},
    "SRV": {"priority": 10, "weight": 5, "port": 5223, "target": "chat.tide.example"},
    "SSHFP": {"algorithm": 4, "type": 2, "fingerprint": "ab" * 32},
    "SVCB": {"priority": 0, "target": "pool.tide.example", "value": ""},
    "TLSA": {"usage": 3, "selector": 1, "matchingType": 1, "certificate": "ab" * 32},
    "URI": {"weight": 1, "target": "https://tide.example/a b"},
}
CONTENT_OF = {
    "A": ("192.0.2.1", "192.0.2.1"),
    "AAAA": ("2001:db8::1", "2001:db8::1"),
    "CNAME": ("tide.example", "tide.example."),
    "MX": ("in1.tide.example", "in1.tide.example."),
    "NS": ("ns1.tide.example", "ns1.tide.example."),
    "OPENPGPKEY": ("AAAA", "AAAA"),
    "PTR": ("tide.example", "tide.example."),
    "TXT": ('"a" "b"', "ab"),
}


def record(**fields: Any) -> dict[str, Any]:
    return {"name": "x", "type": "TXT", **fields}


def priority(kind: str) -> dict[str, int]:
    return {"priority": 10} if kind in ("MX", "URI") else {}


def section(**fields: Any) -> ZoneRecord:
    return ZoneRecord.model_validate_json(json.dumps(record(**fields)))


def judged(**fields: Any) -> set[str]:
    """The keys that are wrong, or "declared" where the record is good and can be shown."""
    try:
        return {"declared"} if section(**fields).value else set()
    except ValidationError as error:
        return {str(entry["loc"][0]) for entry in error.errors()}


def srv(**parts: Any) -> dict[str, Any]:
    return record(type="SRV", data={**PARTS_OF["SRV"], **parts})


def test_every_type_is_in_one_of_the_tables() -> None:
    assert {*PARTS_OF, *CONTENT_OF} == set(get_args(RecordType))
    assert set(PARTS_OF) == set(PARTS)


@pytest.mark.parametrize("kind", PARTS_OF)
def test_the_parts_are_those_of_cloudflares_own_client(kind: str) -> None:
    theirs = get_type_hints(getattr(cloudflare_types, f"{kind}RecordData"))
    ours = {part.key: part.kind for part in PARTS[kind]}
    assert {_snake(key) for key in ours} == theirs.keys()
    for key, shape in ours.items():
        assert (theirs[_snake(key)] is float) == (shape in ("number", "decimal", "metres")), key


@pytest.mark.parametrize("kind", PARTS_OF)
def test_a_record_of_parts_is_shown_as_a_resolver_shows_it(kind: str) -> None:
    found = section(type=kind, data=PARTS_OF[kind], **priority(kind))
    beside = "10 " if kind == "URI" else ""
    assert str(dns.rdata.from_text("IN", kind, beside + found.value, relativize=False)) == beside + found.value
    assert found.sent_content is None


@pytest.mark.parametrize("kind", CONTENT_OF)
def test_a_record_of_text_is_shown_as_a_resolver_shows_it(kind: str) -> None:
    content, shown = CONTENT_OF[kind]
    assert section(type=kind, content=content, **priority(kind)).value == shown


@pytest.mark.parametrize(
    ("records", "key", "said"),
    [
        ([record(type="SOA", content="x")], "records[0].type", "'A', 'AAAA'"),
        ([record()], "records[0].content", "a record of type TXT has content"),
        ([record(content="")], "records[0].content", "a record of type TXT has content"),
        ([record(type="A", content="app")], "records[0].content", "an A record holds an IPv4 address"),
        ([record(type="A", content="1.1")], "records[0].content", "an A record holds an IPv4 address"),
        ([record(type="AAAA", content="2001:DB8::1")], "records[0].content", "as Cloudflare gives it back"),
        ([record(type="MX", content="in1.tide.example")], "records[0].priority", "has a priority"),
        ([record(type="MX", content="192.0.2.1", priority=1)], "records[0].content", "an address is not a name"),
        ([record(type="MX", content="in1", priority=1)], "records[0].content", "relative name"),
        ([record(type="MX", content="in1.tide.example", priority=65536)], "records[0].priority", "65535"),
        ([record(content="x", priority=1)], "records[0].priority", "has no priority"),
        ([record(type="CNAME", content="tide.example.")], "records[0].content", "trailing dot"),
        ([record(type="CNAME", content="schön.example")], "records[0].content", "here xn--schn-7qa.example"),
        ([record(type="CNAME", content="192.0.2.1")], "records[0].content", "an address is not a name"),
        ([record(type="CNAME", content="Tide.example")], "records[0].content", "lower case"),
        ([record(type="SRV", content="1 1 1 a.example")], "records[0].content", "wants the parts of SRV"),
        ([record(type="SRV")], "records[0].data", "Add data: {priority, weight, port, target}"),
        ([record(type="A", content="192.0.2.1", data={})], "records[0].data", "has content, no parts"),
        ([srv(port=70000)], "records[0].data", "no SRV record"),
        ([srv(port="5223")], "records[0].data", "port: it is a whole number"),
        ([srv(port=1.5)], "records[0].data", "port: it is a whole number"),
        ([srv(port=True)], "records[0].data", "port: it is a whole number"),
        ([srv(port=[1])], "records[0].data", "port: it is a whole number"),
        ([srv(target="chat")], "records[0].data", "target: a relative name"),
        ([srv(proto="tcp")], "records[0].data", "the parts of SRV are priority, weight, port, target"),
        ([record(type="TLSA", data=PARTS_OF["TLSA"] | {"certificate": "xy"})], "records[0].data", "no TLSA record"),
        ([record(type="CAA", data=PARTS_OF["CAA"] | {"tag": "issue;"})], "records[0].data", "tag: it is one word"),
        ([record(type="CAA", data=PARTS_OF["CAA"] | {"value": "a\nb"})], "records[0].data", "printable"),
        ([record(type="HTTPS", data=PARTS_OF["HTTPS"] | {"value": "alpn"})], "records[0].data", "no HTTPS record"),
        ([record(content='"a')], "records[0].content", "the quotes do not fit together"),
        ([record(content="é" * 2048)], "records[0].content", "at most 4096 octets"),
        ([record(content="x", proxied=True)], "records[0].proxied", "only A, AAAA, CNAME can be proxied"),
        ([record(content="x", ttl=30)], "records[0].ttl", "60 to 86400 seconds"),
        ([record(type="A", content="192.0.2.1", proxied=True, ttl=300)], "records[0].ttl", "has ttl 1"),
        ([record(type="A", content="10.0.0.1", proxied=True)], "records[0].content", "the Internet can reach"),
        (
            [record(type="CNAME", content="tide.netlify.app", proxied=True)],
            "records[0].proxied",
            "Netlify cannot stand behind a proxy",
        ),
        ([record(name="*.eu", type="A", content="192.0.2.1", proxied=True)], "records[0].name", "and one label"),
        ([record(content="x", comment="c" * 101)], "records[0].comment", "comments of 100 characters"),
        ([record(name="", content="x")], "records[0].name", "a record stands at"),
        ([record(name="a b", content="x")], "records[0].name", "letters, digits"),
        ([record(name="a.*.b", content="x")], "records[0].name", "letters, digits"),
        ([record(name="**", content="x")], "records[0].name", "letters, digits"),
        ([record(name="x.", content="x")], "records[0].name", "without the trailing dot"),
        ([record(name="a..b", content="x")], "records[0].name", "letters, digits"),
        ([record(name="größe", content="x")], "records[0].name", "IDNA form"),
        ([record(name="a" * 64, content="x")], "records[0].name", "63 characters"),
        ([record(name=".".join(["a" * 60] * 4), content="x")], "records[0].name", "253 characters"),
        ([record(name="x.tidewriters.example", content="x")], "records[0].name", 'Write "x"'),
        ([record(name="tidewriters.example", content="x")], "records[0].name", 'Write "@"'),
        ([record(content="x")] * 2, "records[1]", "records[0] declares the same"),
        ([record(content="ab"), record(content='"a" "b"')], "records[1]", "records[0] declares the same"),
        ([record(name="@", type="A", content="203.0.113.24")], "records[0]", "hosts[0] declares the same"),
        (
            [record(type="CNAME", content="a.example"), record(content="x")],
            "records[1]",
            "records[0] declares CNAME at this name",
        ),
        (
            [record(content="x"), record(type="CNAME", content="a.example")],
            "records[0]",
            "records[1] declares CNAME at this name",
        ),
        ([record(type="CNAME", content=f"{n}.example") for n in "ab"], "records[1]", "records[0] declares CNAME"),
        ([record(name="@", type="CNAME", content="a.example")], "hosts[0]", "records[0] declares CNAME"),
        ([record(name="www", content="x")], "records[0]", "canonical declares CNAME"),
        ([record(name="api", type="A", content="192.0.2.1")], "records[0]", "apiHost declares CNAME"),
        ([record(name="@", content="v=spf1 ~all")], "records[0]", "the mail section declares v=spf1"),
        ([record(name="_dmarc", content="V=DMARC1; p=none")], "records[0]", "the mail section declares v=dmarc1"),
        ([record(name="_dmarc", type="CNAME", content="a.example")], "records[0]", "mail declares TXT"),
        ([record(name="@", type="MX", content=".", priority=0)], "records[0]", "a null MX is the only one"),
        (
            [record(type="MX", content="app.tidewriters.example", priority=1)],
            "records[0].content",
            "never leads to a CNAME",
        ),
        ([record(name="@", type="NS", content="ns1.tide.example")], "records[0]", "the zone's own name servers"),
        ([record(name="@", type="DS", data=PARTS_OF["DS"])], "records[0]", "stands in its parent"),
        ([record(content="x" * 4000 + str(n)) for n in range(3)], "records[2]", "8192 characters together"),
    ],
)
def test_a_wrong_record_is_named_with_its_key_and_limit(records: list[dict[str, Any]], key: str, said: str) -> None:
    hosts = [host(), {"name": "app", "platform": "plain", "target": "origin.tide.example", "role": "web"}]
    found = problems(records=records, hosts=hosts, **NO_HOSTS_NAMED)
    assert any(line.startswith(f"launch-ready:{key}: ") and said in line for line in found), found


@pytest.mark.parametrize(
    "declared",
    [
        record(name="*", type="A", content="192.0.2.1", proxied=True),
        record(name="*.eu", type="A", content="10.0.0.1"),
        record(name="_acme-challenge.a_b", content='say "hello" \\ and more'),
        record(name="@", type="TXT", content="google-site-verification=abc"),
        record(name="old", type="NS", content="ns1.tide.example"),
        record(name="old", type="DS", data=PARTS_OF["DS"]),
        record(name="off", type="MX", content=".", priority=0),
        record(name="_sip._tcp", type="SRV", data={**PARTS_OF["SRV"], "target": "."}),
    ],
)
def test_an_odd_record_is_declared(declared: dict[str, Any]) -> None:
    assert loaded(records=[declared]).settings.records[0].name == declared["name"]


def test_the_apex_may_be_a_cname_beside_mail_and_texts_because_cloudflare_flattens_it() -> None:
    apex = {"name": "@", "platform": "render", "target": "tide.onrender.com", "role": "web"}
    assert (
        loaded(**NO_HOSTS_NAMED, hosts=[apex], records=[record(name="@", content="x")]).settings.hosts[0].records[0][0]
        == "CNAME"
    )


def test_authorities_are_written_by_hand_only_where_none_are_derived() -> None:
    declared = [record(name="@", type="CAA", data=PARTS_OF["CAA"])]
    assert any("the authorities are derived" in line for line in problems(caa={}, records=declared))
    assert loaded(caa={"enabled": False}, records=declared).settings.records


def test_records_beyond_the_plan_are_refused() -> None:
    declared = [record(name=f"r{number}", content="x") for number in range(200)]
    assert any("plan 'free' holds 200 records" in line for line in problems(records=declared))


def test_a_paid_plan_has_longer_comments() -> None:
    assert loaded(zonePlan="pro", records=[record(content="x", comment="c" * 101)]).settings.records[0].comment


def test_three_thousand_records_are_judged_and_one_of_them_is_wrong() -> None:
    declared = [record(name=f"r{number}", content=f"text {number}") for number in range(2999)]
    assert len(loaded(zonePlan="pro", records=declared).settings.records) == 2999
    [found] = problems(zonePlan="pro", records=[*declared, declared[0]])
    assert found.startswith("launch-ready:records[2999]: ")


@given(st.text(max_size=40), st.sampled_from(get_args(RecordType)), st.text(max_size=40))
def test_any_content_is_judged_without_an_exception(name: str, kind: str, content: str) -> None:
    found = judged(name=name, type=kind, content=content, **priority(kind))
    assert found == {"declared"} or found <= {"name", "content", "data"}


words = st.one_of(st.text(max_size=12), st.integers(), st.floats(allow_nan=False, allow_infinity=False))


@given(st.data(), st.sampled_from(sorted(PARTS_OF)))
def test_any_parts_are_judged_without_an_exception(data: st.DataObject, kind: str) -> None:
    changed = data.draw(st.sampled_from(sorted(PARTS_OF[kind])))
    parts = PARTS_OF[kind] | {changed: data.draw(words)}
    assert judged(type=kind, data=parts, **priority(kind)) in ({"declared"}, {"data"})


def _snake(key: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key)
