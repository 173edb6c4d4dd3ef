"""Cloudflare's API v4 over the zone twin: what adopt and drift read, and what the provider writes."""

from rehearsal.twins.cloudflare_api.api import CloudflareApiTwin

__all__ = ["CloudflareApiTwin"]
