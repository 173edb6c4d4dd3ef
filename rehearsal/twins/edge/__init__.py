"""The edge twin: Cloudflare's proxy for what was declared."""

from rehearsal.twins.edge.edge import Edge
from rehearsal.twins.edge.origins import Origin

__all__ = ["Edge", "Origin"]
