"""What is wrong with the text of an SPF record or of a DKIM key, by itself. Pure."""

import base64
import binascii
import ipaddress
import re

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from checks.probes.mail import DkimFacts

MODIFIER = re.compile(r"[a-z][a-z0-9_.-]*=")
DOMAIN_SPEC = re.compile(r"[:][^/\s:]+")
LENGTHS = re.compile(r"(/\d{1,2})?(//\d{1,3})?")


def tags_of(record: str) -> dict[str, str]:
    """The tags of a `tag=value; tag=value` record, names in lower case."""
    pairs = (part.partition("=") for part in record.split(";") if part.strip())
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def spf_record_problems(record: str) -> list[str]:
    """What makes an SPF record invalid (RFC 7208 section 12) or useless."""
    terms = record.lower().split()[1:]
    problems = [f"{term} is not a term of SPF" for term in terms if not _is_term(term)]
    problems += [f"{term}: ptr is slow and must not be used" for term in terms if _bare(term).startswith("ptr")]
    everything = [term for term in terms if _bare(term) == "all"]
    redirects = [term for term in terms if term.startswith("redirect=")]
    if len(redirects) > 1:
        problems.append("redirect= stands more than once")
    if not everything and not redirects:
        problems.append("no all term: anybody else is neutral")
    problems += [f"{term} lets anybody send" for term in everything if term not in {"-all", "~all"}]
    return problems + [f"{term} lets anybody send" for term in terms if _bare(term) in {"ip4:0.0.0.0/0", "ip6:::/0"}]


def _bare(term: str) -> str:
    return term[1:] if term[:1] in "+-~?" else term


def _is_term(term: str) -> bool:
    if MODIFIER.match(term):
        return True
    name = re.split(r"[:/]", _bare(term), maxsplit=1)[0]
    rest = _bare(term)[len(name) :]
    if name in {"ip4", "ip6"}:
        return _is_network(rest.removeprefix(":"), name)
    if name == "all":
        return not rest
    if name in {"include", "exists"}:
        return DOMAIN_SPEC.fullmatch(rest) is not None
    if name in {"a", "mx", "ptr"}:
        spec = DOMAIN_SPEC.match(rest)
        return LENGTHS.fullmatch(rest[spec.end() :] if spec else rest) is not None
    return False


def _is_network(text: str, kind: str) -> bool:
    try:
        return bool(ipaddress.IPv4Network(text, False) if kind == "ip4" else ipaddress.IPv6Network(text, False))
    except ValueError:
        return False


def key_problems(fact: DkimFacts) -> tuple[list[str], list[str]]:
    """Problems and warnings of the key behind a selector."""
    name = fact.key.name
    if len(fact.key.records) != 1:
        return [f"{name} holds {len(fact.key.records) or 'no'} key{'s' if fact.key.records else ''}"], []
    tags = tags_of(fact.key.records[0])
    test = [f"{name}: t=y, receivers treat it as a test"] if "y" in tags.get("t", "").split(":") else []
    try:
        bits = _key_bits(tags)
    except ValueError as error:
        return [f"{name}: {error}", *test], []
    if bits < 1024:
        return [f"{name}: RSA {bits} bits, at least 2048", *test], []
    return test, [f"{name}: RSA {bits} bits, 2048 wanted"] if bits < 2048 else []


def _key_bits(tags: dict[str, str]) -> int:
    """The strength as RSA bits; an Ed25519 key counts as 3072. ValueError for what is no key."""
    if (next(iter(tags), "v") != "v" and "v" in tags) or tags.get("v", "DKIM1") != "DKIM1":
        raise ValueError("v=, where there is one, comes first and is DKIM1")
    if tags.get("k", "rsa") not in {"rsa", "ed25519"}:
        raise ValueError(f"k={tags['k']} is no kind of key")
    if not {"*", "email"} & set(tags.get("s", "*").split(":")):
        raise ValueError(f"s={tags['s']} is not for mail")
    if not tags.get("p"):
        raise ValueError("the key was revoked (empty p=)")
    try:
        raw = base64.b64decode("".join(tags["p"].split()), validate=True)
    except binascii.Error as error:
        raise ValueError("p= is not base64") from error
    if tags.get("k", "rsa") == "ed25519":
        ed25519.Ed25519PublicKey.from_public_bytes(raw)
        return 3072
    key = serialization.load_der_public_key(raw)
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError(f"p= holds a {type(key).__name__}, not the declared RSA key")
    return key.key_size
