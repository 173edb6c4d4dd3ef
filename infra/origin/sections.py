"""The configuration of what the edge shows to the API's origin."""

from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from infra.section import Section, refused

MOST = 3  # of the ten that Cloudflare keeps for a zone: the one in use, the one before and the one after
Name = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$")]


class OriginPulls(Section):
    """Our client certificates by name, and the one that the edge presents; none: the API's origin takes anybody.

    With `required` false the edge already presents the certificate, and nobody asks for it yet: for the first step of
    an API that is in use. How to renew is in docs/origin.md.
    """

    certificates: tuple[Name, ...] = Field(default=(), max_length=MOST)
    active: str | None = Field(default=None, validate_default=True)
    required: bool = True

    @field_validator("certificates")
    @classmethod
    def _are_distinct(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(names)) < len(names):
            raise refused("each certificate is named once", "Remove the repeated name.")
        return names

    @field_validator("active")
    @classmethod
    def _is_one_of_them(cls, active: str | None, info: ValidationInfo) -> str | None:
        names = info.data.get("certificates")
        if names is None or active in names or (active is None and not names):
            return active
        listed = ", ".join(names) or "none"
        remedy = "Present one that was deployed before; remove a certificate only when another is active."
        raise refused(f"the edge presents one of the certificates, which are: {listed}", remedy)
