"""The configuration of what the edge answers by itself: the app's associations, security.txt, and maintenance."""

import re
from datetime import date
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from infra.section import Section, refused

Label = Annotated[str, Field(min_length=1, max_length=253)]
# What a universal link's path may match: * is any text, ? any character (Apple, "Supporting associated domains").
LinkPath = Annotated[str, Field(pattern=r"^/[A-Za-z0-9._~%!$&'()+,;=:@/*?-]*$", max_length=200)]
Fingerprint = Annotated[str, Field(pattern=r"^[0-9A-F]{2}(:[0-9A-F]{2}){31}$")]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
_URI = re.compile(r"(https://[a-z0-9.-]+(/[!-~]*)?|mailto:[!-~]+@[a-z0-9.-]+|tel:[+0-9().-]+)")
_PAGE = re.compile(r"https://[a-z0-9.-]+(/[!-~]*)?")


def _contact(uri: str) -> str:
    if not _URI.fullmatch(uri):
        raise refused("a contact is a mailto:, tel: or https: address (RFC 9116)", "Such as mailto:security@….")
    return uri


def _page(url: str) -> str:
    if not _PAGE.fullmatch(url):
        raise refused("it is the address of a page, which begins with https:// (RFC 9116)", "Write it out in full.")
    return url


Contact = Annotated[str, Field(max_length=500), AfterValidator(_contact)]
Page = Annotated[str, Field(max_length=500), AfterValidator(_page)]


class AppleApp(Section):
    """An iOS app that opens links: its team, its bundle, and the paths that it takes."""

    team_id: str = Field(pattern=r"^[A-Z0-9]{10}$")
    bundle_id: str = Field(pattern=r"^[A-Za-z0-9.-]{1,155}$")
    paths: tuple[LinkPath, ...] = Field(min_length=1)


class AndroidApp(Section):
    """An Android app that opens links; `fingerprints` are SHA-256 of the certificates that sign it."""

    package: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)+$", max_length=255)
    fingerprints: tuple[Fingerprint, ...] = Field(min_length=1)


class Apps(Section):
    """Which mobile apps open links to which hosts of the zone; none where it names none."""

    hosts: tuple[Label, ...] = ()
    apple: tuple[AppleApp, ...] = ()
    android: tuple[AndroidApp, ...] = ()

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if bool(self.hosts) != bool(self.apple or self.android):
            raise refused("hosts, and the apps that open their links, go together", "Add what is missing.")
        return self


class SecurityTxt(Section):
    """Whom to tell of a vulnerability (RFC 9116); there is no file where it names nobody.

    After `expires` nobody trusts the file; a year ahead is the most.
    """

    contact: Contact | None = None
    expires: date | None = None
    languages: tuple[Language, ...] = ()
    policy: Page | None = None
    encryption: Page | None = None
    acknowledgments: Page | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.model_fields_set and (self.contact is None or self.expires is None):
            raise refused("the file has a contact and a day on which it expires (RFC 9116)", "Add what is missing.")
        return self


class Maintenance(Section):
    """Hosts that answer 503 for the moment, and after how many seconds to ask again."""

    hosts: tuple[Label, ...] = ()
    retry_after_seconds: int = Field(default=600, ge=1, le=86400)
