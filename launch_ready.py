"""The command line: `launch-ready rehearse | replay | plan | policy | check`.

Each command imports what it needs when it runs, so that `--help` is instant. Exit codes: 0 as hoped, 1 not
(NOT REHEARSED, NOT READY, NOT REPLAYED), 2 usage, 3 could not verify, 4 to 8 no verdict (see rehearsal/errors.py),
130 interrupted.
"""

import atexit
import gc
import json
import os
import sys
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

PROJECT = Path(__file__).resolve().parent
EXIT_USAGE = 2
EXIT_NOT_VERIFIED = 3
EXIT_INTERRUPTED = 130
CLOUDFLARE_API = "https://api.cloudflare.com/client/v4"

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

Stack = Annotated[str, typer.Option("--stack", help="The stack: Pulumi.<NAME>.yaml is read.", metavar="NAME")]

Contract = Annotated[
    Path,
    typer.Option("--contract", help="The stack's contract: `pulumi stack output contract --json`.", metavar="FILE"),
]
Apply = Annotated[bool, typer.Option("--apply", help="Do it. Without, nothing is changed.")]


Vantage = Annotated[
    Path | None,
    typer.Option("--vantage", help="From where to look: the file that `rehearse --keep` names.", metavar="FILE"),
]


FromPreview = Annotated[
    Path | None,
    typer.Option("--from-preview", help="Read `pulumi preview --json` instead of running the program.", metavar="FILE"),
]


class PlanFormat(StrEnum):
    """What `plan` can print."""

    GRAPH = "graph"
    TERRAFORM_PLAN = "terraform-plan"
    MARKDOWN = "markdown"


class FailOn(StrEnum):
    """The severities of `checks.Severity`, here so that `--help` need not import the checks."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@app.callback()
def _about() -> None:
    """Declare, rehearse and verify the launch of a founder's app."""


@app.command()
def rehearse(
    stack: Stack = "prod",
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Also write the result as JSON.", metavar="FILE")
    ] = None,
    report: Annotated[
        Path, typer.Option("--report", help="Where the handover report is written.", metavar="DIR")
    ] = Path("report"),
    keep: Annotated[bool, typer.Option("--keep", help="Leave the twins running until Ctrl-C.")] = False,
    journey: Annotated[
        list[str] | None, typer.Option("--journey", help="Only this journey; may be repeated.", metavar="NAME")
    ] = None,
    adopted: Annotated[bool, typer.Option("--adopted", help="Begin with the zone as `adopt` found it.")] = False,
) -> None:
    """Deploy the program to local twins, drive the journeys through it, verify it, write the report."""
    from rehearsal.errors import RehearsalError
    from rehearsal.interrupts import end_on_signals
    from rehearsal.rehearse import Options, rehearse
    from rehearsal.summary import print_kept, print_result

    options = Options(
        project=PROJECT,
        stack=stack,
        report=report,
        json_file=json_file,
        journeys=tuple(journey or ()),
        keep=keep,
        adopted=adopted,
    )
    end_on_signals()
    try:
        outcome = rehearse(options, on_kept=print_kept)
    except RehearsalError as error:
        _stop(str(error), error.exit_code)
    except KeyboardInterrupt:
        _stop("interrupted; the twins are stopped", EXIT_INTERRUPTED)
    print_result(outcome)
    raise typer.Exit(0 if outcome.result.verdict == "REHEARSED" else 1)


