"""Cloudflare's resources, brought to the zone twin. One handler serves all types: the twin tells them apart."""

from typing import Any

from rehearsal.errors import DeploymentError
from rehearsal.resources.handler import Created, Declared
from rehearsal.target import Target
from rehearsal.twins.zone import Kind, ZoneTwin


class CloudflareResource:
    """One type of the provider `cloudflare`; what Cloudflare refuses is a DeploymentError that names the resource.

    A zone setting is known by `<zone>/<setting>`, the provider's import id, for its own id is only unique in its zone.
    """

    def __init__(self, token: str, kind: Kind) -> None:
        self.type = token
        self._kind = kind

    def create(self, declared: Declared, target: Target) -> Created:
        """See ResourceHandler."""
        try:
            entry = _zone(target).create(self._kind, declared.inputs)
        except DeploymentError as error:
            raise type(error)(f"{declared}: {error}") from error
        return Created(entry.id, dict(entry.outputs))

    def read(self, id_: str, target: Target) -> dict[str, Any] | None:
        """See ResourceHandler."""
        entry = _zone(target).read(id_)
        return None if entry is None or entry.kind != self._kind else dict(entry.outputs)

    def update(self, id_: str, declared: Declared, target: Target) -> dict[str, Any]:
        """See ResourceHandler."""
        try:
            return dict(_zone(target).update(id_, declared.inputs).outputs)
        except DeploymentError as error:
            raise type(error)(f"{declared}: {error}") from error

    def delete(self, id_: str, target: Target) -> None:
        """See ResourceHandler. A setting stays as it is: Cloudflare has no default to go back to."""
        zone = _zone(target)
        if zone.read(id_) is not None:
            zone.delete(id_)


def _zone(target: Target) -> ZoneTwin:
    return target.zone


_KINDS = {
    "zone:Zone": Kind.ZONE,
    "dnsRecord:DnsRecord": Kind.RECORD,
    "zoneSetting:ZoneSetting": Kind.SETTING,
    "ruleset:Ruleset": Kind.RULESET,
    "zoneDnssec:ZoneDnssec": Kind.DNSSEC,
    "list:List": Kind.LIST,
    "listItem:ListItem": Kind.LIST_ITEM,
    "botManagement:BotManagement": Kind.BOTS,
    "zeroTrustAccessPolicy:ZeroTrustAccessPolicy": Kind.ACCESS_POLICY,
    "zeroTrustAccessApplication:ZeroTrustAccessApplication": Kind.ACCESS_APPLICATION,
    "workersScript:WorkersScript": Kind.SCRIPT,
    "workersRoute:WorkersRoute": Kind.ROUTE,
    "authenticatedOriginPullsHostnameCertificate:AuthenticatedOriginPullsHostnameCertificate": Kind.PULL_CERTIFICATE,
    "authenticatedOriginPulls:AuthenticatedOriginPulls": Kind.PULL_HOSTS,
    "authenticatedOriginPullsSettings:AuthenticatedOriginPullsSettings": Kind.PULL_SETTINGS,
    "healthcheck:Healthcheck": Kind.HEALTHCHECK,
    "urlNormalizationSettings:UrlNormalizationSettings": Kind.NORMALIZATION,
    "managedTransforms:ManagedTransforms": Kind.TRANSFORMS,
}
HANDLERS = tuple(CloudflareResource(f"cloudflare:index/{type_}", kind) for type_, kind in _KINDS.items())
