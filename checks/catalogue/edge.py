"""The checks of redirects, TLS, caching and the edge."""

from checks import commands
from checks.catalogue.checklist import entries
from checks.commands import curl, only, openssl
from checks.model import Check
from checks.probes import cloudflare, web, webhook
from checks.probes import tls as tls_probes
from checks.rules import redirects, tls
from checks.rules import web as web_rules

STAND_IN_CERTIFICATE = "the rehearsal's certificate is its own stand-in's, not the edge's"


def checks() -> tuple[Check, ...]:
    """Every check of this area."""
    return (*_redirects(), *_tls(), *_certificates(), *_caching(), *_protection())


def _redirects() -> tuple[Check, ...]:
    return (
        Check(
            entry=entries()["redir.https"],
            probe=web.plain_visits,
            rule=redirects.https,
            fix="restore the redirect rule from http to https; it must name every host that people visit",
            command=lambda scope: curl(scope, f"http://{scope.contract.domain}{web.PROBE_PATH}"),
        ),
        Check(
            entry=entries()["redir.canonical"],
            probe=web.www_visit,
            rule=redirects.canonical,
            fix="restore the redirect rule from www to the apex, keeping path and query",
            command=lambda scope: curl(scope, f"https://www.{scope.contract.domain}{web.PROBE_PATH}"),
        ),
        Check(
            entry=entries()["redir.chain"],
            probe=web.chains,
            rule=redirects.chain,
            fix="let each redirect lead to the final address at once",
            command=lambda scope: curl(scope, f"http://www.{scope.contract.domain}/", "-L"),
            timeout=30.0,
        ),
        Check(
            entry=entries()["redir.api"],
            probe=web.plain_api,
            rule=redirects.api,
            fix="leave API hosts out of the redirect rule and refuse plain http to them",
            command=lambda scope: curl(
                scope, scope.contract.endpoints.webhook.replace("https:", "http:"), "-X", "POST"
            ),
        ),
    )


def _tls() -> tuple[Check, ...]:
    return (
        Check(
            entry=entries()["tls.chain"],
            probe=tls_probes.trusts,
            rule=tls.chain,
            fix="a proxied host may be one label below the zone at most; order a certificate that covers deeper ones",
            command=lambda scope: openssl(scope, scope.contract.domain, "-verify_return_error"),
        ),
        Check(
            entry=entries()["tls.versions"],
            probe=tls_probes.all_versions,
            rule=tls.versions,
            fix="set the zone's min_tls_version to 1.2 and tls_1_3 to on",
            command=lambda scope: openssl(scope, scope.contract.domain, "-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0"),
        ),
        Check(
            entry=entries()["tls.hsts"],
            probe=web.secure_visits,
            rule=tls.hsts,
            fix="set `hsts:` to maxAge 31536000 or more with includeSubdomains and deploy",
            command=lambda scope: curl(scope, f"https://{scope.contract.domain}/"),
        ),
        Check(
            entry=entries()["edge.ssl"],
            probe=lambda _: None,
            rule=tls.edge_ssl,
            fix="declare ssl strict: anything less lets somebody between edge and origin read everything",
            command=only("edge.ssl"),
        ),
        Check(
            entry=entries()["tls.origin"],
            probe=cloudflare.zone_settings,
            rule=tls.origin,
            fix="deploy again: somebody changed the zone's settings by hand",
            command=lambda scope: commands.cloudflare(scope, f"/zones/{scope.contract.zone.id}/settings"),
        ),
    )


def _certificates() -> tuple[Check, ...]:
    rules = (
        ("tls.expiry", tls.expiry, "find out why the edge does not renew; a CAA record may forbid its authority"),
        ("tls.lifetime", tls.lifetime, "replace the uploaded certificate by the edge's own"),
        ("tls.key", tls.key, "replace the certificate by one with a strong key that is logged"),
    )
    return tuple(
        Check(
            entry=entries()[check_id],
            probe=tls_probes.certificates,
            rule=rule,
            fix=fix,
            command=lambda scope: openssl(scope, scope.contract.domain, "-showcerts"),
            only_live=STAND_IN_CERTIFICATE,
        )
        for check_id, rule, fix in rules
    )


def _caching() -> tuple[Check, ...]:
    return (
        Check(
            entry=entries()["cache.static"],
            probe=web.assets,
            rule=web_rules.static,
            fix="restore the cache rule over `cache.staticPaths`; the application must send max-age and immutable",
            command=lambda scope: curl(scope, f"https://{scope.contract.domain}/"),
        ),
        Check(
            entry=entries()["cache.html"],
            probe=web.home,
            rule=web_rules.html,
            fix="let pages say Cache-Control: no-cache (or max-age=0), and keep them out of the cache rule",
            command=lambda scope: curl(scope, f"https://{scope.contract.domain}/"),
        ),
        Check(
            entry=entries()["cache.private"],
            probe=web.private_visits,
            rule=web_rules.private,
            fix="keep the API's host out of every cache rule",
            command=lambda scope: curl(scope, scope.contract.endpoints.health),
        ),
    )


def _protection() -> tuple[Check, ...]:
    return (
        Check(
            entry=entries()["http.exposed"],
            probe=web.sensitive,
            rule=web_rules.exposed,
            fix="remove the file from what is published, then change every secret that it held",
            command=lambda scope: curl(scope, f"https://{scope.contract.domain}/.env"),
            timeout=30.0,
        ),
        Check(
            entry=entries()["edge.waf"],
            probe=web.sensitive,
            rule=web_rules.waf,
            fix="restore the WAF rule over `waf.blockedPaths`; it must cover /.env and /.git/",
            command=lambda scope: curl(scope, f"https://{scope.contract.domain}/.env"),
            timeout=30.0,
        ),
        Check(
            entry=entries()["edge.rate"],
            probe=web.burst,
            rule=web_rules.rate,
            fix="restore the rate limit over `rateLimit.path`, at most 100 requests",
            command=only("edge.rate"),
            mutates=True,
            serial="rate limit",
            timeout=45.0,
        ),
        Check(
            entry=entries()["edge.rate-recovery"],
            probe=web.recovery,
            rule=web_rules.recovery,
            fix="shorten the limit's mitigation time",
            command=only("edge.rate-recovery"),
            only_live="a rehearsal does not wait for the mitigation time to pass",
            mutates=True,
            serial="rate limit",
            timeout=150.0,
        ),
        Check(
            entry=entries()["edge.webhook"],
            probe=webhook.unsigned_post,
            rule=web_rules.webhook,
            fix="turn Bot Fight Mode off and leave the webhook's path out of challenges, limits and redirects",
            command=lambda scope: curl(scope, scope.contract.endpoints.webhook, "-X", "POST", "-d", "{}"),
        ),
    )
