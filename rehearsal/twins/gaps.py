"""What the twins do not show: every known difference from the real thing, a line each, printed in the report."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Gap:
    """One difference; `text` says what a rehearsal therefore does not prove."""

    twin: str
    text: str


_STRIPE = (
    "test clocks also work in live mode, so that live-mode journeys can be driven through time",
    "without a test clock nothing falls due: renewals, trial ends and retries happen only when a clock advances",
    "one API version only, the SDK's; endpoints and requests of other versions are refused",
    "parameters and calls that the twin does not implement are refused, also where Stripe accepts them",
    "cards and SEPA debits only: no wallets, no payment links, no customer portal, no accounts of the second version",
    "no coupons, taxes, prorations, item changes or invoice items; a dispute moves no balance and has no fees",
    "invoice.upcoming and the events of balances and payouts are not sent",
    "retries of deliveries are compressed to seconds and a dozen tries; Stripe goes on for three days",
    "retries of payments follow fixed days; Smart Retries choose their own",
    "an invoice is always finalised an hour after its draft; Stripe waits longer while webhooks fail",
    "refunds succeed at once unless their test card says otherwise, and `refund.customer` is always null",
    "the restricted key may read everything and write nothing; permissions are not told apart",
    "no rate limits, no 409 for requests that wait for a lock, idempotency keys never expire",
    "events are kept for good and listed by when they were made, not for 30 days by `created`",
)

_AWS = (
    "a failed message appears again after a second, not after the queue's visibility timeout",
    "rates fire twelve times as often as declared, and a minute of the destinations' quotas is over after five seconds",
    "schedules with cron or at expressions fire only when they are told to; a failed firing is not retried",
    "partner event sources are taken as made; EventBridge tries each event once and keeps no dead letters",
    "at most five batches of a mapping run at once; batching windows are not waited for, filters are refused",
    "the webhook looks for a rolled secret in new instances; that one which goes on looks in a minute is not shown",
    "functions run with this machine's interpreter and processor: memory, architecture and the 6 MB limit are not held",
    "a function's environment holds a few variables more, and its network is not restricted to what AWS would allow",
    "service quotas and account limits are those of a new region with 1000 concurrent executions",
    "service control policies and KMS key policies are not evaluated",
    "calls with the account's own key are neither checked for their signature nor limited by policies",
    "alarms are stored and never change state; no metric arrives, so nobody is notified",
    "health checks are stored and never run; their regions and the checkers' addresses are not imitated",
    "topics' e-mail subscriptions stay unconfirmed and no mail is sent",
    "certificates are issued at once when their DNS records are declared; renewal does not happen",
    "the API's own domain ends the handshake of a client that it does not trust; the real one ends it or answers 403",
    "the TLS versions and ciphers of the API's own domain are those of this machine, not of its security policy",
    "API Gateway does not throttle, and does not hold the 29 s limit",
    "encryption at rest, point-in-time recovery and backups are settings only",
    "time to live does not remove items at its moment",
    "replacement, update and deletion of resources: a rehearsal only creates",
)

_CLOUDFLARE = (
    "an account holds one zone, whose delegation at the registrar is taken as done; DNSSEC's DS record stays pending",
    "records of types other than A, AAAA, CNAME, NS, MX, TXT, CAA and SRV are refused",
    "zone settings other than ssl, TLS versions, https redirects, HSTS, browser cache and HTTP/2 do nothing",
    "rulesets of five phases only: single redirects, WAF custom rules, rate limits, cache rules, response headers",
    "which plan a zone is on comes from the stack's configuration; what is billed is not known",
    "the API only reads: the zone, the settings above, records and entry points; a token may read all of them",
)

_DNS = (
    "one server answers for both name servers, over IPv4 alone; proxied names have no AAAA record",
    "names outside of the zone are refused, so nothing that another party publishes can be looked up",
    "an alias at the apex is flattened only where it leads to an address in the same zone",
    "denial in a signed zone is by NSEC records made beforehand; Cloudflare makes them when it is asked",
)

_EDGE = (
    "managed WAF rulesets know their markers alone: launch-ready-waf-free, -cloudflare, -owasp, and Log4Shell's lookup",
    "DDoS protection, its override and bot management do nothing; a challenge is answered 403 and cannot be solved",
    "no detection finds anything: bot and threat scores are 0, attack scores 99, nobody is a verified bot",
    "one data centre: rate limits and cache are exact, where Cloudflare counts and keeps in each place apart",
    "HTTP/3, early hints, compression, image and script rewriting, websockets and 0-RTT are not spoken",
    "visitors come from loopback, or from the address that a rehearsal names; none has a country, a city or a network",
    "rule expressions know a hundred fields and 28 functions; others are refused, and lists but those of redirects",
    "which fields and functions Cloudflare takes in which phase is not held, but for the fields of rate limits",
    "fields of TLS say version 1.3 whatever was spoken; rules see 128 KB of a body on every plan, forms but no parts",
    "regular expressions run on RE2, Cloudflare's on Rust's engine: rare character classes differ",
    "configuration rules act on ssl and the security level, and of that on under_attack alone; bic, hot … do nothing",
    "Workers run in QuickJS for a second at most, with URL, Request, Response, Headers and fetch from their own host",
    "Access: the team is called rehearsal, its login is not shown, sessions are signed with a key of the rehearsal",
    "stale answers are not served while the origin is asked or down, and nothing is purged or evicted",
    "the certificate is a local authority's; issue, renewal and transparency logs are not imitated",
    "a client certificate for an origin is presented at once; Cloudflare deploys it to its data centres for minutes",
    "error answers are kept for Cloudflare's default times also where a cache rule overrides them",
)

_ORIGIN = (
    "the app is a stand-in with the paths and caching headers of a Next.js app; its code is not rehearsed",
    "every host of the app is one server; platforms' own redirects, limits and certificates are not imitated",
)

_KIT = (
    "subscribers and tags only: no custom fields, forms, sequences, automations or mail",
    "bulk calls, OAuth and its larger limit are refused; a deleted or merged subscriber does not happen",
    "in a rehearsal a minute of its limit is over after five seconds",
)

_SLACK = (
    "chat.postMessage only, and blocks, threads and formatting are not looked at",
    "a channel takes 60 messages in any minute; Slack documents one a second with bursts of no stated size",
    "in a rehearsal a minute of its limit is over after five seconds",
    "scopes, membership of channels and archived channels are not told apart",
)

GAPS: tuple[Gap, ...] = (
    *(Gap("aws", text) for text in _AWS),
    *(Gap("stripe", text) for text in _STRIPE),
    *(Gap("cloudflare", text) for text in _CLOUDFLARE),
    *(Gap("dns", text) for text in _DNS),
    *(Gap("edge", text) for text in _EDGE),
    *(Gap("origin", text) for text in _ORIGIN),
    *(Gap("kit", text) for text in _KIT),
    *(Gap("slack", text) for text in _SLACK),
)
