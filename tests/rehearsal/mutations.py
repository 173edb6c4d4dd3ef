"""Single changes of what is deployed, each of them a mistake that a launch must not be rehearsed with."""

from dataclasses import dataclass
from pathlib import Path

PROD = "Pulumi.prod.yaml"
REFUSED_BY_THE_PROGRAM = 5
ZONE_AREAS = ("dns.", "redir.", "tls.", "http.", "app.", "cache.", "mail.", "edge.")
# Checks that look at the API, or at Stripe: the zone alone does not pass them even without a mistake.
NEED_THE_API = (
    *("edge.webhook", "edge.webhook-addresses", "edge.cors", "edge.preflight", "http.nosniff"),
    *("edge.origin-pulls", "edge.origin-expiry", "edge.origin-alarm"),
)
JOURNEY = "joins"  # the one that a mutation is rehearsed with where it names no other


@dataclass(frozen=True)
class Mutation:
    """`text`, which stands once in `file`, becomes `instead`, and `caught_by` says no.

    `caught_by` is the id of a check or the journey; with an `exit_code` other than 1 it is a part of the message with
    which Cloudflare, AWS or the program's own rules refuse to go on.
    """

    name: str
    file: str
    text: str
    instead: str
    caught_by: str
    exit_code: int = 1
    journey: str = JOURNEY

    @property
    def in_the_zone(self) -> bool:
        """Whether the zone alone shows it: what needs AWS, Stripe or a journey is rehearsed as a whole."""
        if self.journey != JOURNEY or self.caught_by in NEED_THE_API:
            return False
        return self.exit_code == REFUSED_BY_THE_PROGRAM or self.caught_by.startswith(ZONE_AREAS)

    def apply(self, project: Path) -> None:
        """Change the copy in `project`; AssertionError unless the text stands there exactly once."""
        path = project / self.file
        source = path.read_text(encoding="utf-8")
        count = source.count(self.text)
        assert count == 1, f"{self.name}: {self.text!r} stands {count} times in {self.file}, must be once"
        path.write_text(source.replace(self.text, self.instead), encoding="utf-8")


WWW_RULE = """        _rule(
            "www-to-apex" if stack.settings.canonical == "apex" else "apex-to-www",
            f"{alias} is an alias of {canonical}",
            expressions.asks_for(alias),
            _computed(expressions.same_place_at(expressions.literal(canonical))),
            status=STATUS,
        ),
"""
HTTPS_RULE = """        _rule(
            "https",
            "People's browsers are taken to https; API hosts are left out, they refuse plain http",
            expressions.plain_http_to(stack.edge_web_hosts),
            _computed(expressions.same_place_at("http.host")),
            status=STATUS,
        ),
"""
WAF_RULE = """        cloudflare.RulesetRuleArgs(
            ref="blocked-paths",
            description="Paths that only scanners ask for",
            expression=expressions.path_starts_with_in_any_case(stack.settings.waf.blocked_paths),
            action="block",
            enabled=True,
        ),
"""
HTTP_BLOCK = "expression=expressions.plain_http_to(stack.api_hosts),"
POLICY_RULE = 'found.append(_rule(f"csp-{number}", described, sharing, {name: policy}))'
ORIGINS = "allow_origins=list(stack.cors_origins),"
SPF_RECORD = '        yield MailRecord(resource=f"spf{_at(label)}", name=name, type="TXT", content=spf(mail, label))\n'
API_RECORD = 'zone.record("host-api", self.host, "CNAME", self.target, proxied=True, parent=self)'
PROOF_RECORD = 'zone.record("api-certificate-proof", name, "CNAME", value, parent=self)'
RECONCILE_SENDS = """                Statement("SendEvents", permissions.SEND, [self._queues.events.arn]),
                self._nudge(),
"""
READ_DEAD_LETTERS = """            self._feed(self.undelivered, name, queue.dead.arn, DEAD_LETTER_CONCURRENCY)
"""
RECONCILE_SCHEDULE = """        self._schedule(self.reconcile, hourly(stack.settings.reconcile_hours))
"""
TOLD_STATUS = "Env.BAD_SIGNATURE_STATUS: str(self._stack.settings.webhook.bad_signature),"
SMUGGLED_KEY = '"NOTE": self._stack.settings.kit_api_key.get_secret_value(),'

