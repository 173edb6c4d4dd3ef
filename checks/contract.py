"""The contract: what one stack declares about a launch. Read from a document, validated, frozen.

The JSON Schema beside this module is the document's definition; the classes here give it types.
"""

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from jsonschema import Draft202012Validator
from pydantic import BaseModel, ConfigDict

from checks.errors import UsageError

SCHEMA_FILE = Path(__file__).with_name("contract.schema.json")
Role = Literal["web", "api", "redirect", "ops"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Zone(_Part):
    """The Cloudflare zone."""

    id: str
    name: str
    plan: str
    name_servers: tuple[str, ...]
    role: Literal["owner", "tenant"]
    dnssec: bool


class Host(_Part):
    """One declared host name and its record; ttl 1 means automatic."""

    name: str
    role: Role
    type: str
    content: str
    proxied: bool
    ttl: int
    platform: str | None


class Record(_Part):
    """Another declared record, its content as a zone file has it; TXT without quotes, its strings joined."""

    name: str
    type: str
    content: str
    ttl: int
    proxied: bool
    priority: int | None


class Caa(_Part):
    """The authorities that may issue certificates for the domain (RFC 8659)."""

    issuers: tuple[str, ...]
    wildcard_issuers: tuple[str, ...]
    iodef: str | None


class Retired(_Part):
    """A domain that redirects as a whole."""

    domain: str
    to: str
    status: int
    keep_path: bool


class Redirect(_Part):
    """One host that leads to another."""

    from_host: str
    to_host: str
    status: int
    preserve_path: bool
    preserve_query: bool


class PathRedirect(_Part):
    """An old address to try, and where its first hop leads."""

    url: str
    to: str
    status: int
    by: Literal["single", "bulk"]


class PathRedirects(_Part):
    """Old paths: how many there are, and some of each kind."""

    total: int
    sample: tuple[PathRedirect, ...]


class Rung(_Part):
    """Where something that climbs stands, where it must be and by when (ISO 8601 date)."""

    ladder: Literal["dmarc", "hsts", "csp"]
    rung: str
    target: str
    reached: bool
    by: str | None


class Hsts(_Part):
    """Strict-Transport-Security as declared; max_age in seconds."""

    max_age: int
    include_subdomains: bool
    preload: bool


class Cache(_Part):
    """What the edge may keep."""

    static_paths: tuple[str, ...]
    edge_ttl_seconds: int
    never_paths: tuple[str, ...]
    session_cookies: tuple[str, ...]


class Waf(_Part):
    """Path prefixes that the edge refuses, and managed rulesets by name."""

    blocked_paths: tuple[str, ...]
    managed: tuple[str, ...]


class RateLimit(_Part):
    """More than `requests` in `period_seconds` from one address are refused for `mitigation_seconds`.

    No `hosts` means every host of the zone.
    """

    name: str
    hosts: tuple[str, ...]
    paths: tuple[str, ...]
    requests: int
    period_seconds: int
    mitigation_seconds: int


class Unprotected(_Part):
    """Something that was wanted and that the zone's plan does not allow."""

    name: str
    what: str
    why: str


class Header(_Part):
    """A response header that the edge sets; its name in lower case."""

    host: str
    name: str
    value: str


class Csp(_Part):
    """A host's Content-Security-Policy; one that is not enforced only reports."""

    host: str
    enforced: bool
    policy: str


class Cors(_Part):
    """Which origins may call the API from a browser."""

    origins: tuple[str, ...]
    methods: tuple[str, ...]
    headers: tuple[str, ...]
    max_age_seconds: int


class Ddos(_Part):
    """The override of the managed DDoS ruleset."""

    action: str
    sensitivity: str


class Maintenance(_Part):
    """Hosts that answer 503 for the moment."""

    hosts: tuple[str, ...]
    retry_after_seconds: int


class Document(_Part):
    """What the edge itself serves at a URL."""

    url: str
    kind: Literal["mta-sts", "aasa", "assetlinks", "security-txt"]
    content_type: str
    sha256: str


class OriginPull(_Part):
    """A host whose origin asks the edge for a certificate of our own: SHA-256, and when it ends (RFC 3339)."""

    host: str
    certificate: str
    fingerprint: str
    not_after: str


class Edge(_Part):
    """What the edge is told to do."""

    ssl: str
    min_tls_version: str
    tls_1_3: bool
    hsts: Hsts | None
    https_redirect_hosts: tuple[str, ...]
    http_refused_hosts: tuple[str, ...]
    cache: Cache
    waf: Waf
    rate_limits: tuple[RateLimit, ...]
    unprotected: tuple[Unprotected, ...]
    headers: tuple[Header, ...]
    csp: tuple[Csp, ...]
    cors: Cors | None
    bot_fight_mode: bool
    ddos: Ddos | None
    webhook_addresses: tuple[str, ...]
    access_hosts: tuple[str, ...]
    maintenance: Maintenance | None
    documents: tuple[Document, ...]
    noindex_hosts: tuple[str, ...]
    origin_pulls: tuple[OriginPull, ...]


class Exchanger(_Part):
    """One mail exchanger."""

    host: str
    priority: int


class Mx(_Part):
    """Who receives a domain's mail; no exchanger means a null MX (RFC 7505)."""

    domain: str
    exchangers: tuple[Exchanger, ...]


class Spf(_Part):
    """A domain's SPF record, and what it cost to evaluate when it was declared."""

    domain: str
    value: str
    lookups: int
    voids: int
    counted_from: Literal["dns", "recorded"]


class Dkim(_Part):
    """One DKIM selector's record, and the sender that signs with it."""

    domain: str
    via: str
    selector: str
    name: str
    type: Literal["CNAME", "TXT"]
    value: str


class ReturnPath(_Part):
    """Where a sender's bounces go; a CNAME hands the name's SPF record to the vendor too."""

    name: str
    type: Literal["CNAME", "MX"]
    value: str
    priority: int | None


class Dmarc(_Part):
    """A domain's DMARC record; `authorisations` are the records of other domains that agree to take its reports."""

    domain: str
    name: str
    policy: Literal["none", "quarantine", "reject"]
    subdomains: Literal["none", "quarantine", "reject"] | None
    nonexistent: Literal["none", "quarantine", "reject"] | None
    testing: bool
    rua: tuple[str, ...]
    authorisations: tuple[str, ...]


class MtaSts(_Part):
    """The MTA-STS policy (RFC 8461): its TXT record's name and id, where it is served, what it says."""

    name: str
    id: str
    url: str
    mode: Literal["testing", "enforce"]
    max_age: int
    mx: tuple[str, ...]


class TlsRpt(_Part):
    """Where reports about TLS go (RFC 8460)."""

    name: str
    rua: tuple[str, ...]


class Bimi(_Part):
    """The logo and the certificate that says whose it is."""

    name: str
    logo: str
    authority: str | None


class Sender(_Part):
    """Who sends as which domain; `envelope` is the domain whose SPF record is asked for."""

    via: str
    domain: str
    envelope: str
    kind: Literal["people", "transactional", "marketing"]


class Mail(_Part):
    """Mail authentication of the domain and its sub-domains."""

    mx: tuple[Mx, ...]
    spf: tuple[Spf, ...]
    dkim: tuple[Dkim, ...]
    return_paths: tuple[ReturnPath, ...]
    dmarc: tuple[Dmarc, ...]
    mta_sts: MtaSts | None
    tls_rpt: TlsRpt | None
    bimi: Bimi | None
    senders: tuple[Sender, ...]


class Endpoints(_Part):
    """Public URLs of the pipeline; `members` may end in `{user_id}`."""

    webhook: str
    members: str
    claims: str
    health: str


class Webhook(_Part):
    """How the webhook answers what is not genuinely signed."""

    bad_signature_status: int


class Claims(_Part):
    """The app's page for claim links, and how many days one is good for."""

    url: str
    days: int


class Queue(_Part):
    """One queue; `dlq` is the ARN of the queue that takes what fails."""

    name: str
    url: str
    arn: str
    purpose: str
    destination: str | None
    dlq: str | None
    max_receive_count: int | None
    visibility_seconds: int


class Function(_Part):
    """One Lambda function."""

    name: str
    purpose: str
    destination: str | None
    timeout_seconds: int
    log_group: str
    retention_days: int | None
    role_arn: str


class Table(_Part):
    """The DynamoDB table."""

    name: str
    arn: str


class Alarm(_Part):
    """One CloudWatch alarm and where it lives."""

    name: str
    region: str
    purpose: str


class HealthCheck(_Part):
    """One Route 53 health check and what it asks for."""

    id: str
    host: str
    path: str


class Secret(_Part):
    """One secret by name; never its value."""

    name: str
    arn: str
    purpose: str


class Certificate(_Part):
    """One ACM certificate."""

    arn: str
    domain: str
    region: str


class StripeEndpoint(_Part):
    """The Stripe webhook endpoint as created."""

    endpoint_id: str
    url: str
    api_version: str
    events: tuple[str, ...]
    livemode: bool


class Thresholds(_Part):
    """What the launch promises: milliseconds to acknowledge, seconds to take effect."""

    ack_p95_ms: int
    effect_seconds: int


class Contract(_Part):
    """The whole document, version 3; `event_source` is Stripe's partner event source at EventBridge."""

    version: int
    project: str
    stack: str
    domain: str
    region: str
    livemode: bool
    zone: Zone
    hosts: tuple[Host, ...]
    records: tuple[Record, ...]
    caa: Caa | None
    parked: tuple[str, ...]
    retired: tuple[Retired, ...]
    redirects: tuple[Redirect, ...]
    path_redirects: PathRedirects
    rungs: tuple[Rung, ...]
    edge: Edge
    mail: Mail
    endpoints: Endpoints
    webhook: Webhook
    claims: Claims | None
    event_source: str | None
    queues: tuple[Queue, ...]
    functions: tuple[Function, ...]
    table: Table
    alarms: tuple[Alarm, ...]
    health_checks: tuple[HealthCheck, ...]
    secrets: tuple[Secret, ...]
    certificates: tuple[Certificate, ...]
    stripe: StripeEndpoint
    thresholds: Thresholds


@functools.cache
def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the document."""
    return json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))


def parse(document: Mapping[str, Any]) -> Contract:
    """The contract that a document holds. Raises UsageError naming the path of everything that is wrong."""
    errors = sorted(Draft202012Validator(schema()).iter_errors(dict(document)), key=lambda error: list(error.path))
    if errors:
        lines = [f"{_path(error.absolute_path)}: {error.message}" for error in errors[:20]]
        raise UsageError("the contract is not valid:\n  " + "\n  ".join(lines))
    return Contract.model_validate_json(json.dumps(document))


def load(path: Path) -> dict[str, Any]:
    """The document in a file, not yet validated. Raises UsageError when it cannot be read or is no JSON object."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read the contract {path}: {error.strerror}") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"the contract {path} is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise UsageError(f"the contract {path} must be a JSON object, got {type(document).__name__}")
    return document


def _path(parts: Any) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return text.lstrip(".") or "(document)"
