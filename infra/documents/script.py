"""The Worker's module: its code, and below it what it answers.

The tables are part of the module because a binding holds at most 5 kB of text, and Apple's file alone may have 128 kB
(https://developers.cloudflare.com/workers/platform/limits/).
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from infra.documents.document import Document

CODE = Path(__file__).with_name("worker.js")
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Back soon</title>
<h1>Back soon</h1>
<p>We are working on this site. Please try again in a few minutes.</p>
</html>
"""


def module(documents: Iterable[Document], maintenance: Iterable[str], retry_after: int) -> str:
    """The source of an ES module; the hosts under maintenance answer with `retry_after` in seconds."""
    tables = {
        "DOCUMENTS": {f"{each.host}{each.path}": {"type": each.content_type, "body": each.body} for each in documents},
        "MAINTENANCE": {host: {"retryAfter": retry_after, "body": PAGE} for host in maintenance},
    }
    written = (f"const {name} = {_literal(table)};\n" for name, table in tables.items())
    return "\n".join([CODE.read_text(encoding="utf-8"), *written])


def _literal(table: dict[str, Any]) -> str:
    """JSON in ASCII, which is JavaScript too, whatever the bodies hold."""
    return json.dumps(table, indent=2, sort_keys=True)
