"""A zone and files of old paths for the tests."""

from infra.redirects import old_paths
from infra.redirects.names import Names
from infra.redirects.old_paths import OldPaths

DOMAIN = "tide.example"
NAMES = Names(
    domain=DOMAIN,
    canonical=DOMAIN,
    alias=f"www.{DOMAIN}",
    proxied=frozenset({DOMAIN, f"app.{DOMAIN}", f"shop.{DOMAIN}"}),
    known=frozenset({DOMAIN, *(f"{label}.{DOMAIN}" for label in ("www", "app", "shop", "status", "api", "*.eu"))}),
    api=frozenset({f"api.{DOMAIN}"}),
    retired=frozenset({("oldtide.example", f"https://{DOMAIN}")}),
    documents=frozenset({(f"shop.{DOMAIN}", "/.well-known/assetlinks.json")}),
)


def parsed(*lines: str) -> OldPaths:
    return old_paths.parse("\n".join(["from,to,status", *lines, ""]).encode(), NAMES)


def faults(*lines: str) -> list[str]:
    """What is wrong, as `line: value; limit. remedy`; the first of `lines` is line 2 of the file."""
    found = parsed(*lines).faults
    return [f"{fault.line}: {fault.value}; {fault.limit}. {fault.remedy}" for fault in found]
