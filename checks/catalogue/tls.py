"""The checks of TLS."""

from checks import commands
from checks.catalogue.checklist import entries
from checks.commands import curl, only, openssl
from checks.model import Check
from checks.probes import ciphers, cloudflare, rungs, visits
from checks.probes import tls as probes
from checks.rules import rungs as rung_rules
from checks.rules import settings as setting_rules
from checks.rules import tls as rules

STAND_IN_CERTIFICATE = "the rehearsal's certificate is its own stand-in's, not the edge's"


def checks() -> tuple[Check, ...]:
    """Every check of this area."""
    return (*_handshakes(), *_declared(), *_certificates())


def _handshakes() -> tuple[Check, ...]:
    return (
        Check(
            entry=entries()["tls.chain"],
            probe=probes.trusts,
            rule=rules.chain,
            fix="a proxied host may be one label below the zone at most; order a certificate that covers deeper ones",
            command=lambda scope: openssl(scope, scope.contract.domain, "-verify_return_error"),
        ),
        Check(
            entry=entries()["tls.versions"],
            probe=probes.all_versions,
            rule=rules.versions,
            fix="set the zone's min_tls_version to 1.2 and tls_1_3 to on",
            command=lambda scope: openssl(scope, scope.contract.domain, "-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0"),
        ),
        Check(
            entry=entries()["tls.ciphers"],
            probe=ciphers.all_ciphers,
            rule=rules.ciphers,
            fix="choose a modern set of ciphers (Cloudflare: Edge Certificates, ciphers), or ask the platform",
            command=lambda scope: openssl(scope, scope.contract.domain, "-tls1_2", "-cipher", "ALL:@SECLEVEL=0"),
            timeout=30.0,
        ),
    )


def _declared() -> tuple[Check, ...]:
    return (
        Check(
            entry=entries()["tls.hsts"],
            probe=visits.secure_visits,
            rule=rules.hsts,
            fix="deploy again; `hsts.rung` decides what is served",
            command=lambda scope: curl(scope, f"https://{scope.contract.domain}/"),
        ),
        Check(
            entry=entries()["tls.hsts-rung"],
            probe=rungs.of("hsts"),
            rule=rung_rules.climbs,
            fix="set `hsts.rung` one higher and deploy; give `hsts.by` a later date only with a reason",
            command=only("tls.hsts-rung"),
        ),
        Check(
            entry=entries()["edge.ssl"],
            probe=lambda _: None,
            rule=rules.edge_ssl,
            fix="declare ssl strict: anything less lets somebody between edge and origin read everything",
            command=only("edge.ssl"),
        ),
        Check(
            entry=entries()["tls.origin"],
            probe=cloudflare.zone_settings,
            rule=setting_rules.origin,
            fix="deploy again: somebody changed the zone's settings by hand",
            command=lambda scope: commands.cloudflare(scope, f"/zones/{scope.contract.zone.id}/settings"),
        ),
    )


def _certificates() -> tuple[Check, ...]:
    named = (
        ("tls.expiry", rules.expiry, "find out why the edge does not renew; a CAA record may forbid its authority"),
        ("tls.lifetime", rules.lifetime, "replace the uploaded certificate by the edge's own"),
        ("tls.key", rules.key, "replace the certificate by one with a strong key that is logged"),
    )
    return tuple(
        Check(
            entry=entries()[check_id],
            probe=probes.certificates,
            rule=rule,
            fix=fix,
            command=lambda scope: openssl(scope, scope.contract.domain, "-showcerts"),
            only_live=STAND_IN_CERTIFICATE,
        )
        for check_id, rule, fix in named
    )
