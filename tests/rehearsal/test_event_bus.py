"""The project's own stack with events through EventBridge too, deployed to the twins."""

import json
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import checks
from rehearsal import assembly
from rehearsal.apply import apply
from rehearsal.assembly import Twins
from rehearsal.kept import vantage
from rehearsal.site import read_site

with warnings.catch_warnings():
    # The SDKs announce, while they are imported, which resources were renamed; the program uses none of them.
    warnings.simplefilter("ignore", DeprecationWarning)
    import infra.program  # noqa: F401

PROJECT = Path(__file__).resolve().parents[2]
EVENT = PROJECT / "tests" / "events" / "customer.subscription.created.json"
SOURCE = "aws.partner/stripe.com/ed_61TEN0dErlaWJQzTZ16Qafnx2x"


@dataclass(frozen=True)
class Bridged:
    """The running twins of a stack that takes events from EventBridge, and its contract."""

    twins: Twins
    contract: dict[str, Any]

    def put(self, event: dict[str, Any]) -> None:
        """Send what Stripe would."""
        entry = {"Source": SOURCE, "DetailType": event["type"], "Detail": json.dumps(event), "Time": int(time.time())}
        answer = self.twins.aws.client("events").put_partner_events(Entries=[entry])
        assert answer["FailedEntryCount"] == 0

    def said(self, purpose: str) -> list[dict[str, Any]]:
        """The log of a function."""
        [name] = [one["name"] for one in self.contract["functions"] if one["purpose"] == purpose]
        lines = self.twins.aws.logs(name)
        return [json.loads(line) for line in lines if line.lstrip().startswith("{")]


@pytest.fixture(scope="module")
def bridged() -> Iterator[Bridged]:
    with ExitStack() as ends:
        twins = assembly.start(read_site(PROJECT, "prod"), ends, lambda _: None)
        overrides = {**twins.overrides(), "eventBridge": {"source": SOURCE}}
        deployment = apply(PROJECT, "prod", twins.target, overrides)
        yield Bridged(twins, deployment.outputs["contract"])


def subscription(id_: str, **changes: Any) -> dict[str, Any]:
    stored = json.loads(EVENT.read_text(encoding="utf-8"))
    return {**stored, "id": id_, "livemode": True, **changes}


def test_an_event_through_eventbridge_is_handled_as_one_through_the_webhook(
    bridged: Bridged, eventually: Callable[..., Any]
) -> None:
    bridged.put(subscription("evt_through_eventbridge"))

    def results(purpose: str) -> set[str]:
        return {line["result"] for line in bridged.said(purpose) if line.get("event_id") == "evt_through_eventbridge"}

    eventually(lambda: results("bridge") == {"queued"})
    eventually(lambda: "applied" in results("apply"))


def test_an_event_of_the_other_mode_is_refused_and_counted(bridged: Bridged, eventually: Callable[..., Any]) -> None:
    bridged.put(subscription("evt_of_the_other_mode", livemode=False))
    [counted] = eventually(lambda: [line for line in bridged.said("bridge") if "EventRefused" in line])
    assert (counted["reason"], counted["stack"]) == ("livemode", "launch-ready-prod")
    assert "evt_of_the_other_mode" not in str(bridged.said("apply"))


def test_the_checks_find_nothing_wrong_with_it(bridged: Bridged) -> None:
    report = checks.run(bridged.contract, checks.Vantage.from_document(vantage(bridged.twins, bridged.contract)))
    findings = checks.document(report)["findings"]
    assert not [finding for finding in findings if finding["status"] not in {"pass", "only live", "not applicable"}]
    assert bridged.twins.aws.denials() == []
