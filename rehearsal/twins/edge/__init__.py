"""The edge twin: Cloudflare's proxy for what was declared."""

from rehearsal.twins.edge.app import CLIENT_HEADER
from rehearsal.twins.edge.edge import Edge
from rehearsal.twins.edge.origins import Origin

__all__ = ["CLIENT_HEADER", "Edge", "Origin"]
