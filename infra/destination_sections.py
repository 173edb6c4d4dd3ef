"""The sections of a stack's configuration that are about destinations: how far each is on, and its own options."""

from typing import Annotated, Any, Literal

from pydantic import Field

from infra.section import Section


class Destination(Section):
    """How far a destination is switched on, and what its plan at the vendor allows; its own options are below.

    What `mode` and `percent` do is in Pulumi.yaml. `calls_per_month` is None where the vendor sets no such limit.
    """

    mode: Literal["on", "shadow", "off"] = "on"
    percent: int = Field(default=100, ge=0, le=100)
    calls_per_month: int | None = Field(default=None, ge=1)

    def switch(self) -> dict[str, Any]:
        """How far it is on, as functions are told."""
        return {name: getattr(self, name) for name in Destination.model_fields}

    def options(self) -> dict[str, Any]:
        """What only this vendor has, with the keys that the destination's file documents."""
        return self.model_dump(mode="json", exclude=set(Destination.model_fields))


class Kit(Destination):
    """The tag at Kit for each label of a member."""

    tags: dict[str, Annotated[int, Field(ge=1)]] = Field(min_length=1)


class Slack(Destination):
    """The operations channel."""

    channel: str = Field(pattern=r"^[CGD][A-Z0-9]{2,20}$")


class Destinations(Section):
    """The settings of each destination; the places themselves are in handlers.settings."""

    kit: Kit
    slack: Slack

    def of(self, name: str) -> Destination:
        """The settings of the destination called `name`."""
        return getattr(self, name)

    def switches(self) -> dict[str, dict[str, Any]]:
        """How far each is on, by name."""
        return {name: self.of(name).switch() for name in type(self).model_fields}
