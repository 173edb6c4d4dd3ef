"""What a resource handler is: it brings one type of declared resource to its twin."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from rehearsal.errors import DeploymentError
from rehearsal.target import Target


@dataclass(frozen=True, kw_only=True)
class Declared:
    """A resource to create; `inputs` are camelCase, secrets plain, archives as `rehearsal.wire` decodes them.

    `source` is the declaring `file:line`.
    """

    urn: str
    type: str
    name: str
    inputs: Mapping[str, Any]
    source: str

    def __str__(self) -> str:
        """As messages name it, with the line that declared it."""
        return f'{self.type} "{self.name}" ({self.source})'


@dataclass(frozen=True)
class Created:
    """What the provider would answer. An output that is left out is unknown to the program, never None."""

    id: str
    outputs: Mapping[str, Any] = field(default_factory=dict)


class RefusedError(DeploymentError):
    """The vendor would refuse the resource, although its twin would not; the message gives the vendor's reason."""


class ResourceHandler(Protocol):
    """The four operations of a provider on one type."""

    type: str

    def create(self, declared: Declared, target: Target) -> Created:
        """Create the resource at its twin."""
        ...

    def read(self, id_: str, target: Target) -> dict[str, Any] | None:
        """The outputs of the existing resource, or None if there is none."""
        ...

    def update(self, id_: str, declared: Declared, target: Target) -> dict[str, Any]:
        """Bring the existing resource to the declared inputs; returns the outputs."""
        ...

    def delete(self, id_: str, target: Target) -> None:
        """Remove the resource; a missing one is no error."""
        ...


class CreateOnly:
    """What a handler answers where its twin cannot read, change or remove the resource by its id alone.

    A rehearsal starts with empty twins and ends by ending them, so it needs creation only.
    """

    type: str

    def read(self, id_: str, target: Target) -> dict[str, Any] | None:  # noqa: ARG002
        """Not supported."""
        raise DeploymentError(f"{self.type} {id_}: reading is not supported by this twin")

    def update(self, id_: str, declared: Declared, target: Target) -> dict[str, Any]:  # noqa: ARG002
        """Not supported."""
        raise DeploymentError(f"{declared}: update is not supported by this twin; start the rehearsal anew")

    def delete(self, id_: str, target: Target) -> None:  # noqa: ARG002
        """Not supported."""
        raise DeploymentError(f"{self.type} {id_}: deletion is not supported by this twin; end the rehearsal instead")
