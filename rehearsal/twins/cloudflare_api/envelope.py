"""What every answer of Cloudflare's API is wrapped in, and its two ways of paging.

https://developers.cloudflare.com/fundamentals/api/reference/
"""

from collections.abc import Sequence
from typing import Any

from rehearsal.twins.vendor import Call, Reply, json_reply

_PAGE, _LARGEST_PAGE = 100, 5_000_000
_CURSOR_PAGE, _LARGEST_CURSOR_PAGE = 50, 500


class RefusedError(Exception):
    """The call is answered with this refusal."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.reply = refusal(status, code, message)


def result(value: Any, **more: Any) -> Reply:
    """Success."""
    return json_reply(200, {"success": True, "errors": [], "messages": [], "result": value, **more})


def refusal(status: int, code: int, message: str, **more: Any) -> Reply:
    """Failure, with one error."""
    errors = [{"code": code, "message": message, **more}]
    return json_reply(status, {"success": False, "errors": errors, "messages": [], "result": None})


def paged(call: Call, found: Sequence[Any], code: int = 1004) -> Reply:
    """The page that the query's `page` and `per_page` ask for; refused with `code` where there can be none."""
    page, size = _number(call, "page", 1), _number(call, "per_page", _PAGE)
    if page is None or size is None or size > _LARGEST_PAGE:
        return refusal(400, code, "DNS Validation Error" if code == 1004 else "Invalid list options")
    shown = found[(page - 1) * size : page * size]
    pages = -(-len(found) // size)
    info = {"page": page, "per_page": size, "count": len(shown), "total_count": len(found), "total_pages": pages}
    return result(list(shown), result_info=info)


def by_cursor(call: Call, found: Sequence[Any]) -> Reply:
    """The page after the query's `cursor`; the answer carries the next one until there is no more."""
    size, start = _number(call, "per_page", _CURSOR_PAGE), call.query.get("cursor", "after-0").removeprefix("after-")
    if size is None or size > _LARGEST_CURSOR_PAGE or not start.isdecimal():
        return refusal(400, 10004, f"cursor is one of ours, per_page 1 to {_LARGEST_CURSOR_PAGE}")
    end = int(start) + size
    cursors = {"after": f"after-{end}"} if end < len(found) else {}
    return result(list(found[int(start) : end]), result_info={"cursors": cursors})


def _number(call: Call, name: str, default: int) -> int | None:
    """A query parameter from 1 on; None when it is something else."""
    given = call.query.get(name, str(default))
    return int(given) if given.isdecimal() and len(given) < 10 and int(given) > 0 else None
