"""A zone as Cloudflare's API tells it, made by hand: what a founder's clicks leave behind."""

from typing import Any

DOMAIN = "oldfounder.example"
ZONE, ACCOUNT = "ab" * 16, "cd" * 16
EMPTY_PARTS = (
    *("managed_transforms", "url_normalization", "origin_pulls", "certificate_packs"),
    *("healthchecks", "worker_routes", "account_rulesets", "lists", "access_applications"),
)


class LiveZone:
    """Collects records, rules and settings; `snapshot` has the form that checks.drift reads."""

    def __init__(self, plan: str = "free", dnssec: str = "disabled") -> None:
        self.records: list[dict[str, Any]] = []
        self.rulesets: list[dict[str, Any]] = []
        self.settings: list[dict[str, Any]] = []
        self._plan = plan
        self._dnssec = dnssec

    def record(self, label: str, kind: str, content: str, **more: Any) -> "LiveZone":
        name = DOMAIN if label == "@" else f"{label}.{DOMAIN}"
        whole = {"id": f"{len(self.records) + 1:032x}", "name": name, "type": kind, "content": content}
        self.records.append({**whole, "ttl": 1, "proxied": False, "comment": None, "tags": [], **more})
        return self

    def rules(self, phase: str, *rules: dict[str, Any]) -> "LiveZone":
        number = len(self.rulesets)
        whole = [
            {"id": f"{number}{index}" * 16, "ref": f"{number}{index}" * 16, "version": "1", "enabled": True, **rule}
            for index, rule in enumerate(rules)
        ]
        self.rulesets.append(
            {"id": f"e{number}" * 16, "name": "default", "phase": phase, "kind": "zone", "rules": whole}
        )
        return self

    def setting(self, name: str, value: Any) -> "LiveZone":
        self.settings.append({"id": name, "value": value, "modified_on": "2025-05-01T10:00:00Z", "editable": True})
        return self

    def snapshot(self) -> dict[str, Any]:
        return {
            "version": 1,
            "zone": {"id": ZONE, "name": DOMAIN, "account": {"id": ACCOUNT}, "plan": {"legacy_id": self._plan}},
            "settings": self.settings,
            "records": self.records,
            "dnssec": {"status": self._dnssec},
            "rulesets": self.rulesets,
            "bot_management": {"fight_mode": False},
            "unread": {},
            **{key: [] for key in EMPTY_PARTS},
        }


def grown() -> LiveZone:
    """A zone that grew: an app, a shop, mail from two senders, a telephone, a redirect and a block."""
    redirect = {"status_code": 302, "target_url": {"value": "https://blog.example/"}, "preserve_query_string": False}
    return (
        LiveZone()
        .record("@", "A", "203.0.113.9", proxied=True)
        .record("www", "CNAME", DOMAIN, proxied=True)
        .record("app", "CNAME", "3f2a9c0d1b7e4a68.vercel-dns-017.com")
        .record("shop", "CNAME", "shops.myshopify.com", comment="until the new shop opens")
        .record("api", "CNAME", "old-backend.example")
        .record("*.dev", "A", "198.51.100.4")
        .record("@", "MX", "aspmx.l.google.com", priority=1)
        .record("@", "MX", "alt1.aspmx.l.google.com", priority=5)
        .record("@", "TXT", '"v=spf1 include:_spf.google.com include:servers.mcsv.net ~all"')
        .record("@", "TXT", '"google-site-verification=abc"')
        .record("google._domainkey", "TXT", '"v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A"')
        .record("_dmarc", "TXT", '"v=DMARC1; p=none; rua=mailto:d@oldfounder.example"')
        .record(
            "_sip._tcp",
            "SRV",
            "5 5060 sip.example",
            priority=10,
            data={"priority": 10, "weight": 5, "port": 5060, "target": "sip.example"},
        )
        .rules(
            "http_request_dynamic_redirect",
            {
                "description": "blog",
                "expression": '(http.request.uri.path eq "/blog")',
                "action": "redirect",
                "action_parameters": {"from_value": redirect},
            },
        )
        .rules("http_request_firewall_custom", {"expression": "(ip.src eq 203.0.113.77)", "action": "block"})
        .setting("ssl", "full")
        .setting("brotli", "off")
    )
