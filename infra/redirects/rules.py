"""What the file of old paths is held to: its own lines, the names of the zone, and the plan."""

from collections.abc import Iterator, Mapping, Sequence

from infra.documents.declared import documents
from infra.documents.sections import Apps, SecurityTxt
from infra.names.record_sections import ZoneRecord
from infra.names.sections import Host
from infra.names.zone_sections import Retired
from infra.plans import PLANS, Plan, PlanName, larger_plan
from infra.problems import Problem, problem
from infra.redirects import old_paths
from infra.redirects.declared import PHASE, divided, taken
from infra.redirects.names import names
from infra.redirects.old_paths import FileError, OldPaths
from infra.redirects.sections import Redirects

KEY = "redirects.file"
MOST_SHOWN = 50  # faults: whoever has more mends those first


def old_paths_are_right(
    redirects: Redirects,
    domain: str,
    canonical: str,
    hosts: tuple[Host, ...],
    api_host: str,
    zone_plan: PlanName,
    extra_rules: Mapping[str, Sequence[object]],
    records: tuple[ZoneRecord, ...],
    retired: tuple[Retired, ...],
    apps: Apps,
    security_txt: SecurityTxt,
) -> Iterator[Problem]:
    """Every line can become a redirect that acts, and does what it says in one hop."""
    zone = names(
        domain=domain,
        canonical=canonical,
        hosts=hosts,
        api_host=api_host,
        records=records,
        served=documents(domain, hosts, apps, security_txt),
        retired=retired,
    )
    try:
        found = old_paths.load(redirects.file, zone)
    except FileError as error:
        limit = f"the file cannot be read: {error}"
        yield problem(KEY, redirects.file, limit, "Give the path of a CSV file from the project's root.")
        return
    yield from _faults(str(redirects.file), found)
    yield from _beyond_the_plan(found, zone_plan, taken(extra_rules))


def _faults(file: str, found: OldPaths) -> Iterator[Problem]:
    for fault in found.faults[:MOST_SHOWN]:
        yield problem(KEY, f"{file}:{fault.line}: {fault.value}", fault.limit, fault.remedy)
    if len(found.faults) > MOST_SHOWN:
        limit = f"{len(found.faults) - MOST_SHOWN} more things are wrong from this line on"
        yield problem(KEY, f"{file}:{found.faults[MOST_SHOWN].line}", limit, "Mend those above first.")


def _beyond_the_plan(found: OldPaths, zone_plan: PlanName, others: int) -> Iterator[Problem]:
    def fits(plan: Plan) -> bool:
        return len(divided(found.redirects, plan, others).bulk) <= plan.bulk_redirect_urls

    plan = PLANS[zone_plan]
    if not fits(plan):
        room = len(divided(found.redirects, plan, others).single)
        limit = (
            f"plan {zone_plan!r} has room for {room} of them as rules of phase {PHASE} "
            f"and for {plan.bulk_redirect_urls} as entries of bulk lists, all zones of the account together"
        )
        yield problem(KEY, f"{len(found.redirects)} old paths", limit, f"List fewer; {larger_plan(fits)}.")


CHECKS = (old_paths_are_right,)