@app.command()
def replay(
    events: Annotated[
        str,
        typer.Option("--events", help='Stripe\'s events: JSON lines, a list, pages; "-" is stdin.', metavar="FILE"),
    ],
    shuffle: Annotated[
        int | None, typer.Option("--shuffle", help="Send them shuffled, the same for a seed.", metavar="SEED")
    ] = None,
    repeat: Annotated[int, typer.Option("--repeat", help="Send each so often.", min=1, metavar="N")] = 1,
    now: Annotated[
        str | None,
        typer.Option("--now", help="As of when: Unix seconds or ISO 8601; the present by default.", metavar="TIME"),
    ] = None,
    any_price: Annotated[
        str | None,
        typer.Option("--any-price", help="The level of prices that the stack does not name.", metavar="LEVEL"),
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Also write the members as JSON.", metavar="FILE")
    ] = None,
    stack: Stack = "prod",
) -> None:
    """Send your own Stripe events through the rehearsed pipeline and tell what each member would be, and why."""
    from handlers.entrypoints import history
    from rehearsal.errors import RehearsalError
    from rehearsal.interrupts import end_on_signals
    from rehearsal.replay import text
    from rehearsal.replay.replay import Options, replay

    options = Options(
        project=PROJECT,
        stack=stack,
        events=events,
        seed=shuffle,
        repeat=repeat,
        now=now,
        any_price=any_price,
        json_file=json_file,
    )
    end_on_signals()
    try:
        outcome = replay(options, history.report)
    except RehearsalError as error:
        _stop(str(error), error.exit_code)
    except KeyboardInterrupt:
        _stop("interrupted; the twins are stopped", EXIT_INTERRUPTED)
    for line in text.lines(outcome):
        sys.stdout.write(line + "\n")
    raise typer.Exit(0 if outcome.as_hoped else 1)


