"""Mail: a domain that receives or sends it is one that nobody else can send as.

Sources: RFC 7208 (SPF), RFC 6376 (DKIM), RFC 7489 (DMARC), RFC 7505 (null MX).
"""

from typing import Any, ClassVar

from _judging import Plan, Policy, Resource


class _MailDomain(Policy):
    """Asks it of each name with an MX record that names a server."""

    TYPES = ("cloudflare_dns_record",)

    def concerns(self, resource: Resource) -> bool:
        """Of one MX record a name: with several, it would be told as often."""
        mine = [one for one in resource.plan.of_type(resource.type) if one.get("type") == "MX" and _same(one, resource)]
        receives = any(str(one.get("content")).strip(". ") for one in mine)
        return receives and min(one.address for one in mine) == resource.address


class Spf(_MailDomain):
    """SPF names who may send."""

    ID = "CKV_LR_1"
    NAME = "A mail domain has SPF"

    def judge(self, resource: Resource) -> list[str]:
        """See Policy."""
        found = [text for text in _texts(resource.plan, str(resource.get("name"))) if text.lower().startswith("v=spf1")]
        if len(found) == 1:
            return []
        return [f"{resource.get('name')} has {len(found)} TXT records that begin with v=spf1; declare one"]


class Dkim(_MailDomain):
    """DKIM signs what is sent."""

    ID = "CKV_LR_2"
    NAME = "A mail domain has a DKIM key"

    def judge(self, resource: Resource) -> list[str]:
        """See Policy."""
        ending = f"._domainkey.{resource.get('name')}".lower()
        keys = [one for one in resource.plan.of_type(resource.type) if _name(one).endswith(ending)]
        return [] if keys else [f"no record <selector>{ending} is declared; add the vendor's keys"]


class Dmarc(_MailDomain):
    """DMARC says what becomes of mail that is neither."""

    ID = "CKV_LR_3"
    NAME = "A mail domain has DMARC"
    _POLICIES: ClassVar[tuple[str, ...]] = ("none", "quarantine", "reject")

    def judge(self, resource: Resource) -> list[str]:
        """The name's own record, or that of a name above it, which then holds for it."""
        labels = str(resource.get("name")).lower().split(".")
        above = [".".join(labels[place:]) for place in range(len(labels) - 1)]
        texts = (text for name in above for text in _texts(resource.plan, f"_dmarc.{name}"))
        found = [text for text in texts if text.startswith("v=DMARC1")]
        if not found:
            return [f"no TXT record _dmarc.{above[0]} begins with v=DMARC1; declare one, p=none to begin with"]
        policy = dict(part.strip().split("=", 1) for part in found[0].split(";") if "=" in part).get("p", "")
        return [] if policy in self._POLICIES else [f"DMARC's p is {policy!r}; it must be one of {self._POLICIES}"]


def _texts(plan: Plan, name: str) -> list[str]:
    """The TXT records of a name, without the quotes in which a zone writes their strings."""
    every = plan.of_type("cloudflare_dns_record")
    found = [one for one in every if one.get("type") == "TXT" and _name(one) == name.lower()]
    return ["".join(str(one.get("content")).strip('"').split('" "')) for one in found]


def _same(one: Resource, other: Resource) -> bool:
    return _name(one) == _name(other)


def _name(record: Any) -> str:
    return str(record.get("name")).lower().rstrip(".")


for policy in (Spf, Dkim, Dmarc):
    policy()
