"""A rehearsal from beginning to end: plan, twins, deployment, journeys, checks, report."""

import itertools
import json
import os
import tempfile
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import checks
from checks import drift
from rehearsal import assembly, neighbour
from rehearsal.adopted import Adopted, read_adopted
from rehearsal.apply import Deployment, Step, apply
from rehearsal.assembly import Twins
from rehearsal.errors import ReportError, StackError
from rehearsal.journeys import JOURNEYS, running, staging
from rehearsal.journeys.model import Journey, JourneyResult, in_words
from rehearsal.journeys.world import World
from rehearsal.kept import kept_document, vantage
from rehearsal.neighbour import Neighbour
from rehearsal.plan import plan
from rehearsal.progress import Stage, Stages, for_terminal
from rehearsal.result import Result
from rehearsal.site import Site, read_site
from rehearsal.twins.gaps import GAPS

OnKept = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True, kw_only=True)
class Options:
    """What to rehearse, and what to leave behind. No `journeys` means all of them.

    With `adopted` the zone begins as `launch-ready adopt` found it.
    """

    project: Path
    stack: str
    report: Path
    json_file: Path | None = None
    journeys: tuple[str, ...] = ()
    keep: bool = False
    adopted: bool = False


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A rehearsal that was held, and where its report is."""

    result: Result
    report: checks.Report
    report_page: Path
    stages: Sequence[Stage]


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """A stack on its twins, ready for journeys and checks."""

    site: Site
    twins: Twins
    deployment: Deployment
    world: World
    neighbour: Neighbour | None = None

    @property
    def contract(self) -> dict[str, Any]:
        """The stack's contract, as the checks read it."""
        return self.deployment.outputs["contract"]


def rehearse(options: Options, on_kept: OnKept) -> Outcome:
    """Hold the rehearsal that `options` ask for; with `keep`, `on_kept` gets the document to play on with.

    Raises a RehearsalError where there can be no verdict, and KeyboardInterrupt; the twins are gone in every case.
    """
    began = time.monotonic()
    chosen = choose(options.journeys)
    _be_sure_to_report(options)
    stages = Stages(for_terminal())
    adopted = read_adopted(options.project, options.stack) if options.adopted else None
    with deployed(options.project, options.stack, stages, adopted=adopted) as stage:
        told = [*_tell_journeys(chosen, stage.world, stages), *_denials(stage.twins)]
        told += [stage.neighbour.untouched()] if stage.neighbour else []
        report = _verify(stage, stages)
        report = report.rehearsed_with(tuple(_for_report(journey) for journey in told), _gap_lines())
        result = _result(options.stack, stage, told, report, stages, time.monotonic() - began, adopted)
        outcome = _write(options, result, report, stages)
        if options.keep:
            _keep(stage, on_kept, stages)
    return outcome


def choose(names: Sequence[str]) -> tuple[Journey, ...]:
    """The journeys of these names, in the usual order, or all. Raises StackError for an unknown name."""
    known = {journey.name for journey in JOURNEYS}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise StackError(f"no journey {unknown[0]!r}; known: {', '.join(sorted(known))}")
    return tuple(journey for journey in JOURNEYS if not names or journey.name in names)


@contextmanager
def deployed(
    project: Path,
    stack: str,
    stages: Stages,
    overrides: Mapping[str, Any] | None = None,
    adopted: Adopted | None = None,
) -> Generator[Deployed]:
    """The stack of `project`, planned, then deployed to fresh twins that end with the block.

    `overrides` are values of the stack's configuration that win over its file's; the zone begins with what was
    `adopted`.
    """
    own = dict(overrides or {})
    with stages.stage("plan"):
        site = read_site(project, stack, own)
        owner = read_site(project, site.owner) if site.owner else None
        graph = plan(project, stack, own)
    with ExitStack() as ends:
        with stages.stage("twins"):
            twins = assembly.start(site, ends, stages.progress.waiting, owner)
        beside = _deploy_owner(project, site.owner, owner, twins, ends, stages) if owner else None
        own |= {"zoneId": beside.zone_id} if beside else {}
        with stages.stage("deploy"):
            told = _counting(len(graph.resources), stages)
            if adopted:
                twins.zone.load(adopted.snapshot)
            existing = adopted.ids if adopted else None
            settings = {**own, **twins.overrides()}
            deployment = apply(project, stack, twins.target, settings, progress=told, existing=existing)
        with stages.stage("prices at Stripe"):
            world = staging.world(site, twins, deployment.outputs["contract"], ends)
        yield Deployed(site=site, twins=twins, deployment=deployment, world=world, neighbour=beside)


