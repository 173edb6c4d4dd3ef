"""How a person, or the checks, reach the twins from outside: the vantage, and the document of `--keep`."""

from collections.abc import Mapping
from typing import Any

from rehearsal.assembly import Twins
from rehearsal.journeys.staging import signing_secret
from rehearsal.site import Site


def vantage(twins: Twins, contract: Mapping[str, Any]) -> dict[str, Any]:
    """From where the checks look at a rehearsal; the shape is that of `checks.Vantage`."""
    return {
        "resolver": {"host": "127.0.0.1", "port": twins.dns.port},
        "ports": {str(public): local for public, local in twins.edge.ports.items()},
        "origins": {api: {"host": at, "port": port} for api, (at, port) in twins.target.fronts.addresses().items()},
        "ca_file": str(twins.authority.file),
        "aws": _aws(twins),
        "stripe": {"api_base": twins.stripe.url, "api_key": twins.stripe.api_key},
        "cloudflare": {"api_base": twins.cloudflare.base_url, "api_token": twins.cloudflare.token},
        "signing_secret": signing_secret(twins, contract),
        "rehearsal": True,
    }


def kept_document(site: Site, twins: Twins, contract: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that curl, boto3 and the official stripe SDK need to play on from another terminal."""
    ports = twins.edge.ports
    health = contract["endpoints"]["health"]
    return {
        "edge": {
            "https": f"127.0.0.1:{ports[443]}",
            "http": f"127.0.0.1:{ports[80]}",
            "ca_file": str(twins.authority.file),
        },
        "hosts": sorted({host["name"] for host in contract["hosts"]}),
        "dns": {"host": "127.0.0.1", "port": twins.dns.port},
        "webhook": {"url": contract["endpoints"]["webhook"], "signing_secret": signing_secret(twins, contract)},
        "members": contract["endpoints"]["members"],
        "stripe": {"api_base": twins.stripe.url, "api_key": twins.stripe.api_key},
        "prices": dict(site.products),
        "aws": _aws(twins),
        "table": contract["table"]["name"],
        "queues": {queue["name"]: queue["url"] for queue in contract["queues"]},
        "kit": twins.kit.base_url,
        "slack": twins.slack.base_url,
        "contract": dict(contract),
        "vantage": vantage(twins, contract),
        "try": f"curl --cacert {twins.authority.file} --connect-to ::127.0.0.1:{ports[443]} {health}",
    }


def _aws(twins: Twins) -> dict[str, str]:
    return {
        "endpoint": twins.aws.endpoint,
        "region": twins.aws.region,
        "access_key_id": twins.aws.access_key_id,
        "secret_access_key": twins.aws.secret_access_key,
    }