PULLS = "infra/origin/pulls.py"
PUBLISHED = "infra/mail/published.py"
MAIL = (
    Mutation("no SPF record", PUBLISHED, SPF_RECORD, "        yield from ()\n", "mail.spf"),
    Mutation("SPF lets everybody send", PUBLISHED, "*terms, mail.spf_all]", '*terms, "+all"]', "mail.spf"),
    Mutation("DMARC asks for nothing", PUBLISHED, 'f"p={policy.rung}"', '"p=none"', "mail.dmarc"),
    Mutation("DMARC is a test", PUBLISHED, '["t=y"] if policy.testing else []', '["t=y"]', "mail.dmarc"),
    Mutation(
        "DMARC reports to nobody",
        PUBLISHED,
        "f\"rua={','.join(policy.rua)}\"] if policy.rua else",
        "] if policy.rua else",
        "mail.dmarc-rua",
    ),
    Mutation(
        "a DKIM selector is forgotten", PUBLISHED, "for key in sender.dkim:", "for key in sender.dkim[1:]:", "mail.dkim"
    ),
    Mutation("the MTA-STS policy covers nobody", PUBLISHED, 'f"mx: {host}" for', 'f"mx: x.{host}" for', "mail.mta-sts"),
    Mutation(
        "the MTA-STS policy has no host",
        PUBLISHED,
        'yield MailRecord(resource="host-mta-sts-aaaa"',
        'MailRecord(resource="host-mta-sts-aaaa"',
        "mail.mta-sts",
    ),
    Mutation(
        "the logo is another", PUBLISHED, "l={mail.bimi.logo}", "l=https://elsewhere.example/logo.svg", "mail.bimi"
    ),
    Mutation("bounces lead nowhere", PUBLISHED, "if shape and sender.bounces_to:", "if False:", "mail.return-path"),
    Mutation("an exchanger has another priority", PUBLISHED, "priority=priority)", "priority=priority + 1)", "mail.mx"),
    Mutation(
        "TLS reports go elsewhere", PUBLISHED, "{','.join(mail.tls_rpt)}", "mailto:tls@elsewhere.example", "mail.tlsrpt"
    ),
)
SETTINGS = "infra/edge/zone_settings.py"
REDIRECTS = "infra/redirects/single.py"
OLD_PATHS = "Pulumi.prod.redirects.csv"
PHASES = "infra/edge/zone_rules.py"
CACHE = "infra/edge/cache.py"
HEADERS = "infra/edge/headers.py"
EDGE = (
    Mutation("the edge trusts any origin", SETTINGS, '"ssl": settings.ssl,', '"ssl": "full",', "tls.origin"),
    Mutation("TLS 1.0 is accepted", SETTINGS, ": settings.min_tls_version,", ': "1.0",', "tls.versions"),
    Mutation("HSTS is off", SETTINGS, '"enabled": True,', '"enabled": False,', "tls.hsts"),
    Mutation("HSTS is below its rung", SETTINGS, "hsts.max_age,", "604800,", "tls.hsts"),
    Mutation("every host is redirected to https", SETTINGS, '_https": "off"', '_https": "on"', "redir.api"),
    Mutation("no redirect to https", REDIRECTS, HTTPS_RULE, "", "redir.https"),
    Mutation("no redirect from www", REDIRECTS, WWW_RULE, "", "redir.canonical"),
    Mutation(
        "plain http to the API is redirected",
        REDIRECTS,
        "expressions.plain_http_to(stack.edge_web_hosts)",
        "expressions.plain_http_to([*stack.edge_web_hosts, stack.api_host])",
        "redir.api",
    ),
    Mutation(
        "plain http to the API is answered",
        "infra/edge/firewall.py",
        HTTP_BLOCK,
        HTTP_BLOCK.replace("api_hosts", "edge_web_hosts"),
        "redir.api",
    ),
    Mutation("no WAF rule", "infra/edge/firewall.py", WAF_RULE, "", "edge.waf"),
    Mutation(
        "no managed rules", PHASES, '    "http_request_firewall_managed": managed.rules,\n', "", "edge.waf-managed"
    ),
    Mutation("no rate limit", PHASES, '    "http_ratelimit": rate_limits.rules,\n', "", "edge.rate"),
    Mutation(
        "Stripe meets every rule",
        PHASES,
        '    "http_request_firewall_custom": firewall.stripe_passes,\n',
        "",
        "edge.webhook-skip",
    ),
    Mutation("Stripe sends from elsewhere", "infra/edge/addresses.py", '"3.18.12.63", ', "", "edge.webhook-addresses"),
    Mutation("Bot Fight Mode is on", "infra/edge/edge.py", "stack.settings.bots.fight_mode", "True", "edge.bots"),
    Mutation("static files are not kept", CACHE, "cache=True,", "cache=False,", "cache.static"),
    Mutation(
        "the signed-in are given what was stored", CACHE, "if cache.session_cookies:", "if False:", "cache.deception"
    ),
    Mutation("no referrer policy", HEADERS, '"referrer-policy": headers.referrer_policy,', "", "http.referrer"),
    Mutation("windows share their opener", HEADERS, '"cross-origin-opener-policy": headers.coop,', "", "http.coop"),
    Mutation("anybody may frame the app", HEADERS, '"x-frame-options": headers.frame.upper(),', "", "http.frame"),
    Mutation("headers at one host alone", HEADERS, 'every page", hosts,', 'every page", hosts[:1],', "http.headers"),
    Mutation(
        "a policy is enforced too early",
        HEADERS,
        " if stack.settings.csp.enforced else REPORTED_CSP",
        "",
        "http.csp",
    ),
    Mutation("no policy", HEADERS, POLICY_RULE, "continue", "http.csp"),
    Mutation("every page may call the API", "infra/api.py", ORIGINS, 'allow_origins=["*"],', "edge.cors"),
    Mutation("pages may delete through the API", "infra/api.py", "list(cors.methods)", '["DELETE"]', "edge.preflight"),
    Mutation("the API's record is missing", "infra/api.py", API_RECORD, "proof", "dns.hosts"),
)
ANSWERS = (
    Mutation(
        "old paths lose their query", REDIRECTS, "keep_query=not target.has_query,", "keep_query=False,", "redir.paths"
    ),
    Mutation(
        "what is below an old path is lost",
        REDIRECTS,
        "_computed(expressions.moved(source.path, target.url)) if target.keeps else _written(target.url)",
        "_written(target.url)",
        "redir.paths",
    ),
    Mutation(
        "the list of old paths is off", "infra/redirects/bulk.py", "enabled=True,", "enabled=False,", "redir.paths"
    ),
    Mutation(
        "the apps' links are no JSON", "infra/documents/apps.py", '"application/json"', '"text/plain"', "app.links"
    ),
    Mutation("security.txt has expired", PROD, 'expires: "2027-', 'expires: "2025-', "http.security-txt"),
    Mutation(
        "documents are routed beside their addresses",
        "infra/documents/worker.py",
        'f"{each.host}{each.path}" for',
        'f"{each.host}{each.path}.txt" for',
        "edge.documents",
    ),
    Mutation(
        "the app is left in maintenance",
        "infra/documents/worker.py",
        "declared.of(stack), declared.closed(stack)",
        'declared.of(stack), (stack.host("app"),)',
        "edge.maintenance",
    ),
    Mutation(
        "anybody reaches what operators use",
        "infra/edge/access.py",
        "        if hosts:",
        "        if False:",
        "edge.access",
    ),
)
ANSWERS_REFUSED = (
    Mutation(
        "old paths in a circle", OLD_PATHS, "/about-us,/about,301", "/about-us,/about-us,301", "it leads to itself", 5
    ),
    Mutation(
        "an old path that is never reached",
        OLD_PATHS,
        "from,to,status\n",
        "from,to,status\n/blog/*,/news/*\n",
        "takes it first",
        5,
    ),
    Mutation(
        "maintenance before the webhook",
        PROD,
        "hosts: [], retry",
        "hosts: [api], retry",
        "maintenance.hosts[0]: got",
        5,
    ),
    Mutation(
        "everybody with a free mailbox is an operator",
        PROD,
        "{emails: [ops@tidewriters.example]",
        "{emailDomains: [gmail.com]",
        "anybody can have an address at gmail.com",
        5,
    ),
)
QUEUES = (
    Mutation(
        "no dead-letter queues",
        "infra/queues.py",
        "redrive=self.dead.arn.apply(_redrive)",
        "redrive=None",
        "aws.dlq",
    ),
    Mutation("messages come back too soon", "infra/timing.py", "FACTOR = 6", "FACTOR = 1", "aws.redrive"),
    Mutation("nobody reads dead letters", "infra/pipeline.py", READ_DEAD_LETTERS, "", "aws.dlq"),
    Mutation("nobody watches dead events", "infra/alarms.py", "in queues.all:", "in queues.all[1:]:", "aws.alarms"),
    Mutation(
        "nobody is told of parked events", "infra/alarms.py", "in (*COUNTED, *", "in (*COUNTED[1:], *", "aws.alarms"
    ),
    Mutation("logs are kept for ever", "infra/functions.py", "stack.settings.log_retention_days", "None", "aws.logs"),
    Mutation("no point-in-time recovery", "infra/table.py", "Args(enabled=True)", "Args(enabled=False)", "aws.table"),
)
ACCESS = (
    Mutation(
        "functions may do everything with queues",
        "infra/permissions.py",
        'SEND = ("sqs:SendMessage",)',
        'SEND = ("sqs:*",)',
        "aws.roles",
    ),
    Mutation("the scheduler may call every function", "infra/pipeline.py", "[function.arn]", '["*"]', "aws.callers"),
    Mutation("reconcile is never run", "infra/pipeline.py", RECONCILE_SCHEDULE, "", "aws.callers"),
    Mutation(
        "the webhook may not read its signing secret",
        "infra/duties.py",
        'Statement("ReadSigningSecret", permissions.READ_SECRET, [signing]),',
        "",
        JOURNEY,
    ),
    Mutation(
        "the API has two addresses", "infra/api.py", "_api_endpoint=True", "_api_endpoint=False", "api.default-endpoint"
    ),
    Mutation("anybody may read members", "infra/pipeline.py", "members, iam=True)", "members)", "api.members-auth"),
    Mutation("anybody may claim", "infra/pipeline.py", "claims, iam=True)", "claims)", "api.members-auth"),
    Mutation(
        "apply cannot tell who signed a reference",
        "infra/duties.py",
        "self._read_stripe(),\n                self._read_identity(),\n            ],\n        )",
        "self._read_stripe(),\n            ],\n        )",
        "aws.roles",
    ),
    Mutation(
        "reconcile finds what was lost and cannot tell",
        "infra/duties.py",
        RECONCILE_SENDS,
        "                self._nudge(),\n",
        "aws.roles",
    ),
    Mutation("a key in an environment", "infra/duties.py", TOLD_STATUS, TOLD_STATUS + SMUGGLED_KEY, "sec.env"),
)
PAYMENTS = (
    Mutation(
        "ends of disputes are not listened to",
        "infra/stripe_endpoint.py",
        "events=tuple(sorted(STRIPE_EVENTS)),",
        "events=tuple(sorted(STRIPE_EVENTS))[1:],",
        "stripe.events",
    ),
    Mutation(
        "Stripe posts where nobody listens", "infra/stripe_endpoint.py", '"url": url', '"url": url + "s"', JOURNEY
    ),
)
PEOPLE = (
    Mutation(
        "who types a user's id is believed",
        "infra/duties.py",
        '"unsigned_reference": settings.identity.unsigned_reference,',
        '"unsigned_reference": "add",',
        "impostor",
        journey="impostor",
    ),
)
SECRETS = (
    Mutation(
        "the webhook forgets the previous secret",
        "handlers/adapters/secrets_http.py",
        "return (current, previous)",
        "return (current,)",
        "secret_rolled",
        journey="secret_rolled",
    ),
)
REFUSED = (
    Mutation(
        "SPF is configured for everybody",
        PROD,
        "    dmarc:\n",
        '    spfAll: "+all"\n    dmarc:\n',
        "mail.spfAll: got",
        5,
    ),
    Mutation(
        "the newsletter leaves with the receipts", PROD, "domain: news", "domain: mail", "never share a domain", 5
    ),
    Mutation(
        "DMARC waits for no date", PROD, '      by: "2027-03-01"\n      rua', "      rua", "mail.dmarc.by: got", 5
    ),
    Mutation("claims on a page without TLS", PROD, "https://app.", "http://app.", "identity.claimUrl: got", 5),
    Mutation("the edge asks by plain http", PROD, "ssl: strict", "ssl: flexible", "ssl: got", 5),
    Mutation(
        "Bot Fight Mode before the webhook",
        PROD,
        "  launch-ready:ddos:",
        "  launch-ready:bots: {fightMode: true}\n  launch-ready:ddos:",
        "bots.fightMode: got",
        5,
    ),
    Mutation(
        "a period that the plan lacks",
        PROD,
        "10, priority: 1}",
        "60, priority: 1}",
        "rateLimits[0].periodSeconds: got",
        5,
    ),
    Mutation(
        "a period that Cloudflare refuses",
        "infra/edge/rate_limits.py",
        "=limit.period_seconds",
        "=60",
        "must be one of 10",
        7,
    ),
    Mutation(
        "the certificate's proof stands elsewhere",
        "infra/api.py",
        PROOF_RECORD,
        PROOF_RECORD.replace("name", '"_elsewhere"'),
        "ACM would never issue the certificate",
        7,
    ),
)

