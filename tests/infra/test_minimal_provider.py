"""The program under a provider that gives back its inputs, an id and an ARN, and nothing else.

In the engine an output that a provider leaves out is known and None, where the rehearsal's monitor says unknown.
"""

from collections.abc import Mapping
from typing import Any

from rehearsal import program, stackfile
from rehearsal.monitor import Answer, Engine, Monitor
from rehearsal.registration import Registration, SourceLines
from tests.infra.conftest import ROOT, Echo


class Minimal(Echo):
    def register(self, registration: Registration, provider: Mapping[str, Any]) -> Answer:
        full = super().register(registration, provider)
        return Answer(full.id, {"arn": full.outputs["arn"]})


class EngineLike(Monitor):
    def RegisterResource(self, request: Any, context: Any = None) -> Any:  # noqa: N802 - the protocol's name
        answer = super().RegisterResource(request, context)
        answer.unknown = False
        return answer


def test_the_program_runs_to_its_end_and_leaves_out_what_nobody_told() -> None:
    provider = Minimal()
    config = stackfile.load(ROOT, "prod")
    monitor = EngineLike(config.project, config.stack, SourceLines(ROOT), provider)
    program.run(ROOT, config, monitor, Engine(lambda message: None), dry_run=False)

    contract = monitor.outputs.values["contract"]
    assert contract["zone"]["name_servers"] == []
    assert contract["table"]["arn"].startswith("arn:aws:dynamodb:")
    [api] = [host for host in contract["hosts"] if host["role"] == "api"]
    assert api["content"] is None
    permission = provider.inputs["aws:lambda/permission:Permission", "permission-webhook"]
    assert permission["sourceArn"].endswith("/*/POST/webhooks/stripe")
