"""From where the checks look at the launch: the real world, or a rehearsal's twins."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from checks.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class AwsAccess:
    """Where AWS answers and who asks. `endpoint` None: AWS itself."""

    endpoint: str | None
    region: str
    access_key_id: str = field(repr=False)
    secret_access_key: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class StripeAccess:
    """Stripe's API address (without `/v1`) and a restricted key that may read webhook endpoints and the account."""

    api_base: str
    api_key: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class CloudflareAccess:
    """Cloudflare's API address (with `/client/v4`) and a token that may read the zone.

    Zone Settings, Zone WAF, Bot Management and HTTP DDoS Managed Ruleset: Read.
    """

    api_base: str
    api_token: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Vantage:
    """How names, ports and APIs are reached; the empty one is the real world.

    `resolver` is the (host, port) of the one DNS server to ask. `ports` maps a public port to the one dialled.
    `ca_file` is a PEM bundle to trust instead of the public one. `signing_secret` (`whsec_…`) lets the webhook
    checks sign what they send. `origins` maps a host to the (host, port) where its origin is, for those that ask it
    around the edge; elsewhere it is where the host's record leads. `seed_messages` are files of mail that the senders
    really sent (.eml), `dmarc_reports` a directory of aggregate reports.
    """

    resolver: tuple[str, int] | None = None
    ports: Mapping[int, int] = field(default_factory=dict)
    origins: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    ca_file: str | None = None
    aws: AwsAccess | None = None
    stripe: StripeAccess | None = None
    cloudflare: CloudflareAccess | None = None
    signing_secret: str | None = field(default=None, repr=False)
    seed_messages: tuple[str, ...] = ()
    dmarc_reports: str | None = None
    rehearsal: bool = False

    def port(self, public: int) -> int:
        """The port to dial for a public one."""
        return self.ports.get(public, public)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Vantage":
        """The vantage that a JSON document describes. Raises UsageError naming the key that is wrong."""
        unknown = sorted(set(document) - set(cls.__dataclass_fields__))
        if unknown:
            known = ", ".join(cls.__dataclass_fields__)
            raise UsageError(f"vantage: unknown key {unknown[0]!r}; known: {known}")
        try:
            return cls(
                resolver=_resolver(document.get("resolver")),
                ports={int(public): int(dialled) for public, dialled in (document.get("ports") or {}).items()},
                origins={host: _address(at) for host, at in (document.get("origins") or {}).items()},
                ca_file=document.get("ca_file"),
                aws=_access(AwsAccess, document.get("aws")),
                stripe=_access(StripeAccess, document.get("stripe")),
                cloudflare=_access(CloudflareAccess, document.get("cloudflare")),
                signing_secret=document.get("signing_secret"),
                seed_messages=_files(document.get("seed_messages")),
                dmarc_reports=document.get("dmarc_reports"),
                rehearsal=bool(document.get("rehearsal", False)),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UsageError(f"vantage: {type(error).__name__}: {error}") from error

    @classmethod
    def load(cls, text: str) -> "Vantage":
        """The vantage in a JSON text. Raises UsageError."""
        try:
            document = json.loads(text)
        except json.JSONDecodeError as error:
            raise UsageError(f"vantage: not JSON: {error}") from error
        if not isinstance(document, dict):
            raise UsageError(f"vantage: must be a JSON object, got {type(document).__name__}")
        return cls.from_document(document)


def _resolver(value: Mapping[str, Any] | None) -> tuple[str, int] | None:
    return None if value is None else _address(value)


def _address(value: Mapping[str, Any]) -> tuple[str, int]:
    return str(value["host"]), int(value["port"])


def _files(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise ValueError("seed_messages must be a list of file names")
    return tuple(value)


def _access(kind: type, value: Mapping[str, Any] | None) -> Any:
    return None if value is None else kind(**value)