ORIGIN = (
    Mutation(
        "the API's origin takes anybody",
        "infra/api.py",
        "mutual_tls_authentication=self.origin_pulls.mutual_tls",
        "mutual_tls_authentication=None",
        "edge.origin-pulls",
    ),
    Mutation(
        "the edge shows the API no certificate",
        PULLS,
        "cert_id=upload.id, enabled=True",
        "cert_id=upload.id, enabled=False",
        "edge.origin-pulls",
    ),
    Mutation(
        "the edge's certificate is good for a week",
        "infra/origin/certificates.py",
        "VALID_DAYS = 397",
        "VALID_DAYS = 7",
        "edge.origin-expiry",
    ),
    Mutation(
        "nobody is told that the edge's certificate ends",
        "infra/alarms.py",
        "self._origin_certificate(host.origin_pulls.presented)",
        "pass",
        "edge.origin-alarm",
    ),
    Mutation(
        "the API trusts certificates instead of their authority",
        PULLS,
        "[certificate.authority for certificate",
        "[certificate.certificate for certificate",
        "certificates of no authority",
        7,
    ),
    Mutation(
        "the active certificate is not declared",
        PROD,
        'active: "2026-11"',
        'active: "2026-12"',
        "originPulls.active: got",
        5,
    ),
)

