"""Stripe's form encoding: `items[0][price]=price_1&metadata[user_id]=7` to nested dictionaries of strings.

Arrays stay dictionaries with numbers as keys ("0", "1", …) until a parameter's type says that it is an array:
`metadata[0]=x` is a legal map. `a[]=x` appends. Source: https://docs.stripe.com/api (request bodies).
"""

import re
from typing import TypeAlias
from urllib.parse import parse_qsl

from rehearsal.twins.stripe.errors import invalid

Raw: TypeAlias = "str | dict[str, Raw]"

_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_PART = re.compile(r"\[([^\[\]]*)\]")
_MAX_DEPTH = 8


def decode(encoded: str) -> dict[str, Raw]:
    """Nested parameters of one query string or body; ApiError 400 names a key that cannot be read."""
    tree: dict[str, Raw] = {}
    for key, value in parse_qsl(encoded, keep_blank_values=True):
        _place(tree, key, value)
    return tree


def _place(tree: dict[str, Raw], key: str, value: str) -> None:
    *parents, leaf = _path(key)
    node = tree
    for name in parents:
        child = node.setdefault(_index(node, name), {})
        if not isinstance(child, dict):
            raise invalid(f"Invalid request: {key!r} is used both as a value and as a map.", param=key)
        node = child
    leaf = _index(node, leaf)
    if isinstance(node.get(leaf), dict):
        raise invalid(f"Invalid request: {key!r} is used both as a value and as a map.", param=key)
    node[leaf] = value


def _path(key: str) -> list[str]:
    match = _KEY.fullmatch(key)
    if match is None:
        raise invalid(f"Invalid parameter name: {key!r}; expected name[part][0].", param=key)
    path = [match[1], *_PART.findall(match[2])]
    if len(path) > _MAX_DEPTH:
        raise invalid(f"Invalid parameter name: {key!r} is {len(path)} deep, the limit is {_MAX_DEPTH}.", param=key)
    return path


def _index(node: dict[str, Raw], name: str) -> str:
    return name or str(len(node))
