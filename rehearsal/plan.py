"""The plan pass: what the program would declare, without any twin."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rehearsal import program, stackfile, typecheck
from rehearsal.errors import ProgramError
from rehearsal.graph import Graph, Resource
from rehearsal.invokes import ACCOUNT, PARTITION, answer
from rehearsal.monitor import Answer, Engine, Monitor
from rehearsal.registration import Registration, SourceLines


class _Checking:
    """Checks each resource's inputs and creates nothing: every id and output stays unknown.

    With `assume_arns`, resources of AWS have made-up ARNs, so that documents made of ARNs, such as a role's policy,
    are known before anything is deployed.
    """

    def __init__(self, region: str, *, assume_arns: bool) -> None:
        self.problems: list[str] = []
        self._region = region
        self._assume_arns = assume_arns

    def register(self, registration: Registration, provider: Mapping[str, Any]) -> Answer:
        """See Backend."""
        resource = registration.resource
        self.problems += [f"{resource}: {p}" for p in typecheck.problems(resource.type, registration.properties)]
        if self._assume_arns and resource.type.startswith("aws:"):
            return Answer(outputs={"arn": _arn(resource, provider.get("region", self._region))})
        return Answer()

    def read(self, registration: Registration, id_: str, provider: Mapping[str, Any]) -> Answer:  # noqa: ARG002
        """See Backend."""
        return Answer(id=id_)

    def invoke(self, token: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """See Backend."""
        return answer(token, arguments, self._region)


def plan(
    project_dir: Path,
    stack: str,
    overrides: Mapping[str, Any] | None = None,
    *,
    over_grpc: bool = False,
    assume_arns: bool = False,
) -> Graph:
    """The graph of `stack`, from a dry run of the program in `project_dir`.

    `overrides` are config values that win over the stack file's. `assume_arns` makes up the ARNs that a preview does
    not know: one of its own for each resource. Raises StackError for the configuration and
    ProgramError with every input that the SDK's own classes do not take, or with what the program raised.
    """
    root = project_dir.resolve()
    config = stackfile.load(root, stack, overrides)
    checking = _Checking(config.values.get("aws:region", "us-east-1"), assume_arns=assume_arns)
    monitor = Monitor(config.project, config.stack, SourceLines(root), checking)
    program.run(root, config, monitor, Engine(_ignore), dry_run=True, over_grpc=over_grpc)
    if checking.problems:
        raise ProgramError(
            "the declaration has inputs that no provider takes:\n" + "\n".join(sorted(checking.problems))
        )
    return monitor.graph()


def _arn(resource: Resource, region: str) -> str:
    """A made-up ARN: each resource has its own, and the service is the one that its type names."""
    service = resource.type.split(":")[1].split("/")[0]
    return f"arn:{PARTITION}:{service}:{region}:{ACCOUNT}:{resource.type.split(':')[-1]}/{resource.name}"


def _ignore(message: str) -> None:
    """Warnings of a plan pass come again in the apply pass."""
