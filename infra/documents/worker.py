"""The Worker in front of the origins, at just the addresses where the edge answers by itself."""

from collections.abc import Iterable

import pulumi_cloudflare as cloudflare

from infra.component import Component
from infra.documents import declared, script
from infra.documents.document import Document
from infra.names.zone import Zone
from infra.settings import Stack

MAIN_MODULE = "worker.js"
COMPATIBILITY_DATE = "2026-01-01"  # the runtime's behaviour that the code was written for


class EdgeAnswers(Component):
    """A script and its routes; nothing where the edge has nothing to say.

    A route is one exact address, or all of a host under maintenance: every other request never meets the Worker, and
    neither its quota nor its faults touch it (docs/adr/0009-documents-at-the-edge.md).
    """

    def __init__(self, stack: Stack, zone: Zone) -> None:
        super().__init__("edge-answers")
        documents, closed = declared.of(stack), declared.closed(stack)
        if documents or closed:
            retry_after = stack.settings.maintenance.retry_after_seconds
            script_name = self._script(stack, script.module(documents, closed, retry_after)).script_name
            for name, pattern in _routes(documents, closed).items():
                cloudflare.WorkersRoute(name, zone_id=zone.id, pattern=pattern, script=script_name, opts=self.child())
        self.register_outputs({})

    def _script(self, stack: Stack, module: str) -> cloudflare.WorkersScript:
        return cloudflare.WorkersScript(
            "edge-answers",
            account_id=stack.settings.cloudflare_account_id,
            script_name=f"{stack.prefix}-edge-answers".lower(),
            main_module=MAIN_MODULE,
            content=module,
            compatibility_date=COMPATIBILITY_DATE,
            opts=self.child(),
        )


def _routes(documents: Iterable[Document], closed: Iterable[str]) -> dict[str, str]:
    """The pattern of each route by the name of its resource."""
    exact = {f"route-{each.host}-{each.kind}": f"{each.host}{each.path}" for each in documents}
    return exact | {f"route-{host}-maintenance": f"{host}/*" for host in closed}