ZONE = "infra/names/zone.py"
CAA = "infra/names/caa.py"
ASIDE = "infra/names/aside.py"
NAMES = (
    Mutation("no host is proxied", ZONE, "proxied=host.proxied", "proxied=False", "dns.hosts"),
    Mutation("www is forgotten", ZONE, "            self._alias(stack)\n", "", "dns.hosts"),
    Mutation("other records are forgotten", ZONE, "        self._verbatim(stack)\n", "", "dns.records"),
    Mutation("the zone is not signed", ZONE, 'status="active"', 'status="disabled"', "dns.dnssec"),
    Mutation("Amazon may not issue", CAA, "in issuers(stack):", "in issuers(stack)[1:]:", "dns.caa"),
    Mutation("anybody may issue for a wildcard", CAA, "in wildcard_issuers():", "in ():", "dns.caa"),
    Mutation("a parked domain may send", ASIDE, "v=spf1 -all", "v=spf1 ~all", "mail.parked"),
    Mutation("a retired domain loses the query", ASIDE, "=retired.keep_path,", "=False,", "redir.retired"),
    Mutation(
        "a retired domain has no address",
        ASIDE,
        '"apex", retired.domain',
        '"x", f"x.{retired.domain}"',
        "redir.retired",
    ),
)
NAMES_REFUSED = (
    Mutation(
        "a host behind the proxy before its platform can prove it",
        PROD,
        "target: tide-writers-status.fly.dev\n",
        "target: tide-writers-status.fly.dev\n      proxied: true\n",
        "hosts[3]: got",
        5,
    ),
    Mutation(
        "a host deeper than the certificate reaches", PROD, "{name: ops, ", "{name: eu.ops, ", "hosts[2].name: got", 5
    ),
    Mutation(
        "a platform that refuses the proxy",
        PROD,
        "platform: render, target: tide-writers-ops.onrender.com",
        "platform: netlify, target: tide-writers-ops.netlify.app",
        "hosts[2].proxied: got",
        5,
    ),
    Mutation(
        "a record that points to no name",
        PROD,
        "type: TXT, content: google",
        "type: MX, content: google",
        "records[0]",
        5,
    ),
    Mutation(
        "a retired domain leads to itself",
        PROD,
        'to: "https://tidewriters',
        'to: "https://oldtide',
        "retired[0].to: got",
        5,
    ),
)

MUTATIONS = (
    *NAMES,
    *NAMES_REFUSED,
    *MAIL,
    *EDGE,
    *ANSWERS,
    *ANSWERS_REFUSED,
    *ORIGIN,
    *QUEUES,
    *ACCESS,
    *PAYMENTS,
    *PEOPLE,
    *SECRETS,
    *REFUSED,
)