def _deploy_owner(project: Path, name: str, owner: Site, twins: Twins, ends: ExitStack, stages: Stages) -> Neighbour:
    with stages.stage(f"deploy {name}, which owns the zone"):
        return neighbour.deploy(project, name, owner, twins, ends, lambda step: stages.progress.waiting(str(step.id)))


def _counting(total: int, stages: Stages) -> Callable[[Step], None]:
    done = itertools.count(1)
    return lambda step: stages.progress.waiting(f"{next(done)} of {total}: {step.resource.name}")


def _tell_journeys(chosen: Sequence[Journey], world: World, stages: Stages) -> list[JourneyResult]:
    with stages.stage("journeys"):
        return running.run(
            chosen, world, lambda ended: stages.progress.waiting(f"{ended.name} {'ok' if ended.passed else 'FAILED'}")
        )


def _denials(twins: Twins) -> list[JourneyResult]:
    """A failed result when a role was denied what its function asked for, though every story may have ended well."""
    denied = twins.aws.denials()
    if not denied:
        return []
    calls = [f"{denial['principal']}: {denial['action']} on {denial['resource']}" for denial in denied]
    return [
        JourneyResult(
            name="roles",
            title="every role allows what its function does",
            passed=False,
            step="over all journeys",
            expected={"denied": []},
            actual={"denied": calls},
            seconds=0.0,
        )
    ]


def _verify(stage: Deployed, stages: Stages) -> checks.Report:
    with stages.stage("checks"):
        return checks.run(
            stage.contract,
            checks.Vantage.from_document(vantage(stage.twins, stage.contract)),
            on_result=lambda finding: stages.progress.waiting(f"{finding.id} {finding.status}"),
        )


def _for_report(journey: JourneyResult) -> checks.Journey:
    return checks.Journey(
        name=f"{journey.name}: {journey.title}",
        passed=journey.passed,
        expected=f"{journey.step}: {in_words(journey.expected)}",
        actual=in_words(journey.actual),
        seconds=round(journey.seconds, 3),
    )


def _gap_lines() -> tuple[str, ...]:
    return tuple(f"{gap.twin}: {gap.text}" for gap in GAPS)


def _result(
    stack: str,
    stage: Deployed,
    told: Sequence[JourneyResult],
    report: checks.Report,
    stages: Stages,
    seconds: float,
    adopted: Adopted | None,
) -> Result:
    return Result(
        stack=stack,
        verdict=report.verdict,
        sentence=report.sentence(),
        seconds=seconds,
        stages=tuple(stages.finished),
        resources=len(stage.deployment.created),
        adopted=stage.deployment.adopted,
        changes=_changes(stage, adopted),
        checks=checks.document(report)["findings"],
        journeys=told,
        journeys_known=len(JOURNEYS),
        lag_ms=stage.world.lags.summary(),
        gaps=GAPS,
    )


def _changes(stage: Deployed, adopted: Adopted | None) -> tuple[str, ...]:
    """What the deployment did to the zone that was there, record by record."""
    if adopted is None:
        return ()
    return tuple(drift.lines(drift.compare([stage.deployment.graph.to_document()], adopted.snapshot)))


def _be_sure_to_report(options: Options) -> None:
    """A minute of work must not end in a report that cannot be written."""
    directories = {options.report, *([options.json_file.parent] if options.json_file else [])}
    for directory in directories:
        try:
            directory.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=directory):
                pass
        except OSError as error:
            raise ReportError(
                f"{directory}: {error.strerror}; give a directory that you may write to with --report or --json"
            ) from error
    if options.json_file and options.json_file.exists() and not os.access(options.json_file, os.W_OK):
        raise ReportError(f"{options.json_file} may not be written; name another file with --json")


def _write(options: Options, result: Result, report: checks.Report, stages: Stages) -> Outcome:
    try:
        written = checks.write(report, options.report)
        if options.json_file:
            options.json_file.write_text(json.dumps(result.document(), indent=2, default=str) + "\n", encoding="utf-8")
    except (OSError, checks.UsageError) as error:
        raise ReportError(f"the report was not written: {error}") from error
    return Outcome(result=result, report=report, report_page=written.html, stages=tuple(stages.finished))


def _keep(stage: Deployed, on_kept: OnKept, stages: Stages) -> None:
    """Leave the twins running until Ctrl-C; that is how it is meant to end, and the verdict stays."""
    on_kept(kept_document(stage.site, stage.twins, stage.contract))
    stages.progress.begin("the twins are running; Ctrl-C ends them")
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        stages.progress.end(Stage("kept", 0.0), ok=True)
