"""The mail's part of the contract, and its rung."""

from typing import Any

from infra.hostnames import absolute
from infra.mail import published, spf
from infra.mail.lookups import Mode
from infra.mail.sections import Dmarc, Mail
from infra.mail.vendors import VENDORS


def mail(declared: Mail, domain: str, mode: Mode) -> dict[str, Any]:
    """What is declared of the mail of `domain`. `mode`: how the lookups of SPF records were counted."""
    return {
        "mx": [{"domain": domain, "exchangers": _exchangers(declared)}],
        "spf": [_spf(declared, label, domain, mode) for label in published.sending_domains(declared)],
        "dkim": _dkim(declared, domain),
        "return_paths": _return_paths(declared, domain),
        "dmarc": _dmarc(declared.dmarc, domain),
        "mta_sts": _mta_sts(declared, domain),
        "tls_rpt": {"name": f"_smtp._tls.{domain}", "rua": list(declared.tls_rpt)} if declared.tls_rpt else None,
        "bimi": _bimi(declared, domain),
        "senders": [
            {
                "via": sender.via,
                "domain": absolute(sender.domain, domain),
                "envelope": absolute(published.envelope(sender), domain),
                "kind": sender.kind,
            }
            for sender in declared.senders
        ],
    }


def rung(policy: Dmarc) -> dict[str, Any]:
    """The ladder's entry among the contract's rungs; `t=y` and weaker sub-domains count as not there yet."""
    return {**policy.ladder.entry(), "reached": policy.reached}


def _exchangers(declared: Mail) -> list[dict[str, Any]]:
    """Empty: a null MX (RFC 7505)."""
    found = declared.receive.exchangers if declared.receive else ()
    return [{"host": host, "priority": priority} for host, priority in found]


def _spf(declared: Mail, label: str, domain: str, mode: Mode) -> dict[str, Any]:
    name, text = absolute(label, domain), published.spf(declared, label)
    cost = spf.cost(text, name, mode)
    return {"domain": name, "value": text, "lookups": cost.lookups, "voids": cost.voids, "counted_from": cost.source}


def _dkim(declared: Mail, domain: str) -> list[dict[str, Any]]:
    return [
        {
            "domain": absolute(sender.domain, domain),
            "via": sender.via,
            "selector": key.selector,
            "name": published.dkim_name(key.selector, absolute(sender.domain, domain)),
            "type": key.type,
            "value": key.value,
        }
        for sender in declared.senders
        for key in sender.dkim
    ]


def _return_paths(declared: Mail, domain: str) -> list[dict[str, Any]]:
    return [
        {
            "name": absolute(published.envelope(sender), domain),
            "type": shape.type,
            "value": sender.bounce_target,
            "priority": shape.priority if shape.type == "MX" else None,
        }
        for sender in declared.senders
        if sender.bounces_to and (shape := VENDORS[sender.via].return_path)
    ]


def _dmarc(policy: Dmarc, domain: str) -> list[dict[str, Any]]:
    own = {"policy": policy.rung, "subdomains": policy.subdomains, "nonexistent": policy.nonexistent}
    below = [
        (absolute(label, domain), {"policy": chosen, "subdomains": None, "nonexistent": None})
        for label, chosen in policy.domains.items()
    ]
    return [
        {
            "domain": name,
            "name": f"_dmarc.{name}",
            **policies,
            "testing": policy.testing,
            "rua": list(policy.rua),
            "authorisations": list(published.authorisations(policy.rua, domain)),
        }
        for name, policies in [(domain, own), *below]
    ]


def _mta_sts(declared: Mail, domain: str) -> dict[str, Any] | None:
    if not declared.mta_sts or not declared.receive:
        return None
    policy = published.mta_sts_policy(declared.mta_sts, declared.receive.exchangers)
    return {
        "name": f"_mta-sts.{domain}",
        "id": published.mta_sts_id(policy),
        "url": f"https://{absolute(published.MTA_STS_HOST, domain)}{published.MTA_STS_PATH}",
        "mode": declared.mta_sts.mode,
        "max_age": declared.mta_sts.max_age_seconds,
        "mx": [host for host, _ in declared.receive.exchangers],
    }


def _bimi(declared: Mail, domain: str) -> dict[str, Any] | None:
    if not declared.bimi:
        return None
    return {
        "name": f"default._bimi.{domain}",
        "logo": declared.bimi.logo,
        "authority": declared.bimi.authority,
    }
