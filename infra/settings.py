"""The whole configuration of a stack, as frozen models. Reading it is in `infra.config`."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from infra.destination_sections import Destinations
from infra.documents.sections import Apps, Maintenance, SecurityTxt
from infra.edge.access_sections import Access
from infra.edge.header_sections import Csp, Headers, Hsts
from infra.edge.sections import (
    SIGN_IN,
    Bots,
    Cache,
    Cors,
    Ddos,
    ExtraRule,
    RateLimit,
    SslMode,
    TlsVersion,
    Waf,
)
from infra.hostnames import APEX, absolute, domain_fault, label_fault
from infra.mail.lookups import Mode as SpfLookups
from infra.mail.sections import Mail
from infra.names.record_sections import ZoneRecord
from infra.names.sections import Host
from infra.names.zone_sections import MAX_ASIDE, Caa, Retired
from infra.names.zone_sections import Domain as DomainAside
from infra.origin.sections import OriginPulls
from infra.plans import PlanName
from infra.redirects.names import canonical_pair
from infra.redirects.sections import Redirects
from infra.section import Section, refused
from infra.sections import EventBridge, Identity, Policy, Product, Webhook
from infra.tenancy import Tenant, proxied

STRIPE_API = "https://api.stripe.com"
# AWS Certificate Manager takes a first name of at most 64 characters, and ours is api.<domain>.
MAX_DOMAIN = 64 - len("api.")
MIN_IDENTITY_KEY = 32  # characters: 128 bits even where they are hexadecimal digits
RetentionDays = Literal[7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653]
Runtime = Literal["python3.11", "python3.12", "python3.13", "python3.14"]


def _domain(name: str) -> str:
    if fault := domain_fault(name):
        raise refused(fault, "Give the zone's name alone, such as tidewriters.example.")
    if len(name) > MAX_DOMAIN:
        limit = f"a domain has at most {MAX_DOMAIN} characters here, because a certificate's name has at most 64"
        raise refused(limit, "Use a shorter domain for the app.")
    return name


def _api_base(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname and not parts.path:
        return url
    if parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1") and not parts.path:
        return url
    raise refused("an https address without a path, or http on this machine", f"Leave it out to use {STRIPE_API}.")


def _filled(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if not text or text != text.strip() or not text.isprintable():
        raise refused("a key is not empty and has no blanks around it", "Set it again with pulumi config set --secret.")
    return secret


def _identity_key(secret: SecretStr) -> SecretStr:
    if len(_filled(secret).get_secret_value()) < MIN_IDENTITY_KEY:
        limit = f"a key that signs who somebody is has at least {MIN_IDENTITY_KEY} characters"
        raise refused(limit, "Make one with `openssl rand -hex 32`; the app's server gets the same one.")
    return secret


def _previous_identity_key(secret: SecretStr) -> SecretStr:
    return _identity_key(secret) if secret.get_secret_value() else secret


def _api_label(label: str) -> str:
    fault = "the apex is the app's" if label == APEX else label_fault(label)
    if fault:
        raise refused(fault, 'Write the part before the domain, such as "api".')
    return label


Domain = Annotated[str, AfterValidator(_domain)]
Secret = Annotated[SecretStr, AfterValidator(_filled)]
IdentityKey = Annotated[SecretStr, AfterValidator(_identity_key)]
PreviousIdentityKey = Annotated[SecretStr, AfterValidator(_previous_identity_key)]
MetadataKey = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
Email = Annotated[str, Field(pattern=r"^[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+$", max_length=254)]


class Settings(Section):
    """Every key of the stack's configuration under the project's namespace."""

    domain: Domain
    cloudflare_account_id: str = Field(pattern=r"^[0-9a-f]{32}$")
    zone_plan: PlanName = "free"
    zone: Literal["owner", "tenant"] = "owner"
    zone_id: str = Field(default="", pattern=r"^([0-9a-f]{32})?$")
    owner: str = ""
    api_host: Annotated[str, AfterValidator(_api_label)] = "api"
    livemode: bool = True
    hosts: tuple[Host, ...] = Field(min_length=1)
    canonical: Literal["apex", "www"] = "apex"
    records: tuple[ZoneRecord, ...] = ()
    caa: Caa = Caa()
    dnssec: bool = True
    parked: tuple[DomainAside, ...] = Field(default=(), max_length=MAX_ASIDE)
    retired: tuple[Retired, ...] = Field(default=(), max_length=MAX_ASIDE)
    redirects: Redirects = Redirects()
    apps: Apps = Apps()
    security_txt: SecurityTxt = SecurityTxt()
    maintenance: Maintenance = Maintenance()
    access: Access = Access()
    mail: Mail = Mail()
    spf_lookups: SpfLookups = "dns"
    ssl: SslMode = "strict"
    min_tls_version: TlsVersion = "1.2"
    hsts: Hsts = Hsts()
    csp: Csp = Csp()
    headers: Headers = Headers()
    cors: Cors = Cors()
    cache: Cache = Cache()
    waf: Waf = Waf()
    rate_limits: tuple[RateLimit, ...] = (SIGN_IN,)
    bots: Bots = Bots()
    ddos: Ddos = Ddos()
    settings: dict[str, Any] = Field(default_factory=dict)
    extra_rules: dict[str, tuple[ExtraRule, ...]] = Field(default_factory=dict)
    origin_pulls: OriginPulls = OriginPulls()
    products: tuple[Product, ...] = Field(min_length=1)
    policy: Policy = Policy()
    user_id_metadata_key: MetadataKey = "user_id"
    price_metadata_key: MetadataKey = "price_id"
    identity: Identity = Identity()
    webhook: Webhook = Webhook()
    event_bridge: EventBridge = EventBridge()
    destinations: Destinations
    alert_email: Email
    protect: bool = True
    reserved_concurrency: dict[str, Annotated[int, Field(ge=1, le=1000)]] = Field(default_factory=dict)
    sync_max_concurrency: int = Field(default=2, ge=2, le=1000)
    apply_max_concurrency: int = Field(default=5, ge=2, le=1000)
    reconcile_hours: int = Field(default=6, ge=1, le=24)
    log_retention_days: RetentionDays = 30
    lambda_runtime: Runtime = "python3.11"
    stripe_api_base: Annotated[str, AfterValidator(_api_base)] = STRIPE_API
    stripe_api_key: Secret
    stripe_read_key: Secret
    kit_api_key: Secret
    slack_bot_token: Secret
    identity_key: IdentityKey
    identity_key_previous: PreviousIdentityKey = SecretStr("")


@dataclass(frozen=True, kw_only=True)
class Stack:
    """One stack: who it is, where it runs, and its settings."""

    project: str
    name: str
    region: str
    settings: Settings
    tenants: tuple[Tenant, ...] = ()

    @property
    def prefix(self) -> str:
        """What every physical name begins with."""
        return f"{self.project}-{self.name}"

    def host(self, label: str) -> str:
        """The absolute name of a host of the zone; "@" is the domain itself."""
        return absolute(label, self.settings.domain)

    @property
    def owns_zone(self) -> bool:
        """Whether this stack declares the zone's settings and rulesets, or another one does."""
        return self.settings.zone == "owner"

    @property
    def api_host(self) -> str:
        """Where webhooks and the members API are served."""
        return self.host(self.settings.api_host)

    @property
    def api_hosts(self) -> tuple[str, ...]:
        """The API hosts of the whole zone: this stack's and its tenants'."""
        return (self.api_host, *(tenant.api_host for tenant in self.tenants))

    @property
    def canonical_host(self) -> str:
        """The name of the site that people should see: the apex, or www."""
        return canonical_pair(self.settings.canonical, self.settings.domain)[0]

    @property
    def alias_host(self) -> str:
        """The other of the two, which redirects to it."""
        return canonical_pair(self.settings.canonical, self.settings.domain)[1]

    @property
    def proxied_web_hosts(self) -> tuple[str, ...]:
        """This stack's hosts of the app and of operations that pass through the edge, in the order declared."""
        return proxied(self.settings.hosts, self.settings.domain)

    @property
    def edge_web_hosts(self) -> tuple[str, ...]:
        """Those of the whole zone: this stack's and its tenants'."""
        return (*self.proxied_web_hosts, *(host for tenant in self.tenants for host in tenant.proxied_web_hosts))

    @property
    def cors_origins(self) -> tuple[str, ...]:
        """Whose pages may call this stack's API from a browser: as listed, else those of its proxied web hosts."""
        settings = self.settings
        if settings.cors.origins is not None:
            return settings.cors.origins
        web = [host for host in settings.hosts if host.role == "web"]
        return tuple(f"https://{name}" for name in proxied(web, settings.domain))

    @property
    def noindex_hosts(self) -> tuple[str, ...]:
        """Proxied hosts that search engines must not list: those of tenants, and of a stack in test mode."""
        own = () if self.settings.livemode and self.owns_zone else self.proxied_web_hosts
        return (*own, *(host for tenant in self.tenants for host in tenant.proxied_web_hosts))
