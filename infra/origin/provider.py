"""How client certificates are made, and renewed in order: the dynamic providers behind `infra.origin.pulls`.

The engine pickles these classes by name and calls them in a process of its own, at `up`; see `infra.stripe_provider`.
Why the key is made here: docs/adr/0008-origin-certificates.md.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pulumi.dynamic import CheckFailure, CheckResult, CreateResult, DiffResult, ResourceProvider, UpdateResult

from infra.origin.certificates import VALID_DAYS, issue

Properties = Mapping[str, Any]


class CertificateProvider(ResourceProvider):
    """One client certificate and the authority that signed it.

    Properties in: owner, name, valid_days. Properties out: those, and authority, certificate and private_key (PEM),
    fingerprint (SHA-256 in hex) and not_after (RFC 3339). What was made stays as it is until its name is removed.
    """

    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Refuse a lifetime that nobody should want."""
        days = news["valid_days"]
        fits = 1 <= days <= VALID_DAYS
        limit = f"a client certificate is valid for 1 to {VALID_DAYS} days, got {days:g}"
        return CheckResult(dict(news), [] if fits else [CheckFailure("valid_days", limit)])

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Only another owner or name makes another certificate: neither a change of this code nor of the lifetime."""
        replaces = [name for name in ("owner", "name") if _olds.get(name) != _news.get(name)]
        return DiffResult(changes=bool(replaces), replaces=replaces)

    def create(self, props: Properties) -> CreateResult:
        """Make authority, key and certificate."""
        made = issue(props["owner"], props["name"], datetime.now(UTC), days=int(props["valid_days"]))
        outputs = {
            **props,
            "authority": made.authority,
            "certificate": made.certificate,
            "private_key": made.private_key,
            "fingerprint": made.fingerprint,
            "not_after": made.not_after.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        return CreateResult(f"{props['owner']}-origin-{props['name']}", outputs)


class RenewalProvider(ResourceProvider):
    """Keeps the order of a renewal: each step is an `up` of its own, so that the step before it has taken effect.

    Properties: owner, certificates (names), active. It makes nothing: what was declared last is all that it is.
    """

    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Refuse to present what was not trusted before, and to stop trusting what was presented."""
        return CheckResult(dict(news), _out_of_order(_olds, news) if _olds else [])

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Another list, or another certificate in use."""
        names = ("certificates", "active")
        return DiffResult(changes=any(_olds.get(name) != _news.get(name) for name in names), replaces=[])

    def create(self, props: Properties) -> CreateResult:
        """Note what is declared."""
        return CreateResult(f"{props['owner']}-origin-pulls", dict(props))

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Note what is declared now."""
        return UpdateResult(dict(_news))


def _out_of_order(olds: Properties, news: Properties) -> list[CheckFailure]:
    failures = []
    if news["active"] not in olds["certificates"]:
        trusted = ", ".join(olds["certificates"])
        reason = (
            f"{news['active']} cannot be presented yet: the API trusts {trusted}. "
            f"Add it to originPulls.certificates, leave {olds['active']} active, and run `up`; then make it active"
        )
        failures.append(CheckFailure("active", reason))
    if olds["active"] not in news["certificates"]:
        reason = (
            f"{olds['active']} cannot go yet: the edge presents it. "
            "Make another one active and run `up`; then remove it from originPulls.certificates"
        )
        failures.append(CheckFailure("certificates", reason))
    return failures