@app.command()
def resend(
    contract: Contract,
    event: Annotated[
        list[str] | None, typer.Option("--event", help="This event; may be repeated.", metavar="ID")
    ] = None,
    parked: Annotated[
        bool, typer.Option("--parked", help="Those that could not be handled, and deliveries that were given up.")
    ] = False,
    dlq: Annotated[bool, typer.Option("--dlq", help="Those that the dead-letter queue holds.")] = False,
    since: Annotated[str | None, typer.Option("--from", help="Made by Stripe then or later.", metavar="TIME")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Made by Stripe then or earlier.", metavar="TIME")] = None,
    run: Annotated[str | None, typer.Option("--run", help="Go on with a run that broke off.", metavar="NAME")] = None,
    apply: Apply = False,
) -> None:
    """Handle events of the ledger or a dead-letter queue once more; without --apply, say which."""
    from handlers.operations import redeliver
    from handlers.operations import resend as operation
    from handlers.operations.moments import moment
    from handlers.operations.stack import LiveStack

    with _operating():
        wanted = operation.Wanted(
            ids=tuple(event or ()), parked=parked, dlq=dlq, since=moment(since), until=moment(until)
        )
        stack = LiveStack.of(contract)
        found = operation.find(stack, wanted, _progress)
        deliveries = redeliver.find(stack, _progress) if parked else []
        lines, failed = operation.told(wanted, found), bool(operation.missing(wanted, found))
        more = redeliver.told(deliveries)
        if apply:
            done = operation.resend(stack, found, run, _progress)
            lines, failed = operation.told_of(done), failed or not done.as_hoped
            more = redeliver.told_of(redeliver.redeliver(stack, deliveries))
    _print([*lines, *(more if parked else ())])
    raise typer.Exit(1 if failed else 0)


@app.command()
def reconcile(
    contract: Contract,
    since: Annotated[
        str | None, typer.Option("--since", help="Only what happened then or later.", metavar="DATE")
    ] = None,
    apply: Apply = False,
) -> None:
    """Find what Stripe knows and the table does not, and what destinations lack; without --apply, only say it."""
    from contextlib import redirect_stdout

    from handlers.operations import reconcile as operation
    from handlers.operations.moments import moment
    from handlers.operations.stack import LiveStack

    with _operating(), redirect_stdout(sys.stderr):  # where the functions' code logs to
        done = operation.run(LiveStack.of(contract), moment(since), _progress, apply=apply)
    _print(operation.told(done))
    with _operating():
        done.outcome.raise_unread()
    raise typer.Exit(1 if done.found else 0)


@app.command()
def forget(
    member: Annotated[str, typer.Argument(help="The app's id of the user.", metavar="MEMBER")],
    contract: Contract,
    apply: Apply = False,
) -> None:
    """Erase a person from the table and list whom to ask outside; without --apply, say what would go."""
    from handlers.operations import forget as operation
    from handlers.operations.stack import LiveStack

    with _operating():
        stack = LiveStack.of(contract)
        traces = operation.find(stack, member, _progress)
        if apply:
            operation.erase(stack, traces, _progress)
    _print(operation.told(traces, applied=apply))


@app.command()
def backfill(
    contract: Contract,
    identities: Annotated[
        Path | None,
        typer.Option("--identities", help="Who is who: CSV with the columns customer and user_id.", metavar="FILE"),
    ] = None,
    match_email: Annotated[
        bool, typer.Option("--match-email", help="Match rows without a customer by an address that only they have.")
    ] = False,
    pace: Annotated[
        float, typer.Option("--pace", help="Requests to Stripe a second.", min=0.1, max=50, metavar="N")
    ] = 10,
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write it as JSON.", metavar="FILE")] = None,
    apply: Apply = False,
) -> None:
    """Bring the customers that Stripe has already into the table; without --apply, say what each would become."""
    from contextlib import redirect_stdout

    from handlers.operations import backfill as operation
    from handlers.operations import backfill_text
    from handlers.operations.identities import Identities, read
    from handlers.operations.stack import LiveStack

    with _operating(), redirect_stdout(sys.stderr):  # where the functions' code logs to
        known = read(identities) if identities else Identities()
        stack = LiveStack.of(contract)
        account = operation.look(stack, per_second=pace, progress=_progress)
        outcome = operation.backfill(stack, account, known, apply=apply, match_email=match_email, progress=_progress)
        if json_file:
            backfill_text.write(outcome, json_file)
    _print(backfill_text.lines(outcome, known))
    raise typer.Exit(0 if outcome.complete else 1)


@app.command()
def roll(
    secret: Annotated[str, typer.Argument(help="stripe-signing, identity, stripe-read, kit or slack.")],
    contract: Contract,
    prove: Annotated[bool, typer.Option("--prove", help="See the webhook take both of its secrets.")] = False,
    finish: Annotated[bool, typer.Option("--finish", help="Let go of the previous value.")] = False,
    apply: Apply = False,
) -> None:
    """Roll a secret without losing an event: the new value is read from standard input and tried first."""
    from handlers.operations import probing
    from handlers.operations import roll as operation
    from handlers.operations.stack import LiveStack

    with _operating():
        stack = LiveStack.of(contract)
        if prove:
            operation.prove(stack, probing.webhook(stack))
            lines: Iterable[str] = ["the webhook takes what is signed with each of its secrets"]
        elif finish:
            lines = operation.told(operation.finish(stack, secret, apply=apply))
        else:
            lines = operation.told(operation.start(stack, secret, _value(secret), apply=apply))
    _print(lines)


@app.command()
def plan(
    stack: Stack = "prod",
    output: Annotated[PlanFormat, typer.Option("--format", help="The document to print.")] = PlanFormat.GRAPH,
    from_preview: FromPreview = None,
) -> None:
    """Print what the program declares, without deploying anything."""
    from checks import policy as policies
    from rehearsal.errors import RehearsalError
    from rehearsal.plan import plan as plan_pass

    try:
        if from_preview:
            preview = policies.read_preview(from_preview)
            graph = preview.graph
            if preview.left_out:
                _progress(f"launch-ready: {preview.left_out} resources that stay as they are are not in this preview")
        else:
            graph = plan_pass(PROJECT, stack).to_document()
        _print([_planned_as(output, graph)])
    except RehearsalError as error:
        _stop(str(error), error.exit_code)
    except policies.PolicyError as error:
        _stop(str(error), EXIT_USAGE)


def _planned_as(output: PlanFormat, graph: Mapping[str, Any]) -> str:
    from checks import policy as policies

    if output is PlanFormat.MARKDOWN:
        return policies.plan_as_markdown(graph)
    document = graph if output is PlanFormat.GRAPH else policies.terraform_plan(graph).document
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False)


