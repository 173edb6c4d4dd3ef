"""What each vendor that sends mail asks of the DNS, with the page that says so.

Only what is the same for every customer stands here; what a vendor makes for an account (selectors, keys, targets) is
configuration, and its shape here is what that is held against.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["people", "transactional", "marketing"]
VendorName = Literal[
    "google", "microsoft365", "postmark", "resend", "sendgrid", "ses", "mailgun", "kit", "plain"
]  # fmt: skip
ANY_KIND: frozenset[Kind] = frozenset({"people", "transactional", "marketing"})
AUTOMATED: frozenset[Kind] = frozenset({"transactional", "marketing"})
SES_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]")


@dataclass(frozen=True, kw_only=True)
class ReturnPath:
    """Where bounces go: a name below the sending domain that the vendor's mail has as its envelope sender.

    `CNAME` hands the name to the vendor, SPF record and all. `MX` leads bounces to the vendor, and `include` is what
    the name's own SPF record then includes. `label` None: made for the account. `target` has `{region}` where it
    differs by region; None: made for the account, and must match `target_shape`.
    """

    type: Literal["CNAME", "MX"]
    label: str | None
    target: str | None
    target_shape: str = r".+"
    include: str | None = None
    required: bool = True
    priority: int = 10


@dataclass(frozen=True, kw_only=True)
class Vendor:
    """One vendor. `include` is for the sending domain's SPF record, where that domain is the envelope sender.

    `selector` and `dkim_target` are regular expressions that a whole selector and a CNAME's target match; `keys` is
    how many selectors the vendor gives at least.
    """

    kinds: frozenset[Kind]
    source: tuple[str, ...]
    include: str | None = None
    dkim_types: frozenset[Literal["CNAME", "TXT"]]
    selector: str = r".+"
    dkim_target: str = r".+"
    keys: int = 1
    return_path: ReturnPath | None = None


VENDORS: Mapping[VendorName, Vendor] = {
    "google": Vendor(
        kinds=frozenset({"people"}),
        source=("https://support.google.com/a/answer/33786", "https://support.google.com/a/answer/174124"),
        include="_spf.google.com",
        dkim_types=frozenset({"TXT"}),
    ),
    "microsoft365": Vendor(
        kinds=frozenset({"people"}),
        source=(
            "https://learn.microsoft.com/defender-office-365/email-authentication-spf-configure",
            "https://learn.microsoft.com/defender-office-365/email-authentication-dkim-configure",
        ),
        include="spf.protection.outlook.com",
        dkim_types=frozenset({"CNAME"}),
        selector=r"selector[12]",
        dkim_target=r"selector[12]-[a-z0-9-]+\._domainkey\.[a-z0-9-]+\.(onmicrosoft\.com|[a-z]-v1\.dkim\.mail\.microsoft)",
        keys=2,
    ),
    "postmark": Vendor(
        kinds=AUTOMATED,
        source=(
            "https://postmarkapp.com/support/article/1091-how-do-i-set-up-dkim-for-postmark",
            "https://postmarkapp.com/support/article/910-how-do-i-add-a-custom-return-path",
        ),
        dkim_types=frozenset({"TXT"}),
        selector=r"([a-z0-9]+\.?)?pm",
        return_path=ReturnPath(type="CNAME", label="pm-bounces", target="pm.mtasv.net"),
    ),
    "resend": Vendor(
        kinds=AUTOMATED,
        source=("https://resend.com/docs/dashboard/domains/introduction",),
        dkim_types=frozenset({"TXT"}),
        selector=r"resend",
        return_path=ReturnPath(
            type="MX", label="send", target="feedback-smtp.{region}.amazonses.com", include="amazonses.com"
        ),
    ),
    "sendgrid": Vendor(
        kinds=AUTOMATED,
        source=("https://www.twilio.com/docs/sendgrid/ui/account-and-settings/how-to-set-up-domain-authentication",),
        dkim_types=frozenset({"CNAME"}),
        selector=r"s[12]|[a-z0-9]{1,3}[12]",
        dkim_target=r"[a-z0-9]+\.domainkey\.u[0-9]+\.wl[0-9]*(\.eu)?\.sendgrid\.net",
        keys=2,
        return_path=ReturnPath(
            type="CNAME", label=None, target=None, target_shape=r"u[0-9]+\.wl[0-9]*(\.eu)?\.sendgrid\.net"
        ),
    ),
    "ses": Vendor(
        kinds=AUTOMATED,
        source=(
            "https://docs.aws.amazon.com/ses/latest/dg/send-email-authentication-dkim-easy.html",
            "https://docs.aws.amazon.com/ses/latest/dg/mail-from.html",
        ),
        dkim_types=frozenset({"CNAME"}),
        selector=r"[a-z2-7]{32}",
        dkim_target=r"[a-z2-7]{32}\.dkim(\.[a-z0-9-]+)*\.amazonses\.com",
        keys=3,
        return_path=ReturnPath(
            type="MX", label=None, target="feedback-smtp.{region}.amazonses.com", include="amazonses.com"
        ),
    ),
    "mailgun": Vendor(
        kinds=AUTOMATED,
        source=("https://documentation.mailgun.com/docs/mailgun/user-manual/domains/domains-verify",),
        include="mailgun.org",
        dkim_types=frozenset({"CNAME", "TXT"}),
        dkim_target=r"[a-z0-9]+\._domainkey\.[a-z0-9]+\.dkim[0-9]\.(mailgun\.com|(us|eu)\.mgsend\.org)",
    ),
    "kit": Vendor(
        kinds=frozenset({"marketing"}),
        source=("https://help.kit.com/en/articles/2502558-verify-your-domain-to-optimize-your-deliverability",),
        dkim_types=frozenset({"CNAME"}),
        selector=r"cka[0-9]?",
        dkim_target=r"dkim[0-9]?\.[a-z0-9-]+\.sg[0-9]*\.convertkit\.com",
        return_path=ReturnPath(
            type="CNAME", label="ckespa", target=None, target_shape=r"spf\.[a-z0-9-]+\.sg[0-9]*\.convertkit\.com"
        ),
    ),
    "plain": Vendor(
        kinds=ANY_KIND,
        source=("https://www.rfc-editor.org/rfc/rfc7208", "https://www.rfc-editor.org/rfc/rfc6376"),
        keys=0,  # servers of one's own may not sign yet: mail.dkim says so
        dkim_types=frozenset({"CNAME", "TXT"}),
        return_path=ReturnPath(type="CNAME", label=None, target=None, required=False),
    ),
}

# Where the people's mailboxes are: the exchangers that every customer shares.
GOOGLE_MX = (("smtp.google.com", 1),)  # https://support.google.com/a/answer/174125
# Microsoft makes the name for the domain: https://learn.microsoft.com/microsoft-365/admin/get-help-with-domains
MICROSOFT_MX = r"[a-z0-9-]+\.(mail\.protection\.outlook\.com|[a-z]-v1\.mx\.microsoft)"
