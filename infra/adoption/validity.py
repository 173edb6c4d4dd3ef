"""Whether the configuration's own models take a value, as they would from a stack file."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError


def fault(section: type[BaseModel], values: Mapping[str, Any]) -> str | None:
    """Why `section` refuses `values`, which have the names of the configuration; None when it takes them."""
    try:
        section.model_validate_json(json.dumps(values))
    except ValidationError as error:
        return "; ".join(entry["msg"] for entry in error.errors(include_url=False))
    return None