@app.command()
def policy(
    stack: Stack = "prod",
    from_preview: FromPreview = None,
    policies: Annotated[
        list[Path] | None,
        typer.Option("--policies", help="A folder with more policies; may be repeated.", metavar="DIR"),
    ] = None,
    sarif: Annotated[Path | None, typer.Option("--sarif", help="Also write SARIF.", metavar="FILE")] = None,
    junit: Annotated[Path | None, typer.Option("--junit", help="Also write JUnit.", metavar="FILE")] = None,
    markdown: Annotated[Path | None, typer.Option("--markdown", help="Also write Markdown.", metavar="FILE")] = None,
    annotate: Annotated[
        bool, typer.Option("--annotate", help="Also print annotations of GitHub.", envvar="GITHUB_ACTIONS")
    ] = False,
) -> None:
    """Scan the declaration with checkov and our own policies: findings on Python lines, exit code 2 for no scan."""
    from checks import policy as scanning
    from rehearsal.errors import RehearsalError
    from rehearsal.plan import plan as plan_pass

    try:
        with scanning.Scanner(scanning.environment(PROJECT, _progress)) as scanner:
            if from_preview:
                graph = scanning.read_preview(from_preview).whole()
            else:
                graph = plan_pass(PROJECT, stack, assume_arns=True).to_document()
            found = scanner.scan(scanning.terraform_plan(graph), PROJECT, policies or ())
    except (RehearsalError, scanning.PolicyError) as error:
        _stop(f"{error}\nNothing was scanned.", EXIT_USAGE)
    except KeyboardInterrupt:
        _stop("interrupted", EXIT_INTERRUPTED)
    try:
        scanning.write(found, scanning.Files(sarif=sarif, junit=junit, markdown=markdown))
    except scanning.PolicyError as error:
        _stop(str(error), EXIT_USAGE)
    _print(scanning.console(found, annotate=annotate))
    raise typer.Exit(found.exit_code)


@app.command()
def check(
    contract: Annotated[
        Path, typer.Option("--contract", help="The stack's contract: `pulumi stack output contract --json`.")
    ],
    vantage: Vantage = None,
    directory: Annotated[Path, typer.Option("--report", help="Where the report is written.", metavar="DIR")] = Path(
        "report"
    ),
    waivers: Annotated[Path | None, typer.Option("--waivers", help="Accepted findings, with owner and expiry.")] = None,
    fail_on: Annotated[FailOn, typer.Option("--fail-on", help="The least severity that counts.")] = FailOn.HIGH,
) -> None:
    """Verify a launch against the handover checklist and write the report."""
    import checks

    console = Console(highlight=False)
    try:
        report = checks.run(
            checks.load_contract(contract),
            checks.Vantage.load(vantage.read_text(encoding="utf-8")) if vantage else checks.Vantage(),
            on_result=lambda finding: _progress(f"{finding.status.value:>9}  {finding.id}"),
            accepted=checks.load_waivers(waivers) if waivers else (),
            fail_on=checks.Severity(fail_on),
        )
        written = checks.write(report, directory)
    except (checks.UsageError, OSError) as error:
        _stop(str(error), EXIT_USAGE)
    except KeyboardInterrupt:
        _stop("interrupted", EXIT_INTERRUPTED)
    checks.show(report, console)
    console.print(f"report: {written.html}", markup=False)
    raise typer.Exit(report.exit_code())


