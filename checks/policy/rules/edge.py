"""The edge: encryption to the origin, hosts behind the proxy, and webhooks that no challenge meets.

Sources, under developers.cloudflare.com: ssl/origin-configuration/ssl-modes/, dns/proxy-status/, bots/.
"""

import ipaddress
from typing import Any

from _judging import CRITICAL, NotKnown, Plan, Policy, Resource

ADDRESSES = ("A", "AAAA", "CNAME")
_STRICT = ("strict", "origin_pull")
_CHALLENGES = ("challenge", "js_challenge", "managed_challenge")
# Nobody answers there, so a proxied name with such an address is one that the edge answers itself.
_NOWHERE = tuple(ipaddress.ip_network(net) for net in ("100::/64", "192.0.2.0/24"))
RECORD, ZONE, SETTING = "cloudflare_dns_record", "cloudflare_zone", "cloudflare_zone_setting"
_SUPER = ("sbfm_definitely_automated", "sbfm_likely_automated")  # super bot fight mode's
CERTIFICATE = "aws_acm_certificate"


class SslMode(Policy):
    """Below strict, anybody between the edge and the origin may pose as the origin."""

    ID = "CKV_LR_4"
    NAME = "Cloudflare verifies the origin's certificate (SSL strict)"
    SEVERITY = CRITICAL
    TYPES = (SETTING, ZONE)

    def concerns(self, resource: Resource) -> bool:
        """The setting, and each zone with an origin behind the proxy, which must have one."""
        if resource.type == SETTING:
            return resource.get("setting_id") == "ssl"
        return any(_proxied(one) and not _leads_nowhere(one) for one in _of_zone(resource, resource.plan, RECORD))

    def judge(self, resource: Resource) -> list[str]:
        """See Policy."""
        if resource.type == SETTING:
            value = resource.get("value")
            return [] if value in _STRICT else [f"ssl is {value!r}; make it 'strict'"]
        settings = [one for one in _of_zone(resource, resource.plan, SETTING) if one.get("setting_id") == "ssl"]
        return [] if settings else ["the zone declares no setting 'ssl', so it is what the account's default is"]


class Proxied(Policy):
    """A host outside the proxy has no redirect, rate limit or firewall, and shows its origin's address."""

    ID = "CKV_LR_5"
    NAME = "A web host is behind the proxy"
    TYPES = (RECORD,)

    def concerns(self, resource: Resource) -> bool:
        """Addresses, but not of names that serve no web: those of keys and proofs begin with an underscore."""
        if resource.get("type") not in ADDRESSES or resource.refers_to(CERTIFICATE):
            return False  # what a certificate names is the proof for it
        return not any(label.startswith("_") for label in str(resource.get("name")).split("."))

    def judge(self, resource: Resource) -> list[str]:
        """A platform that proves the name through _acme-challenge must itself be seen by visitors."""
        if _proxied(resource):
            return []
        if not resource.known("name"):
            raise NotKnown("its name is known only after the deployment")
        name = resource.get("name")
        if any(one.get("name") == f"_acme-challenge.{name}" for one in resource.plan.of_type(RECORD)):
            return []
        return [f"{name} is DNS-only; proxy it, or declare the _acme-challenge record by which its platform proves it"]


class WebhookHost(Policy):
    """Stripe answers no challenge: bot protection over a webhook host loses payments."""

    ID = "CKV_LR_6"
    NAME = "No challenge is put before a webhook"
    SEVERITY = CRITICAL
    TYPES = ("cloudflare_bot_management", SETTING, "cloudflare_ruleset")

    def concerns(self, resource: Resource) -> bool:
        """Where the plan has an API host that is served through the edge."""
        rules = resource.get("phase") in ("http_request_firewall_custom", "http_ratelimit")
        setting = resource.get("setting_id") == "security_level"
        return bool(_api_hosts(resource.plan)) and (resource.type == self.TYPES[0] or rules or setting)

    def judge(self, resource: Resource) -> list[str]:
        """See Policy."""
        hosts = " and ".join(sorted(_api_hosts(resource.plan)))
        if resource.type == SETTING:
            attacked = resource.get("value") == "under_attack"
            return [f"security_level 'under_attack' challenges {hosts}, too"] if attacked else []
        if resource.type == "cloudflare_ruleset":
            return [f"{one} challenges {hosts}, too: leave them out" for one in _challenging(resource, resource.plan)]
        modes = [key for key in ("fight_mode", "enable_js") if resource.get(key) is True]
        modes += [key for key in _SUPER if resource.get(key) in ("block", *_CHALLENGES)]
        return [f"{key} acts on {hosts}, too, and no rule can leave them out; switch it off" for key in modes[:1]]


def _challenging(ruleset: Resource, plan: Plan) -> list[str]:
    """The rules that challenge, unless their expression names a host or one before them skips what follows."""
    found = []
    for rule in ruleset.blocks("rules"):
        skips = rule.get("action") == "skip" and (rule.get("action_parameters") or {}).get("ruleset") == "current"
        if skips and rule.get("enabled") is not False:
            return found
        if rule.get("action") in _CHALLENGES and not _chooses_hosts(str(rule.get("expression")), plan):
            found.append(f"the rule {rule.get('description') or rule.get('ref') or rule.get('expression')!r}")
    return found


def _chooses_hosts(expression: str, plan: Plan) -> bool:
    """Whether an expression asks for hosts, and none of them is one of the API's but to leave it out."""
    named = [host for host in _api_hosts(plan) if f'"{host}"' in expression]
    return "http.host" in expression and (not named or "not " in expression or " ne " in expression)


def _api_hosts(plan: Plan) -> set[str]:
    names = {str(one.get("domain_name")) for one in plan.of_type("aws_apigatewayv2_domain_name")}
    return {str(one.get("name")) for one in plan.of_type(RECORD) if _proxied(one)} & names


def _of_zone(zone: Resource, plan: Plan, type_: str) -> list[Resource]:
    """What refers to a zone; a zone that exists is known by its id and is not in the plan."""
    return [one for one in plan.of_type(type_) if zone.address in one.references]


def _proxied(record: Any) -> bool:
    return record.get("proxied") is True


def _leads_nowhere(record: Any) -> bool:
    try:
        address = ipaddress.ip_address(str(record.get("content")))
    except ValueError:
        return False  # a name, which leads somewhere
    return any(address in network for network in _NOWHERE)


for policy in (SslMode, Proxied, WebhookHost):
    policy()
