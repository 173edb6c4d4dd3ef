"""Literals of the rules language and what a field is compared with."""

import ipaddress
import re
from collections.abc import Callable
from typing import Any

import re2

from rehearsal.twins.rules.kinds import ExpressionError
from rehearsal.twins.rules.texts import wire

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_ESCAPE = re.compile(r'\\(?:x([0-9a-fA-F]{2})|([0-7]{3})|(["\\])|(.))', re.DOTALL)
_INTEGERS = 2**63
MAX_SUBSTITUTIONS = 8  # ${1} to ${8}


def text(token: str) -> str:
    r"""The value of a quoted string: `\"`, `\\`, `\xHH` and `\OOO` are its only escapes."""

    def unescape(match: re.Match[str]) -> str:
        hexadecimal, octal, itself, unknown = match.groups()
        if unknown is not None:
            raise ExpressionError(rf'"\{unknown}" is no escape: write \", \\, \xHH or \OOO')
        if itself is not None:
            return itself
        code = int(hexadecimal, 16) if hexadecimal is not None else int(octal, 8)
        if code > 0xFF:
            raise ExpressionError(rf"\{octal} is more than one byte")
        return chr(code)

    return _ESCAPE.sub(unescape, wire(token[1:-1]))


def raw_text(token: str) -> str:
    """The value of a raw string, `r"…"` or `r#"…"#`."""
    hashes = token.index('"') - 1
    return wire(token[hashes + 2 : len(token) - hashes - 1])


def pattern_text(token: str) -> str:
    """A regular expression between quotes: backslashes are its own, only the quote is escaped."""
    return raw_text(token) if token.startswith("r") else wire(token[1:-1]).replace('\\"', '"')


def regex(pattern: str) -> Callable[[str], bool]:
    """Whether a text contains `pattern`, by RE2, whose syntax is that of Cloudflare's engine but for rare classes."""
    compiled = compile_regex(pattern)
    return lambda value: compiled.search(value) is not None


def compile_regex(pattern: str) -> Any:
    """RE2's compiled `pattern`; ExpressionError says what is wrong with it."""
    options = re2.Options()
    options.log_errors = False  # the library's own log goes to standard error
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        detail = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
        raise ExpressionError(f"{pattern!r} is no regular expression: {detail}") from error


def wildcard(pattern: str, *, strict: bool) -> re.Pattern[str]:
    r"""`*` matches any text, `\*` a star and `\\` a backslash; case counts only when `strict`.

    https://developers.cloudflare.com/ruleset-engine/rules-language/operators/#wildcard-matching
    """
    if re.search(r"(?<!\\)(?:\\\\)*\*\*", pattern):
        raise ExpressionError(f"wildcard {pattern!r} has two stars in a row")
    parts, index = [], 0
    while index < len(pattern):
        character = pattern[index]
        if character == "\\":
            index += 1
            if pattern[index : index + 1] not in ("*", "\\"):
                raise ExpressionError(rf"wildcard {pattern!r} has an escape other than \* and \\")
            parts.append(re.escape(pattern[index]))
        else:
            parts.append("(.*?)" if character == "*" else re.escape(character))
        index += 1
    return re.compile("".join(parts), re.DOTALL | re.ASCII | (0 if strict else re.IGNORECASE))


def substitute(template: str, groups: tuple[str | None, ...]) -> str:
    """`template` with `${1}` … `${8}` replaced by what the stars or groups matched, and `$$` by a dollar sign."""

    def value(match: re.Match[str]) -> str:
        if match[1] is None:
            return "$"
        number = int(match[1])
        if not 1 <= number <= min(len(groups), MAX_SUBSTITUTIONS):
            return match[0]
        return groups[number - 1] or ""

    return re.sub(r"\$\$|\$\{(\d+)\}", value, template)


def network(token: str) -> Network:
    """An address or a network whose host bits are zero."""
    try:
        return ipaddress.ip_network(token, strict=True)
    except ValueError as error:
        raise ExpressionError(f"{token!r} is no address or network: {error}") from error


def integer(token: str) -> int:
    """A number of 64 bits, with its sign: decimal, `0x` hexadecimal, or octal after a `0`."""
    sign, digits = (-1, token[1:]) if token.startswith("-") else (1, token)
    base = 16 if digits.startswith("0x") else 8 if digits.startswith("0") else 10
    value = sign * int(digits, base)
    if not -_INTEGERS <= value < _INTEGERS:
        raise ExpressionError(f"{token} does not fit into 64 bits")
    return value


def decimal(token: str) -> int:
    """A number among a function's arguments, where no other base is known."""
    if token.lstrip("-").startswith("0") and token not in ("0", "-0"):
        raise ExpressionError(f"{token} is no decimal number, as a function's arguments must be")
    return integer(token)


def address(token: str) -> Address:
    """A single address."""
    try:
        return ipaddress.ip_address(token)
    except ValueError as error:
        raise ExpressionError(f"{token!r} is no single address") from error


def between(low: Any, high: Any) -> Callable[[Any], bool]:
    """Whether a value lies in the closed range; an address is only compared with its own version."""
    if type(low) is not type(high) or low > high:
        raise ExpressionError(f"{low}..{high} is no range: the first must not be greater than the last")
    return lambda value: type(value) is type(low) and low <= value <= high