@app.command()
def drift(
    stack: Stack = "prod",
    vantage: Vantage = None,
    zone: Annotated[
        Path | None, typer.Option("--zone", help="Compare with this snapshot instead of the live zone.", metavar="FILE")
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write it as JSON.", metavar="FILE")] = None,
    imports: Annotated[
        Path | None,
        typer.Option("--imports", help="Also write the file for `pulumi import --file`.", metavar="FILE"),
    ] = None,
) -> None:
    """Compare the live zone with what the stack and its tenants declare, record by record, rule by rule."""
    import checks
    from checks import drift as comparison
    from rehearsal.errors import RehearsalError
    from rehearsal.site import read_site

    try:
        site = read_site(PROJECT, stack)
        snapshot = comparison.load(zone) if zone else comparison.read(_cloudflare(vantage), site.domain, _progress)
        graphs = _zone_graphs(stack, site.owner)
        found = comparison.compare(graphs, snapshot)
        if json_file:
            _write_json(json_file, found.document(), indent=2)
        if imports:
            own = graphs[0] if not site.owner else next(graph for graph in graphs if graph["stack"] == stack)
            _write_json(imports, _imports(own, found))
    except RehearsalError as error:
        _stop(str(error), error.exit_code)
    except (checks.UsageError, OSError) as error:
        _stop(str(error), EXIT_USAGE)
    except checks.ProbeError as error:
        _stop(str(error), EXIT_NOT_VERIFIED)
    except KeyboardInterrupt:
        _stop("interrupted", EXIT_INTERRUPTED)
    _print(comparison.lines(found))
    raise typer.Exit(1 if found.drifted else 0)


@app.command()
def adopt(
    domain: Annotated[str, typer.Option("--domain", help="The zone that exists.", metavar="NAME")],
    stack: Annotated[str, typer.Option("--stack", help="Pulumi.<NAME>.yaml is written.", metavar="NAME")],
    like: Annotated[
        str, typer.Option("--like", help="The stack that gives every key which no zone tells.", metavar="NAME")
    ] = "prod",
    vantage: Vantage = None,
    force: Annotated[bool, typer.Option("--force", help="Write over files that exist.")] = False,
) -> None:
    """Read a zone that exists; write the stack that declares it, and the file that imports it."""
    import checks
    from rehearsal.errors import RehearsalError

    try:
        if not force and (there := [path.name for path in _adopted(stack).values() if path.exists()]):
            raise checks.UsageError(f"{', '.join(there)} exists already; name another stack, or give --force")
        _print(_adopt(domain, stack, like, _cloudflare(vantage)))
    except RehearsalError as error:
        _stop(str(error), error.exit_code)
    except (checks.UsageError, OSError) as error:
        _stop(str(error), EXIT_USAGE)
    except checks.ProbeError as error:
        _stop(str(error), EXIT_NOT_VERIFIED)
    except KeyboardInterrupt:
        _stop("interrupted; what was written is not finished", EXIT_INTERRUPTED)


def _adopt(domain: str, stack: str, like: str, access: Any) -> list[str]:
    """Read, guess, plan, keep what was left over, plan again, write; returns what to say about it.

    Where a plan refuses what was guessed, that stays written, to be mended by hand.
    """
    from datetime import UTC, datetime

    from checks import drift as comparison
    from infra import adoption
    from rehearsal import stackfile
    from rehearsal.errors import ProgramError
    from rehearsal.plan import plan as plan_pass

    snapshot = comparison.read(access, domain, _progress)
    files, project = _adopted(stack), stackfile.load(PROJECT, like).project
    template = (PROJECT / f"Pulumi.{like}.yaml").read_text(encoding="utf-8")
    headline = f"{domain} as it was found. What no zone tells comes from Pulumi.{like}.yaml: make that yours."

    def planned(config: dict[str, Any], what: str) -> tuple[dict[str, Any], comparison.Drift]:
        files["config"].write_text(adoption.stack_file(template, config, project, headline), encoding="utf-8")
        _progress(what)
        graph = plan_pass(PROJECT, stack).to_document()
        return graph, comparison.compare([graph], snapshot)

    _write_json(files["zone"], snapshot)
    guess = adoption.first_guess(snapshot, datetime.now(UTC).date())
    try:
        _, first = planned(guess.config, "plan what was guessed")
        beyond = (comparison.Change.UNMANAGED, comparison.Change.REMOVED)
        guess = adoption.with_leftovers(guess, snapshot, [one.id for one in first.differences if one.change in beyond])
        graph, found = planned(guess.config, "plan what is written")
    except ProgramError as error:
        mend = f"mend {files['config'].name}, then: launch-ready drift --stack {stack} --zone {files['zone'].name}"
        raise ProgramError(f"{error}\n{mend} --imports {files['imports'].name}") from None
    _write_json(files["imports"], _imports(graph, found))
    written = f"written: {', '.join(path.name for path in files.values())}"
    return [*comparison.lines(found), *(f"! {note}" for note in guess.notes), written]


def _imports(graph: dict[str, Any], found: Any) -> dict[str, Any]:
    from infra import adoption

    return adoption.import_document(graph, {pair.urn: pair.id for pair in found.pairs})


def _write_json(path: Path, document: Any, indent: int = 1) -> None:
    path.write_text(json.dumps(document, indent=indent) + "\n", encoding="utf-8")


def _adopted(stack: str) -> dict[str, Path]:
    """What `adopt` writes: the stack's file, the one for `pulumi import --file`, and the zone as it was read."""
    return {
        "config": PROJECT / f"Pulumi.{stack}.yaml",
        "imports": PROJECT / f"Pulumi.{stack}.import.json",
        "zone": PROJECT / f"Pulumi.{stack}.zone.json",
    }


def _zone_graphs(stack: str, owner: str) -> list[dict[str, Any]]:
    """The graphs of every stack in the zone, its owner's first: what a tenant declares is no stranger's."""
    import checks
    from infra import stackfiles, tenancy
    from rehearsal import stackfile
    from rehearsal.plan import plan as plan_pass

    first = owner or stack
    others = stackfiles.OfProject(stackfile.load(PROJECT, first).project, stackfiles.StackFiles(PROJECT))
    try:
        tenants = [name for name, _ in tenancy.tenants_of(first, others)]
    except stackfiles.StackFileError as error:
        raise checks.UsageError(str(error)) from error
    return [plan_pass(PROJECT, name).to_document() for name in (first, *tenants)]


def _cloudflare(vantage: Path | None) -> Any:
    """How to reach Cloudflare's API: as the vantage says, else with the token that the provider takes too."""
    import checks

    access = checks.Vantage.load(vantage.read_text(encoding="utf-8")).cloudflare if vantage else None
    token = os.environ.get("CLOUDFLARE_API_TOKEN")
    if access is None and token is None:
        raise checks.UsageError("set CLOUDFLARE_API_TOKEN to a token that may read the zone, or give --vantage")
    base = os.environ.get("CLOUDFLARE_BASE_URL", CLOUDFLARE_API)  # where the provider looks, too
    return access or checks.CloudflareAccess(api_base=base, api_token=token or "")


@contextmanager
def _operating() -> Generator[None]:
    """Turn what can go wrong with a deployed stack into a line and an exit code."""
    from handlers.core.errors import LaunchError
    from handlers.operations.errors import exit_code

    try:
        yield
    except LaunchError as error:
        _stop(str(error), exit_code(error))
    except KeyboardInterrupt:
        _stop("interrupted; the same command goes on where it stopped", EXIT_INTERRUPTED)


def _value(secret: str) -> str | None:
    """One line of standard input, hidden where somebody types it; None for a key that is made here."""
    import getpass

    if sys.stdin.isatty():
        return getpass.getpass(f"the new {secret} (empty to have one made): ") or None
    return sys.stdin.readline().strip() or None


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stdout.write(line + "\n")


def _progress(line: str) -> None:
    sys.stderr.write(line + "\n")


def _stop(message: str, exit_code: int) -> NoReturn:
    sys.stderr.write(f"launch-ready: {message}\n")
    raise typer.Exit(exit_code)


def main() -> None:
    """Entry point of the `launch-ready` script."""
    # The SDKs' classes, half a million objects, stay to the end: to look for garbage among them again and again takes
    # a third of a rehearsal's processor time, and to take them apart when it ends, another second.
    gc.set_threshold(100_000, 20, 20)
    atexit.register(gc.freeze)
    app()


if __name__ == "__main__":
    main()
