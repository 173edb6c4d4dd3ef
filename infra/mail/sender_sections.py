"""The configuration of one sender: whose servers send, from which domain, and what proves it."""

import base64
import binascii
import ipaddress
import re
from typing import Literal, Self

from pydantic import ValidationInfo, field_validator, model_validator

from infra.hostnames import APEX, label_fault, record_fault
from infra.mail.vendors import SES_REGION, VENDORS, Kind, VendorName
from infra.section import Section, refused

TXT_MOST = 2048  # characters: room for an RSA key of 8192 bits, and far below what one TXT record may hold
_MECHANISM = re.compile(r"(include|a|mx|exists):([^\s/:]+)(/[0-9/]+)?|ip[46]:[0-9a-f:.]+(/[0-9]+)?")


def label(name: str) -> str:
    """A sending domain: "@" for the zone itself, else labels below it."""
    if fault := label_fault(name):
        raise refused(fault, 'Write "@" for the domain itself, or the part before it, such as "mail".')
    return name


class Dkim(Section):
    """One signing key (RFC 6376), by delegation (CNAME) or by value (TXT)."""

    selector: str
    type: Literal["CNAME", "TXT"]
    value: str

    @field_validator("selector")
    @classmethod
    def _is_labels(cls, selector: str) -> str:
        fault = "a selector is labels of its own" if selector == APEX else label_fault(selector)
        if fault:
            raise refused(fault, 'Give the part before "._domainkey".')
        return selector

    @field_validator("value")
    @classmethod
    def _fits_the_type(cls, value: str, info: ValidationInfo) -> str:
        kind = info.data.get("type")
        if kind == "CNAME" and (fault := record_fault(value)):
            raise refused(fault, "Give the absolute name that your mail provider shows.")
        if kind == "TXT" and (fault := _key_fault(value)):
            raise refused(fault, "Paste the key as your mail provider shows it, without quotes.")
        return value


class Sender(Section):
    """Somebody's servers that send as one of our domains. What each vendor asks for is in `infra.mail.vendors`."""

    via: VendorName
    domain: str = APEX
    kind: Kind
    dkim: tuple[Dkim, ...] = ()
    return_path: str | None = None
    return_path_target: str | None = None
    region: str | None = None
    spf: tuple[str, ...] = ()

    _domain = field_validator("domain")(label)

    @field_validator("return_path")
    @classmethod
    def _is_a_label(cls, name: str | None) -> str | None:
        if name is not None and (name == APEX or label_fault(name)):
            raise refused("a return path is a name below the sending domain", "Give its label, such as pm-bounces.")
        return name

    @field_validator("spf")
    @classmethod
    def _are_mechanisms(cls, terms: tuple[str, ...]) -> tuple[str, ...]:
        for term in terms:
            if fault := _mechanism_fault(term):
                raise refused(fault, "Name exactly who sends; what becomes of all others is spfAll.")
        return terms

    @model_validator(mode="after")
    def _fits_the_vendor(self) -> Self:
        if fault := _vendor_fault(self):
            raise refused(*fault)
        return self

    @property
    def bounces_to(self) -> str | None:
        """The return path's label below the sending domain; None where the domain itself is the envelope sender."""
        shape = VENDORS[self.via].return_path
        if shape is None or (not shape.required and self.return_path is None):
            return None
        return self.return_path or shape.label

    @property
    def bounce_target(self) -> str | None:
        """Where the return path's record leads."""
        shape = VENDORS[self.via].return_path
        if shape is None:
            return None
        return shape.target.replace("{region}", self.region or "") if shape.target else self.return_path_target

    @property
    def mechanisms(self) -> tuple[str, ...]:
        """Who may send, for the SPF record of the envelope's domain; none where a CNAME hands that to the vendor."""
        vendor = VENDORS[self.via]
        if self.bounces_to:
            assert vendor.return_path
            return (f"include:{vendor.return_path.include}",) if vendor.return_path.include else ()
        return (f"include:{vendor.include}",) if vendor.include else self.spf


def _vendor_fault(sender: Sender) -> tuple[str, str] | None:
    """What does not fit the vendor: limit and remedy."""
    return _kind_fault(sender) or _dkim_fault(sender) or _return_path_fault(sender) or _envelope_fault(sender)


def _kind_fault(sender: Sender) -> tuple[str, str] | None:
    kinds = VENDORS[sender.via].kinds
    if sender.kind in kinds:
        return None
    return f"{sender.via} sends {' and '.join(sorted(kinds))} mail, not {sender.kind}", _as_shown(sender)


