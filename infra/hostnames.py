"""Domain and host names: what DNS, certificates and our own names for hosts allow."""

import re

_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_RECORD_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
MAX_NAME_OCTETS = 253  # RFC 1035 section 2.3.4: 255 on the wire, less the root label and the first length
APEX = "@"
WILDCARD = "*"


def domain_fault(name: str) -> str | None:
    """Why `name` cannot be a zone's name, as a limit; None when it can.

    Accepts the ASCII form in lower case only: IDNA names are written as `xn--…` (RFC 5890), because that is what
    DNS, certificates and Cloudflare's API compare.
    """
    if shape := _shape_fault(name):
        return shape
    labels = name.split(".")
    if len(labels) < 2:
        return "a domain has at least two labels, such as tidewriters.example"
    if labels[-1].isdigit():
        return "an address is not a domain"
    return _labels_fault(labels, _LABEL)


def record_fault(name: str, *, host_only: bool = False) -> str | None:
    """Why `name` cannot be the absolute name that a record stands at or points to; None when it can.

    Underscores are allowed (RFC 8552: `_dmarc`, `s1._domainkey`) unless `host_only`, for names that must be those of a
    machine (MX: RFC 5321 section 2.3.5).
    """
    if shape := _shape_fault(name):
        return shape
    labels = name.split(".")
    if len(labels) < 2:
        return "a relative name would be looked up inside the zone; write it out in full"
    if labels[-1].isdigit():
        return "an address is not a name"
    return _labels_fault(labels, _LABEL if host_only else _RECORD_LABEL)


def label_fault(name: str) -> str | None:
    """Why `name` cannot be a host of the zone: "@" for the apex, else labels such as "app" or "eu.app"."""
    if name == APEX:
        return None
    if not name:
        return 'a host is "@" for the apex or a label such as "app"'
    return _alphabet_fault(name) or _labels_fault(name.split("."), _LABEL)


def owner_fault(name: str) -> str | None:
    """Why `name` cannot be what a record of the zone stands at, relative to the zone; None when it can.

    "@" for the apex; underscores (RFC 8552), and an asterisk as the whole first label (RFC 4592).
    """
    if name in (APEX, WILDCARD):
        return None
    if not name:
        return 'a record stands at "@" for the apex or at a name such as "_dmarc"'
    if name.endswith("."):
        return "a name is written relative to the zone, without the trailing dot"
    return _alphabet_fault(name) or _labels_fault(name.removeprefix(f"{WILDCARD}.").split("."), _RECORD_LABEL)


def absolute(name: str, domain: str) -> str:
    """The full name of the host `name` in `domain`: "@" is the domain itself."""
    return domain if name == APEX else f"{name}.{domain}"


def ascii_form(name: str) -> str | None:
    """The IDNA form of a name typed in another alphabet, for the remedy; None if it has none.

    None, too, where the older IDNA that Python knows means another name (it turns ß into ss).
    """
    try:
        form = name.encode("idna").decode("ascii").lower()
        return form if form.encode("ascii").decode("idna") == name.lower() else None
    except UnicodeError:
        return None


def _shape_fault(name: str) -> str | None:
    if not name:
        return "a name is not empty"
    if "://" in name or "/" in name:
        return "a name has neither scheme nor path"
    if ":" in name:
        return "a name has no port"
    if name.endswith("."):
        return "a name is written without the trailing dot"
    if fault := _alphabet_fault(name):
        return fault
    if len(name) > MAX_NAME_OCTETS:
        return f"a name has at most {MAX_NAME_OCTETS} characters (RFC 1035), this one {len(name)}"
    return None


def _alphabet_fault(name: str) -> str | None:
    if not name.isascii():
        form = ascii_form(name)
        return "a name is written in its IDNA form" + (f", here {form}" if form else "")
    if name != name.lower():
        return "a name is written in lower case"
    return None


def _labels_fault(labels: list[str], pattern: re.Pattern[str]) -> str | None:
    for label in labels:
        if len(label) > 63:
            return f"a label has at most 63 characters (RFC 1035), {label[:16]}… has {len(label)}"
        if not pattern.fullmatch(label):
            return f"a label is letters, digits and inner hyphens (RFC 1123), {label!r} is not"
        if label.startswith("xn--") and not _decodes(label):
            return f"{label!r} is not a valid IDNA label (RFC 5890)"
    return None


def _decodes(label: str) -> bool:
    try:
        label.encode("ascii").decode("idna")
    except UnicodeError:
        return False
    return True
