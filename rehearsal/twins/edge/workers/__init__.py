"""Workers: JavaScript that answers in place of the origin, run by QuickJS."""

from rehearsal.twins.edge.workers.runtime import WorkerRuntime

__all__ = ["WorkerRuntime"]
