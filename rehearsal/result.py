"""What a rehearsal found: one document, and the verdict that follows from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rehearsal.journeys.model import JourneyResult
from rehearsal.progress import Stage
from rehearsal.twins.gaps import Gap


@dataclass(frozen=True, kw_only=True)
class Result:
    """A rehearsal that was held; `checks` are the findings of the checks package as JSON.

    `adopted` counts the resources that stood in the zone before, `changes` tells line by line what the deployment
    did to that.
    """

    stack: str
    verdict: str
    sentence: str
    seconds: float
    stages: Sequence[Stage]
    resources: int
    adopted: int
    changes: Sequence[str]
    checks: Sequence[Mapping[str, Any]]
    journeys: Sequence[JourneyResult]
    journeys_known: int
    lag_ms: Mapping[str, float | int | None]
    gaps: Sequence[Gap]

    def document(self) -> dict[str, Any]:
        """The JSON that `--json` writes; its schema is `result.schema.json` beside this file."""
        return {
            "version": 1,
            "stack": self.stack,
            "verdict": self.verdict,
            "sentence": self.sentence,
            "seconds": round(self.seconds, 1),
            "stages": [{"name": stage.name, "seconds": round(stage.seconds, 2)} for stage in self.stages],
            "resources": self.resources,
            "adopted": self.adopted,
            "changes": list(self.changes),
            "checks": [dict(check) for check in self.checks],
            "journeys": [journey.document() for journey in self.journeys],
            "journeys_not_chosen": self.journeys_known - len(self.journeys),
            "lag_ms": dict(self.lag_ms),
            "gaps": [{"twin": gap.twin, "text": gap.text} for gap in self.gaps],
        }
