"""What the platforms document of custom domains: which records, whether behind a proxy, whose certificates.

Each statement has its page. `proxy` is what becomes of a host that says nothing: "never" is refused when declared,
"later" starts DNS-only because the platform must see the name point at it before it gets its certificate.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

PlatformName = Literal["vercel", "render", "fly", "firebase", "netlify", "aws", "plain"]
Kind = Literal["A", "AAAA", "CNAME"]

LETS_ENCRYPT = "letsencrypt.org"
GOOGLE = "pki.goog"
AMAZON = "amazon.com"
_ANY: frozenset[Kind] = frozenset(("A", "AAAA", "CNAME"))


@dataclass(frozen=True, kw_only=True)
class Platform:
    """One platform. A CNAME at the apex is flattened by Cloudflare (ALIAS elsewhere); `apex` says who documents it.

    `apex_records` are the addresses that the vendor gives everybody, so that an apex needs no entry of its own;
    `targets` is what its names for customers look like; `proxied_needs` is the label of the record that proves the
    name to a platform that cannot see it through the proxy.
    """

    title: str
    apex: frozenset[Kind]
    sub: frozenset[Kind]
    records_source: str
    proxy: Literal["never", "later", "yes"]
    proxy_reason: str
    proxy_source: str
    issuers: tuple[str, ...]
    issuers_source: str
    apex_records: tuple[tuple[Kind, str], ...] = ()
    targets: re.Pattern[str] | None = None
    proxied_needs: str | None = None

    @property
    def proxied(self) -> bool:
        """Whether a host of it that says nothing is proxied."""
        return self.proxy == "yes"

    def serves(self, target: str) -> bool:
        """Whether `target` is one of its names for customers."""
        return self.targets is not None and bool(self.targets.search(target))


def _below(*suffixes: str) -> re.Pattern[str]:
    return re.compile(rf"\.(?:{'|'.join(suffixes)})$")


PLATFORMS: Mapping[PlatformName, Platform] = {
    "vercel": Platform(
        title="Vercel",
        apex=frozenset(("A",)),
        sub=frozenset(("CNAME", "A")),
        apex_records=(("A", "76.76.21.21"),),
        targets=_below(r"vercel-dns(?:-\d+)?\.com"),
        records_source="https://vercel.com/docs/domains/working-with-domains/add-a-domain",
        proxy="later",
        proxy_reason="Vercel answers the ACME challenge for its certificate at the host itself",
        proxy_source="https://vercel.com/docs/domains/troubleshooting",
        issuers=(LETS_ENCRYPT,),
        issuers_source="https://vercel.com/knowledge/domain-not-generating-ssl-certificate",
    ),
    "render": Platform(
        title="Render",
        apex=frozenset(("CNAME", "A")),
        sub=frozenset(("CNAME",)),
        apex_records=(("A", "216.24.57.1"),),
        targets=_below(r"onrender\.com"),
        records_source="https://docs.render.com/custom-domains",
        proxy="later",
        proxy_reason="Render verifies that the name points at it before it issues the certificate",
        proxy_source="https://docs.render.com/configure-cloudflare-dns",
        issuers=(LETS_ENCRYPT, GOOGLE),
        issuers_source="https://docs.render.com/custom-domains",
    ),
    "fly": Platform(
        title="Fly.io",
        apex=_ANY,
        sub=_ANY,
        targets=_below(r"fly\.dev"),
        records_source="https://fly.io/docs/networking/custom-domain/",
        proxy="later",
        proxy_reason="behind a proxy Fly.io knows whose the name is only by a record that proves it",
        proxy_source="https://fly.io/docs/networking/understanding-cloudflare",
        proxied_needs="_fly-ownership",
        issuers=(LETS_ENCRYPT,),
        issuers_source="https://fly.io/docs/networking/understanding-cloudflare",
    ),
    "firebase": Platform(
        title="Firebase Hosting",
        apex=frozenset(("A",)),
        sub=frozenset(("A", "CNAME")),
        apex_records=(("A", "199.36.158.100"),),
        targets=_below(r"web\.app", r"firebaseapp\.com"),
        records_source="https://firebase.google.com/docs/hosting/custom-domain",
        proxy="never",
        proxy_reason="Firebase serves a name, and renews its certificate, only while its records point at Firebase",
        proxy_source="https://firebase.google.com/docs/reference/hosting/rest/v1beta1/projects.sites.customDomains",
        issuers=(LETS_ENCRYPT, GOOGLE),
        issuers_source="https://firebase.google.com/docs/hosting/custom-domain",
    ),
    "netlify": Platform(
        title="Netlify",
        apex=frozenset(("CNAME", "A")),
        sub=frozenset(("CNAME",)),
        apex_records=(("CNAME", "apex-loadbalancer.netlify.com"),),
        targets=_below(r"netlify\.app", r"netlify\.com", r"netlifyglobalcdn\.com"),
        records_source="https://docs.netlify.com/manage/domains/configure-domains/configure-external-dns/",
        proxy="never",
        proxy_reason="Netlify does not support a proxy in front of it: certificates, rollbacks and analytics break",
        proxy_source="https://answers.netlify.com/t/"
        "support-guide-what-problems-could-occur-when-using-cloudflare-in-front-of-netlify/138",
        issuers=(LETS_ENCRYPT,),
        issuers_source="https://docs.netlify.com/manage/domains/secure-domains-with-https/https-ssl/",
    ),
    "aws": Platform(
        title="AWS",
        apex=_ANY,
        sub=_ANY,
        targets=_below(
            r"amazonaws\.com",
            r"cloudfront\.net",
            r"awsglobalaccelerator\.com",
            r"awsapprunner\.com",
            r"elasticbeanstalk\.com",
            r"amplifyapp\.com",
        ),
        records_source="https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/ResourceRecordTypes.html",
        proxy="yes",
        proxy_reason="AWS Certificate Manager proves the name by a record of its own, not by the host's traffic",
        proxy_source="https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html",
        issuers=(AMAZON,),
        issuers_source="https://docs.aws.amazon.com/acm/latest/userguide/setup-caa.html",
    ),
    "plain": Platform(
        title="a server of your own",
        apex=_ANY,
        sub=_ANY,
        records_source="https://developers.cloudflare.com/dns/manage-dns-records/reference/dns-record-types/",
        proxy="yes",
        proxy_reason="its certificate is your own business",
        proxy_source="https://developers.cloudflare.com/dns/proxy-status/",
        issuers=(),
        issuers_source="https://www.rfc-editor.org/rfc/rfc8659",
    ),
}


def of_target(target: str) -> PlatformName | None:
    """The platform that a name belongs to; None where it is no known one."""
    return next((name for name, platform in PLATFORMS.items() if platform.serves(target)), None)
