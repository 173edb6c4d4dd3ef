"""The configuration of the hosts: what a name leads to, on which platform."""

from typing import Literal, Self, get_args

from pydantic import Field, ValidationInfo, field_validator, model_validator

from infra.hostnames import APEX, label_fault, owner_fault, record_fault
from infra.names.addresses import address_fault, kind_of, reach_fault
from infra.names.platforms import PLATFORMS, Kind, Platform, PlatformName, of_target
from infra.names.record_sections import ZoneRecord, content_fault
from infra.names.ttl import AUTOMATIC, ttl_fault
from infra.section import Section, refused

MAX_ADDRESSES = 20  # of one host: more is a list pasted into the wrong place


class Validation(Section):
    """A record by which a platform sees whose the name is, or gets its certificate; `name` is relative to the zone."""

    type: Literal["CNAME", "TXT"]
    name: str
    value: str = Field(min_length=1)

    @field_validator("name")
    @classmethod
    def _is_in_the_zone(cls, name: str) -> str:
        if fault := owner_fault(name):
            raise refused(fault, 'Write the part before the domain, such as "_acme-challenge.app".')
        return name

    @field_validator("value")
    @classmethod
    def _fits_the_type(cls, value: str, info: ValidationInfo) -> str:
        kind = info.data.get("type")
        if kind is not None and (fault := content_fault(kind, value)):
            raise refused(fault, "Copy it as the platform shows it.")
        return value

    @property
    def as_record(self) -> ZoneRecord:
        """The same as a record that stands as it is written."""
        return ZoneRecord(name=self.name, type=self.type, content=self.value)


class Host(Section):
    """A name of the zone that people or operators use, and where it leads. `ttl` 1 is Cloudflare's "automatic".

    It leads to a `target`, a name that the platform gives (at the apex Cloudflare flattens it), or to `addresses`;
    with neither, an apex leads to what the platform documents for everybody. `proxied` comes from the platform where
    the configuration does not say it.
    """

    name: str
    platform: PlatformName
    role: Literal["web", "ops"]
    target: str | None = None
    addresses: tuple[str, ...] = Field(default=(), max_length=MAX_ADDRESSES)
    proxied: bool = Field(default=None, validate_default=True)  # None becomes what the platform's preset says
    ttl: int | None = None
    validation: tuple[Validation, ...] = ()

    @field_validator("name")
    @classmethod
    def _is_a_label(cls, name: str) -> str:
        if fault := label_fault(name):
            raise refused(fault, 'Write "@" for the apex or the part before the domain, such as "app".')
        return name

    @field_validator("target")
    @classmethod
    def _is_absolute(cls, target: str | None) -> str | None:
        if target is not None and (fault := record_fault(target)):
            raise refused(fault, "Give the absolute name that your hosting provider shows.")
        return target

    @field_validator("addresses")
    @classmethod
    def _are_reachable(cls, addresses: tuple[str, ...]) -> tuple[str, ...]:
        for address in addresses:
            if fault := address_fault(address, kind_of(address)) or reach_fault(address):
                raise refused(f"{address!r}: {fault}", "Give the origin's public addresses.")
        if len(set(addresses)) != len(addresses):
            raise refused("each address is there once", "Remove the repeated one.")
        return addresses

    @field_validator("proxied", mode="before")
    @classmethod
    def _is_supported(cls, proxied: object, info: ValidationInfo) -> object:
        preset = PLATFORMS.get(info.data.get("platform", "plain"), PLATFORMS["plain"])
        if proxied is None:
            return preset.proxied
        if proxied is True and preset.proxy == "never":
            limit = f"{preset.title} cannot stand behind a proxy: {preset.proxy_reason} ({preset.proxy_source})"
            raise refused(limit, "Set proxied to false, or leave it out.")
        return proxied

    @field_validator("ttl")
    @classmethod
    def _fits_the_proxy(cls, ttl: int | None, info: ValidationInfo) -> int | None:
        if ttl is not None and (fault := ttl_fault(ttl, proxied=bool(info.data.get("proxied")))):
            raise refused(*fault)
        return ttl

    @model_validator(mode="after")
    def _leads_where_the_platform_documents(self) -> Self:
        if fault := self._destination_fault() or self._form_fault() or self._platform_fault() or self._proof_fault():
            raise refused(*fault)
        return self

    @property
    def preset(self) -> Platform:
        """What its platform documents."""
        return PLATFORMS[self.platform]

    @property
    def records(self) -> tuple[tuple[Kind, str], ...]:
        """Type and content of its records."""
        if self.target:
            return (("CNAME", self.target),)
        if self.addresses:
            return tuple((kind_of(address), address) for address in self.addresses)
        return self.preset.apex_records

    @property
    def record_ttl(self) -> int:
        """Seconds that resolvers keep the records; 1 is what Cloudflare decides."""
        return self.ttl or AUTOMATIC

    def _destination_fault(self) -> tuple[str, str] | None:
        if self.target and self.addresses:
            return "a host leads to a target or to addresses", "Leave one of the two out."
        if self.target or self.addresses or (self.name == APEX and self.preset.apex_records):
            return None
        wanted = "its target or addresses" if "A" in self._forms() else "its target"
        return f"{self.preset.title} gives every host a place of its own, which is missing", f"Add {wanted}."

    def _form_fault(self) -> tuple[str, str] | None:
        allowed = [kind for kind in get_args(Kind) if kind in self._forms()]
        for kind, content in self.records:
            if kind not in allowed:
                place = "an apex" if self.name == APEX else "a sub-domain"
                limit = f"{self.preset.title} documents {' or '.join(allowed)} for {place}, {content} is {kind}"
                return limit, f"See {self.preset.records_source}."
        return None

    def _platform_fault(self) -> tuple[str, str] | None:
        if not self.target or self.preset.serves(self.target):
            return None
        if (theirs := of_target(self.target)) is not None:
            return f"{self.target} is a name of {PLATFORMS[theirs].title}", f"Set platform to {theirs}."
        if self.preset.targets is not None:
            limit = f"{self.target} is no name that {self.preset.title} gives its customers"
            return limit, "Copy it from the platform's page, or set platform to plain."
        return None

    def _proof_fault(self) -> tuple[str, str] | None:
        """A proxied host of a platform that then needs a record which says whose the name is."""
        label = self.preset.proxied_needs
        if label is None or not self.proxied or all(kind == "AAAA" for kind, _ in self.records):
            return None  # an IPv6 address of its own says it too
        wanted = label if self.name == APEX else f"{label}.{self.name}"
        if any(entry.type == "TXT" and entry.name == wanted for entry in self.validation):
            return None
        limit = f"{self.preset.proxy_reason}, a TXT record at {wanted} ({self.preset.proxy_source})"
        return limit, "Add it to validation, or set proxied to false."

    def _forms(self) -> frozenset[Kind]:
        return self.preset.apex if self.name == APEX else self.preset.sub
