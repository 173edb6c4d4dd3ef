"""One handler a resource type brings a declared resource to its twin."""

from collections.abc import Mapping

from rehearsal.resources import aws, cloudflare, pulumi
from rehearsal.resources.handler import ResourceHandler

HANDLERS: Mapping[str, ResourceHandler] = {
    handler.type: handler for handler in (*aws.HANDLERS, *cloudflare.HANDLERS, *pulumi.HANDLERS)
}


def handler_for(type_token: str) -> ResourceHandler | None:
    """The handler of a type; every dynamic resource has the same one, whatever its class is called."""
    if type_token.startswith(pulumi.DYNAMIC_PREFIX):
        return HANDLERS[pulumi.DynamicResource.type]
    return HANDLERS.get(type_token)
