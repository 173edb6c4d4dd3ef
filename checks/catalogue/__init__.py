"""Every check there is, and every checklist entry without one."""

import functools

from checks.catalogue import caching, cloud, edge, mail, names, origin, pages, payments, redirects, tls
from checks.catalogue.checklist import entries
from checks.errors import UsageError
from checks.model import Check, Entry


@functools.cache
def all_checks() -> tuple[Check, ...]:
    """The checks in the order of the checklist."""
    order = list(entries())
    areas = (names, mail, redirects, tls, pages, caching, edge, origin, cloud, payments)
    found = (check for area in areas for check in area.checks())
    return tuple(sorted(found, key=lambda check: order.index(check.id)))


def not_covered() -> tuple[Entry, ...]:
    """The checklist entries that no check verifies; each says why."""
    covered = {check.id for check in all_checks()}
    return tuple(entry for check_id, entry in entries().items() if check_id not in covered)


def chosen(only: tuple[str, ...] | None) -> tuple[Check, ...]:
    """The checks with these ids, or of these areas ("mail"); all when None. Raises UsageError for an unknown one."""
    if only is None:
        return all_checks()
    known = {check.id for check in all_checks()} | {check.entry.area for check in all_checks()}
    unknown = [name for name in only if name not in known]
    if unknown:
        raise UsageError(f"there is no check {unknown[0]!r}; known: {', '.join(sorted(known))}")
    return tuple(check for check in all_checks() if check.id in only or check.entry.area in only)
