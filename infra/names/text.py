"""TXT content between the text that is meant and the strings that a zone file and Cloudflare keep.

A TXT record is one or more character strings of at most 255 octets (RFC 1035 section 3.3.14); readers join them.
Cloudflare keeps them quoted: any other form is accepted and then differs from what is read back, in every preview.
"""

import dns.exception
import dns.rdata
from dns.rdtypes.ANY.TXT import TXT

STRING_OCTETS = 255
_ESCAPED = {ord('"'): '\\"', ord("\\"): "\\\\"}


def quoted(text: str) -> str:
    """`text` as a zone file writes it: quoted strings, split at exactly 255 octets of UTF-8, the rest escaped.

    Octets outside printable ASCII become `\\DDD` (RFC 1035 section 5.1).
    """
    octets = text.encode()
    starts = range(0, max(len(octets), 1), STRING_OCTETS)
    return " ".join(f'"{_escaped(octets[start : start + STRING_OCTETS])}"' for start in starts)


def joined(content: str) -> str:
    """The text that strings in a zone file's form mean, the reverse of `quoted` however they are split.

    Raises ValueError, which says what is wrong, where the form is broken or the octets are no UTF-8.
    """
    try:
        rdata = dns.rdata.from_text("IN", "TXT", content)
    except dns.exception.DNSException as error:
        raise ValueError(f"the quotes do not fit together ({error})") from None
    assert isinstance(rdata, TXT)
    try:
        return b"".join(rdata.strings).decode()
    except UnicodeDecodeError:
        raise ValueError("the octets are no UTF-8 text") from None


def plain(content: str) -> str:
    """What a person wrote as TXT content: text in which quotes are quotes, unless it is in quotes as a whole.

    Raises ValueError as `joined` does.
    """
    return joined(content) if content.startswith('"') else content


def _escaped(octets: bytes) -> str:
    return "".join(_ESCAPED.get(octet) or (chr(octet) if 32 <= octet < 127 else f"\\{octet:03}") for octet in octets)
