"""Records what the vendors' SPF records say now, for previews without a network: `python -m infra.mail.recording`.

It asks the resolver of this machine for every include of `infra.mail.vendors`, follows what those include, and writes
`recorded.json` with today's date. Commit the result: the difference is what vendors changed.
"""

import json
import sys
from datetime import UTC, datetime

from infra.mail.lookups import RECORDED, Live, live
from infra.mail.vendors import VENDORS

HOW = "From the DNS, by: python -m infra.mail.recording"


def record(names: Live, today: str) -> str:
    """The document, as a file has it. Raises Unanswered where a name is not answered for."""
    texts: dict[str, list[str]] = {}
    wanted = sorted(includes())
    while wanted:
        name = wanted.pop()
        if name not in texts:
            texts[name] = [text for text in names.txt(name) if text.lower().startswith("v=spf1")]
            wanted += [target for text in texts[name] for target in _followed(text)]
    document = {"recorded": today, "how": HOW, "txt": dict(sorted(texts.items())), "mx": {}, "addresses": {}}
    return json.dumps(document, indent=2) + "\n"


def includes() -> set[str]:
    """Every domain that a vendor has its customers include."""
    paths = [vendor.return_path for vendor in VENDORS.values()]
    direct = [vendor.include for vendor in VENDORS.values()]
    return {name for name in (*direct, *(path.include for path in paths if path)) if name}


def _followed(text: str) -> list[str]:
    terms = (term.lstrip("+-~?").replace("redirect=", "include:") for term in text.lower().split())
    return [term.partition(":")[2] for term in terms if term.startswith("include:") and "%" not in term]


def main() -> int:
    """Write the file; 1 where there is no DNS to record."""
    names = live()
    if names is None:
        return 1
    RECORDED.write_text(record(names, datetime.now(UTC).date().isoformat()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
