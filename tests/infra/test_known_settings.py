from typing import Any, Literal, get_args, get_origin

from cloudflare.types.zones.setting_get_response import SettingGetResponse
from pydantic import BaseModel

from infra.edge.known_settings import CHOICES, KINDS, LEAST_PLAN, NOT_SET_BY_VALUE, OWN


def in_the_sdk() -> dict[str, Any]:
    """Every setting of Cloudflare's SDK: its id, and the annotation of its value, without None."""
    models: list[type[BaseModel]] = list(get_args(SettingGetResponse))
    found = {}
    for model in models:
        [setting] = literals(model.model_fields["id"].annotation)
        value = model.model_fields.get("value")
        found[setting] = value.annotation if value else None
    return found


def literals(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    return tuple(choice for part in get_args(annotation) for choice in literals(part))


def test_the_settings_are_those_of_cloudflares_sdk() -> None:
    assert {*CHOICES, *KINDS, *NOT_SET_BY_VALUE} == set(in_the_sdk())
    assert not set(CHOICES) & set(KINDS)


def test_their_values_are_those_of_cloudflares_sdk() -> None:
    sdk = in_the_sdk()
    for setting, choices in CHOICES.items():
        assert set(literals(sdk[setting])) == set(choices), setting
    for setting in KINDS:
        assert not literals(sdk[setting]), setting


def test_what_is_said_of_a_setting_is_said_of_one_that_exists() -> None:
    assert {*OWN, *LEAST_PLAN} <= {*CHOICES, *KINDS}
