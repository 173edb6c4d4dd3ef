"""A backfill of many subscriptions: its pace at Stripe, a kill -9 half-way, and a run that has nothing to do.

`python -m bench.backfill`: the command as a person runs it, three times: it is killed when half of the payers are
written, goes on to the end, and then finds nothing to do. Stripe is lists on loopback, AWS the local one.
"""

import argparse
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.processes import ROOT
from bench.stripe_account import Account, account, answering, states
from bench.worlds import local_aws
from handlers.adapters.items import node_key
from handlers.core.nodes import Kind, Ref
from handlers.settings import Env
from tests.handlers.pipeline_world import World
from tests.handlers.story import POLICY

ENDPOINT = "we_ours"
POLL_SECONDS = 0.02
STRIPE_READS = 100  # a second in live mode, https://docs.stripe.com/rate-limits


@dataclass(frozen=True)
class Run:
    """One run of the command: how it ended, what it asked and what it wrote."""

    name: str
    exit_code: int
    seconds: float
    requests: int
    busiest: int
    transactions: int | None  # None where it was killed before it could say
    lines: int  # of progress
    members: int  # that the table holds afterwards


def report(subscriptions: int, pace: float) -> Iterator[str]:
    """The lines to print."""
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory()))
        world = ends.enter_context(local_aws(POLICY))
        shop = ends.enter_context(answering(account(subscriptions, ENDPOINT, "pro_yearly")))
        contract = _deployed(world, shop, folder)
        objects = sum(map(len, shop.lists.values()))
        yield f"{subscriptions} subscriptions, {objects} objects; {pace:g} requests a second asked for"
        yield _columns("run", "exit", "s", "requests", "busiest s", "transactions", "members", "progress")
        half = node_key(Ref(Kind.MEMBER, f"user_{subscriptions // 2:06d}"))
        yield _line(_run("killed half-way", world, shop, contract, pace, kill_at=half))
        yield _line(_run("again, to the end", world, shop, contract, pace))
        before = _digest(world)
        last = _run("again, nothing to do", world, shop, contract, pace)
        yield _line(last)
        found = _states(world)
        share = last.busiest / STRIPE_READS
        yield f"busiest second: {last.busiest} requests, {share:.0%} of Stripe's limit of {STRIPE_READS} reads"
        yield f"members: {dict(sorted(found.items()))}, {'as' if found == states(subscriptions) else 'NOT as'} expected"
        yield f"the table after the last run: {'unchanged' if _digest(world) == before else 'CHANGED'}"


def _deployed(world: World, shop: Account, folder: Path) -> Path:
    """The contract of a stack whose apply function has its settings, and nothing else."""
    stripe = world.connect("secretsmanager").create_secret(Name="stripe", SecretString="rk_live_bench")
    environ = {
        Env.STACK: "bench",
        Env.LIVEMODE: "true",
        Env.TABLE_NAME: world.name,
        Env.POLICY: json.dumps(world.policy_document),
        Env.SYNC_QUEUE_URLS: json.dumps(world.queue_urls),
        Env.STRIPE_SECRET_ID: stripe["ARN"],
        Env.STRIPE_API_BASE: shop.url,
    }
    assert world.dynamodb is not None  # makes the table
    trust = {"Version": "2012-10-17", "Statement": []}
    role = world.connect("iam").create_role(RoleName="apply", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    world.connect("lambda").create_function(
        FunctionName="apply",
        Runtime="python3.12",
        Role=role["Arn"],
        Handler="apply.handler",
        Code={"ZipFile": _empty_archive()},
        Environment={"Variables": {str(name): value for name, value in environ.items()}},
    )
    path = folder / "contract.json"
    apply = {"purpose": "apply", "destination": None, "name": "apply"}
    document = {"region": world.environ["AWS_REGION"], "functions": [apply], "stripe": {"endpoint_id": ENDPOINT}}
    path.write_text(json.dumps(document))
    return path


def _run(
    name: str, world: World, shop: Account, contract: Path, pace: float, *, kill_at: Mapping[str, Any] | None = None
) -> Run:
    """Run the command; with `kill_at`, kill it as soon as the table has that item."""
    shop.asked.clear()
    begun = time.monotonic()
    command = [sys.executable, str(ROOT / "launch_ready.py"), "backfill", "--contract", str(contract), "--apply"]
    with tempfile.TemporaryFile("w+") as told, tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(  # noqa: S603 (our own interpreter and program)
            [*command, "--pace", f"{pace:g}"],
            env={"PATH": os.environ["PATH"], **world.environ},
            stdout=told,
            stderr=said,
        )
        while process.poll() is None:
            if kill_at is not None and _has(world, kill_at):
                process.kill()
            time.sleep(POLL_SECONDS)
        told.seek(0)
        said.seek(0)
        written = re.search(r"BACKFILLED: (\d+) transactions", told.read())
        progress = said.read()
    if process.returncode not in {0, -9}:
        raise SystemExit(f"bench: the command ended with {process.returncode}:\n{progress}")
    return Run(
        name=name,
        exit_code=process.returncode,
        seconds=time.monotonic() - begun,
        requests=len(shop.asked),
        busiest=shop.busiest_second(),
        transactions=int(written.group(1)) if written else None,
        lines=progress.count("\n"),
        members=_states(world).total(),
    )


def _line(run: Run) -> str:
    transactions = "?" if run.transactions is None else run.transactions
    return _columns(
        run.name, run.exit_code, f"{run.seconds:.1f}", run.requests, run.busiest, transactions, run.members, run.lines
    )


def _columns(name: str, *values: object) -> str:
    return f"{name:<24}" + "".join(f"{value!s:>13}" for value in values)


def _has(world: World, key: Mapping[str, Any]) -> bool:
    return "Item" in world.connect("dynamodb").get_item(TableName=world.name, Key=dict(key))


def _items(world: World) -> Iterator[dict[str, Any]]:
    for page in world.connect("dynamodb").get_paginator("scan").paginate(TableName=world.name):
        yield from page["Items"]


def _states(world: World) -> Counter[str]:
    """The members by the state that the table holds."""
    members = (item for item in _items(world) if item["kind"]["S"] == Kind.MEMBER)
    return Counter(item["data"]["M"].get("state", {}).get("S", "lead") for item in members)


def _digest(world: World) -> str:
    """Of everything that the table holds."""
    told = sorted(json.dumps(item, sort_keys=True, default=str) for item in _items(world))
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


def _empty_archive() -> bytes:
    told = io.BytesIO()
    with zipfile.ZipFile(told, "w") as archive:
        archive.writestr("apply.py", "handler = None")
    return told.getvalue()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subscriptions", type=int, default=10_000)
    parser.add_argument("--pace", type=float, default=10, help="requests a second, the command's own option")
    options = parser.parse_args()
    for line in report(options.subscriptions, options.pace):
        print(line, flush=True)


if __name__ == "__main__":
    main()