def _dkim_fault(sender: Sender) -> tuple[str, str] | None:
    vendor = VENDORS[sender.via]
    if len(sender.dkim) < vendor.keys:
        count = "1 selector" if vendor.keys == 1 else f"{vendor.keys} selectors"
        return f"{sender.via} gives at least {count}, here are {len(sender.dkim)}", _as_shown(sender)
    for key in sender.dkim:
        if key.type not in vendor.dkim_types:
            return f"{sender.via} gives {' or '.join(sorted(vendor.dkim_types))} records for DKIM", _as_shown(sender)
        if not re.fullmatch(vendor.selector, key.selector):
            return f"{key.selector!r} is no selector of {sender.via}", _as_shown(sender)
        if key.type == "CNAME" and not re.fullmatch(vendor.dkim_target, key.value):
            return f"{key.value!r} is not where {sender.via} keeps keys", _as_shown(sender)
    return None


def _return_path_fault(sender: Sender) -> tuple[str, str] | None:
    shape = VENDORS[sender.via].return_path
    if shape is None:
        if sender.return_path or sender.return_path_target:
            return f"{sender.via} has no return path of its own: the domain is the envelope sender", "Leave it out."
        return None
    if sender.bounces_to is None:
        needed = shape.required or sender.return_path_target
        return (f"{sender.via} needs a returnPath, made for your account", _as_shown(sender)) if needed else None
    if shape.target and sender.return_path_target:
        return f"the return path of {sender.via} leads to {shape.target}", "Leave returnPathTarget out."
    if shape.target and "{region}" in shape.target and not SES_REGION.fullmatch(sender.region or ""):
        return f"{sender.via} sends from an AWS region", "Give region, such as eu-west-1."
    if not shape.target:
        target = sender.return_path_target or ""
        if record_fault(target) or not re.fullmatch(shape.target_shape, target):
            return f"{target!r} is not where a return path of {sender.via} leads", _as_shown(sender)
    return None


def _envelope_fault(sender: Sender) -> tuple[str, str] | None:
    """Somebody must be allowed by SPF, and only `plain` names whom."""
    if sender.via != "plain":
        return ("spf is for plain senders; a vendor's is known", "Leave spf out.") if sender.spf else None
    if bool(sender.spf) == bool(sender.return_path):
        return "a plain sender has spf, or a returnPath whose owner keeps the SPF record", "Give one of the two."
    return None


def _as_shown(sender: Sender) -> str:
    return f"Enter what {sender.via} shows for your account; see {VENDORS[sender.via].source[0]}."


def _mechanism_fault(term: str) -> str | None:
    """Why a text is no mechanism of SPF that names somebody (RFC 7208 section 5)."""
    match = _MECHANISM.fullmatch(term)
    if not match or (match[1] in ("include", "exists") and match[3]):
        return f"{term!r} is not include:, a:, mx:, exists:, ip4: or ip6: with a value, in lower case"
    if term.endswith("/0"):
        return f"{term!r} lets anybody send"
    if term.startswith("ip"):
        try:
            version = ipaddress.ip_network(term[4:]).version
        except ValueError as error:
            return f"{term!r}: {error}"
        return None if version == int(term[2]) else f"{term!r} is of the other version"
    name = match[2]
    fault = None if "%" in name else record_fault(name)  # a macro: what it becomes depends on the message
    return f"{name!r}: {fault}" if fault else None


def _key_fault(text: str) -> str | None:
    """Why a text is no DKIM key record (RFC 6376 section 3.6.1): v=, where there is one, comes first."""
    if not text.isascii() or not text.isprintable() or '"' in text or "\\" in text:
        return "a key record is printable ASCII, without quotes"
    if len(text) > TXT_MOST:
        return f"a key record has at most {TXT_MOST} characters, this one {len(text)}"
    tags = [part.partition("=") for part in text.split(";") if part.strip()]
    names = [name.strip() for name, _, _ in tags]
    values = {name.strip(): value.strip() for name, _, value in tags}
    if "v" in names and (names[0] != "v" or values["v"] != "DKIM1"):
        return "v=, where there is one, comes first and is DKIM1"
    if not values.get("p"):
        return "p= holds the key"
    try:
        base64.b64decode("".join(values["p"].split()), validate=True)
    except binascii.Error:
        return "p= is base64"
    return None
