"""Cloudflare Access in front of what operators use: whoever has no session is taken to the team's login.

https://developers.cloudflare.com/cloudflare-one/access-controls/applications/
"""

import pulumi_cloudflare as cloudflare

from infra.component import Component
from infra.edge import access_sections
from infra.settings import Stack


class OperatorsAccess(Component):
    """One policy for all and one application for each host of operators; nothing where `access` names nobody."""

    def __init__(self, stack: Stack) -> None:
        super().__init__("operators-access")
        access, hosts = stack.settings.access, access_hosts(stack)
        if hosts:
            policy = self._policy(stack, access)
            for host in hosts:
                self._application(stack, access, host, policy)
        self.register_outputs({})

    def _policy(self, stack: Stack, access: access_sections.Access) -> cloudflare.ZeroTrustAccessPolicy:
        people = [
            cloudflare.ZeroTrustAccessPolicyIncludeArgs(
                email=cloudflare.ZeroTrustAccessPolicyIncludeEmailArgs(email=email)
            )
            for email in access.emails
        ]
        people += [
            cloudflare.ZeroTrustAccessPolicyIncludeArgs(
                email_domain=cloudflare.ZeroTrustAccessPolicyIncludeEmailDomainArgs(domain=domain)
            )
            for domain in access.email_domains
        ]
        return cloudflare.ZeroTrustAccessPolicy(
            "operators",
            account_id=stack.settings.cloudflare_account_id,
            name=f"{stack.prefix}-operators",
            decision="allow",
            includes=people,
            session_duration=_duration(access),
            opts=self.child(),
        )

    def _application(
        self, stack: Stack, access: access_sections.Access, host: str, policy: cloudflare.ZeroTrustAccessPolicy
    ) -> None:
        label = host.removesuffix(f".{stack.settings.domain}")
        cloudflare.ZeroTrustAccessApplication(
            f"operators-{label if label != host else 'apex'}",
            account_id=stack.settings.cloudflare_account_id,
            type="self_hosted",
            name=f"{stack.prefix}-{host}",
            domain=host,
            session_duration=_duration(access),
            app_launcher_visible=False,
            http_only_cookie_attribute=True,
            policies=[cloudflare.ZeroTrustAccessApplicationPolicyArgs(id=policy.id, precedence=1)],
            opts=self.child(),
        )


def access_hosts(stack: Stack) -> tuple[str, ...]:
    """The hosts that Access stands in front of: this stack's of role ops, where `access` names somebody."""
    settings = stack.settings
    operators = (host.name for host in settings.hosts if host.role == "ops" and host.proxied)
    return tuple(dict.fromkeys(stack.host(name) for name in operators)) if settings.access.guards else ()


def _duration(access: access_sections.Access) -> str:
    return f"{access.session_hours}h"
