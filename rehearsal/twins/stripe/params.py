"""Types of request parameters: each turns raw strings into values, or says what Stripe would say about them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from rehearsal.twins.stripe.errors import invalid, missing_param, unknown_param
from rehearsal.twins.stripe.form import Raw

Field: TypeAlias = Callable[[Raw, str], Any]

METADATA_KEYS, METADATA_KEY_LENGTH, METADATA_VALUE_LENGTH = 50, 40, 500


@dataclass(frozen=True)
class Spec:
    """The parameters that one call takes; all others are refused."""

    fields: Mapping[str, Field] = field(default_factory=dict)
    required: tuple[str, ...] = ()

    def parse(self, raw: Mapping[str, Raw], prefix: str = "") -> dict[str, Any]:
        """Typed values of what was sent. ApiError 400 for a missing, unknown or malformed parameter."""
        for name in raw:
            if name not in self.fields:
                raise unknown_param(_nested(prefix, name), list(self.fields))
        for name in self.required:
            if raw.get(name, "") in ("", {}):
                raise missing_param(_nested(prefix, name))
        return {name: self.fields[name](value, _nested(prefix, name)) for name, value in raw.items()}


def _nested(prefix: str, name: str) -> str:
    return f"{prefix}[{name}]" if prefix else name


def _string(raw: Raw, param: str) -> str:
    if not isinstance(raw, str):
        raise invalid(f"Invalid string: {raw}", param=param)
    return raw


def text(*, clear: bool = False, limit: int = 5000) -> Field:
    """A string of at most `limit` characters; an empty one is refused, or (`clear`) unsets the field."""

    def parse(raw: Raw, param: str) -> str | None:
        value = _string(raw, param)
        if len(value) > limit:
            raise invalid(
                f"Invalid string: {value[:20]}…; must be at most {limit} characters, got {len(value)}", param=param
            )
        if value == "" and not clear:
            raise invalid(
                f"You passed an empty string for '{param}'. We assume empty values are an attempt to unset a "
                f"parameter; however '{param}' cannot be unset.",
                param=param,
                code="parameter_invalid_empty",
            )
        return value or None

    return parse


def integer(minimum: int = 0, maximum: int = 99_999_999) -> Field:
    """A whole number in the range."""

    def parse(raw: Raw, param: str) -> int:
        value = _string(raw, param)
        if not value.removeprefix("-").isdecimal():
            raise invalid(f"Invalid integer: {value}", param=param, code="parameter_invalid_integer")
        if not minimum <= int(value) <= maximum:
            message = f"Invalid integer: must be {minimum} to {maximum}, got {value}"
            raise invalid(message, param=param, code="parameter_invalid_integer")
        return int(value)

    return parse


def timestamp(*words: str) -> Field:
    """Seconds since the epoch, or one of `words` ("now")."""
    number = integer(0, 2**40)

    def parse(raw: Raw, param: str) -> int | str:
        return raw if isinstance(raw, str) and raw in words else number(raw, param)

    return parse


def boolean() -> Field:
    """`true` or `false`."""

    def parse(raw: Raw, param: str) -> bool:
        value = _string(raw, param)
        if value.lower() not in ("true", "false"):
            raise invalid(f"Invalid boolean: {value}", param=param)
        return value.lower() == "true"

    return parse


def choice(*names: str) -> Field:
    """One of `names`."""

    def parse(raw: Raw, param: str) -> str:
        value = _string(raw, param)
        if value not in names:
            raise invalid(f"Invalid {param}: must be one of {', '.join(names)}; got {value!r}", param=param)
        return value

    return parse


def metadata() -> Field:
    """A map of strings within Stripe's limits; a key with an empty value is to be removed, "" clears all."""

    def parse(raw: Raw, param: str) -> dict[str, str]:
        if raw == "":
            return {}
        if not isinstance(raw, dict):
            raise invalid(f"Invalid hash: {raw}", param=param)
        if len(raw) > METADATA_KEYS:
            raise invalid(f"Metadata may have up to {METADATA_KEYS} keys, got {len(raw)}", param=param)
        values = {key: _string(value, f"{param}[{key}]") for key, value in raw.items()}
        for key, value in values.items():
            if len(key) > METADATA_KEY_LENGTH or len(value) > METADATA_VALUE_LENGTH:
                limits = f"keys up to {METADATA_KEY_LENGTH} and values up to {METADATA_VALUE_LENGTH} characters"
                raise invalid(f"Invalid metadata: {limits}", param=f"{param}[{key}]")
        return values

    return parse


def new_metadata() -> Field:
    """Metadata of an object that is being made: keys with empty values say nothing."""
    read = metadata()

    def parse(raw: Raw, param: str) -> dict[str, str]:
        return merge_metadata({}, read(raw, param))

    return parse


def array(of: Field, limit: int = 100) -> Field:
    """A list of at most `limit` elements, each read by `of`; an empty string is an empty list."""

    def parse(raw: Raw, param: str) -> list[Any]:
        if raw == "":
            return []
        if not isinstance(raw, dict) or not all(key.isdecimal() for key in raw):
            raise invalid("Invalid array", param=param)
        if len(raw) > limit:
            raise invalid(f"Array too long: at most {limit} elements, got {len(raw)}", param=param)
        return [of(raw[key], f"{param}[{key}]") for key in sorted(raw, key=int)]

    return parse


def record(fields: Mapping[str, Field], *required: str) -> Field:
    """A map with the given fields."""
    spec = Spec(fields, required)

    def parse(raw: Raw, param: str) -> dict[str, Any]:
        if not isinstance(raw, dict):
            raise invalid("Invalid object", param=param)
        return spec.parse(raw, param)

    return parse


def clearable(of: Field) -> Field:
    """What `of` reads, or an empty string, which unsets the field (None)."""

    def parse(raw: Raw, param: str) -> Any:
        return None if raw == "" else of(raw, param)

    return parse


def moments() -> Field:
    """A filter on a time: one moment, or bounds `gt`, `gte`, `lt`, `lte`; the result holds bounds only."""
    moment = timestamp()
    bounds = record(dict.fromkeys(("gt", "gte", "lt", "lte"), moment))

    def parse(raw: Raw, param: str) -> dict[str, int]:
        if isinstance(raw, dict):
            return bounds(raw, param)
        exact = moment(raw, param)
        return {"gte": exact, "lte": exact}

    return parse


def merge_metadata(target: dict[str, str], change: dict[str, str]) -> dict[str, str]:
    """Stripe's update of metadata: given keys are set, those with an empty value removed, others kept."""
    if not change:
        return {}
    return {key: value for key, value in {**target, **change}.items() if value != ""}
