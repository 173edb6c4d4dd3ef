"""What our components share: a type token in one namespace and children that name their parent."""

from typing import Any

import pulumi


class Component(pulumi.ComponentResource):
    """A group of resources; its type token is `launch-ready:infra:<class>`."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(f"launch-ready:infra:{type(self).__name__}", name, None, opts)

    def child(self, **options: Any) -> pulumi.ResourceOptions:
        """Options of a resource inside this component."""
        return pulumi.ResourceOptions(parent=self, **options)
