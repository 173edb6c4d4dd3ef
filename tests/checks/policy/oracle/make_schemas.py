"""Makes `schemas.json` anew: what the Terraform providers themselves call types and properties, as an oracle.

    pip download --no-deps cdktf-cdktf-provider-aws==21.22.1 cdktf-cdktf-provider-cloudflare==13.9.1 -d wheels
    .venv/bin/python tests/checks/policy/oracle/make_schemas.py wheels/*.whl

Both packages are generated from the providers' schemas. They are no dependency: 70 MB, and importing them takes Node.
What is kept are the names of all types, and the properties of those that the program uses.
"""

import io
import json
import re
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[4]
SCHEMAS = Path(__file__).with_name("schemas.json")
_TYPE = re.compile(r'\.tfResourceType = "(\w+)"')
_STRUCT = re.compile(r"function (\w+)ToHclTerraform\(struct\) \{.*?const attrs = \{(.*?)\n    \};", re.DOTALL)
_TOP = re.compile(r"synthesizeHclAttributes\(\) \{\s*const attrs = \{(.*?)\n        \};", re.DOTALL)
_FIELD = re.compile(
    r'(\w+): \{\s*value: (.*?),\s*isBlock: (?:true|false),\s*type: "(\w+)",\s*storageClassType: "(\w+)",?\s*\}',
    re.DOTALL,
)
_OF = re.compile(r"(\w+)ToHclTerraform\b")


def sources(wheel: Path) -> Iterator[str]:
    """The JavaScript of each resource in the archive inside a wheel."""
    with zipfile.ZipFile(wheel) as packed:
        name = next(name for name in packed.namelist() if name.endswith(".jsii.tgz"))
        with tarfile.open(fileobj=io.BytesIO(packed.read(name))) as archive:
            for member in archive:
                if re.fullmatch(r"package/lib/(?!data-)[^/]+/index\.js", member.name):
                    found = archive.extractfile(member)
                    assert found is not None
                    yield found.read().decode()


def schema(source: str) -> dict[str, Any]:
    """The properties of one resource: a kind of plain value, or `{"list": {…}}` and the like for blocks."""
    structs = dict(_STRUCT.findall(source))
    top = _TOP.search(source)
    assert top is not None
    return _fields(top[1], structs)


def _fields(text: str, structs: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value, kind, plain in _FIELD.findall(text):
        nested = [one for one in _OF.findall(value) if one in structs]
        found[name] = {kind: _fields(structs[nested[0]], structs)} if nested else plain
    return found


def main() -> None:
    """Read the wheels that are named, and write the file."""
    sys.path.insert(0, str(ROOT))
    from tests.checks.policy.declared import used_types

    wheels = [Path(argument) for argument in sys.argv[1:]]
    wanted = used_types()
    types: list[str] = []
    resources: dict[str, Any] = {}
    for wheel in wheels:
        for source in sources(wheel):
            match = _TYPE.search(source)
            if match:
                types.append(match[1])
                if match[1] in wanted:
                    resources[match[1]] = schema(source)
    document = {
        "made": datetime.now(UTC).date().isoformat(),
        "from": [wheel.name for wheel in wheels],
        "types": sorted(types),
        "resources": dict(sorted(resources.items())),
    }
    SCHEMAS.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
