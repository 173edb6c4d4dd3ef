import re
from typing import get_args

from infra.names.platforms import PLATFORMS, Platform, PlatformName
from tests.infra.conftest import ROOT

PROXY = {"never": "never", "later": "DNS-only unless said", "yes": "proxied unless said"}


def row(name: PlatformName, preset: Platform) -> str:
    needs = f"; needs `{preset.proxied_needs}`" if preset.proxied_needs else ""
    kinds = (", ".join(sorted(forms)) for forms in (preset.apex, preset.sub))
    address = ", ".join(content for _, content in preset.apex_records)
    return "|".join([name, *kinds, address, PROXY[preset.proxy] + needs])


def test_the_page_about_names_has_the_presets() -> None:
    text = (ROOT / "docs/names.md").read_text(encoding="utf-8")
    rows = [re.sub(r"\s*\|\s*", "|", line).strip("|") for line in text.splitlines() if line.startswith("| ")]
    assert rows[2:] == [row(name, PLATFORMS[name]) for name in get_args(PlatformName)]
