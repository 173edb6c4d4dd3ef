"""The DNS twin: Cloudflare's name servers for what was declared."""

from rehearsal.twins.dns.server import DnsTwin

__all__ = ["DnsTwin"]
