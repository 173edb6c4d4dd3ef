"""What every section of the configuration is: strict, closed, frozen, and how it refuses a value."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

Path = Annotated[str, Field(pattern=r"^/[A-Za-z0-9._~/-]+$", max_length=200)]


def refused(limit: str, remedy: str) -> PydanticCustomError:
    """A value out of its limits; both texts reach the reader as they are."""
    return PydanticCustomError("refused", "{limit}", {"limit": limit, "remedy": remedy})


class Section(BaseModel):
    """Strict (no "10" for 10), closed (no unknown key), frozen."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, alias_generator=to_camel)
