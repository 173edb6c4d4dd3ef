"""Lists: newest first, in pages. Source: https://docs.stripe.com/api/pagination."""

from typing import Any

from rehearsal.twins.stripe.errors import invalid, no_such
from rehearsal.twins.stripe.objects.catalog import listed
from rehearsal.twins.stripe.params import Field, Spec, integer, text
from rehearsal.twins.stripe.store import Object

DEFAULT_LIMIT, LONGEST_PAGE = 10, 100


def list_spec(**filters: Field) -> Spec:
    """The parameters of a list call: its filters and the paging."""
    paging = {"limit": integer(1, LONGEST_PAGE), "starting_after": text(), "ending_before": text()}
    return Spec({**filters, **paging})


def page(items: list[Object], params: dict[str, Any], url: str) -> Object:
    """One page of `items` (oldest first) as a list object."""
    newest_first = items[::-1]
    limit = params.get("limit", DEFAULT_LIMIT)
    if "starting_after" in params and "ending_before" in params:
        raise invalid("You cannot parameterize both starting_after and ending_before.", param="starting_after")
    if "ending_before" in params:
        before = newest_first[: _position(newest_first, params, "ending_before")]
        return listed(before[-limit:], url, has_more=len(before) > limit)
    first = _position(newest_first, params, "starting_after") + 1 if "starting_after" in params else 0
    return listed(newest_first[first : first + limit], url, has_more=len(newest_first) > first + limit)


def _position(items: list[Object], params: dict[str, Any], param: str) -> int:
    for position, item in enumerate(items):
        if item["id"] == params[param]:
            return position
    raise no_such("object in this list", params[param], param, status=400)


def matching(items: list[Object], params: dict[str, Any], *fields: str) -> list[Object]:
    """The items whose `fields` equal what `params` ask for, and which lie within `created` if that is asked for."""
    asked = {field: params[field] for field in fields if field in params}
    return [
        item
        for item in items
        if all(item.get(field) == value for field, value in asked.items())
        and within(item["created"], params.get("created", {}))
    ]


def within(moment: int, bounds: dict[str, int]) -> bool:
    """Whether a time meets `gt`, `gte`, `lt` and `lte`."""
    return (
        moment > bounds.get("gt", -1)
        and moment >= bounds.get("gte", 0)
        and moment < bounds.get("lt", 2**62)
        and moment <= bounds.get("lte", 2**62)
    )
