"""Resources that belong to Pulumi itself: explicit providers, and dynamic resources with code of ours."""

import base64
import contextvars
from typing import Any

import dill
from pulumi.dynamic import ResourceProvider

from rehearsal.errors import DeploymentError
from rehearsal.resources.handler import Created, CreateOnly, Declared
from rehearsal.target import Target

PROVIDER_PREFIX = "pulumi:providers:"
DYNAMIC_PREFIX = "pulumi-python:dynamic"
_PROVIDER_KEY = "__provider"


class ExplicitProvider(CreateOnly):
    """pulumi:providers:…: nothing to create; the resources that use it see its inputs."""

    def __init__(self, package: str) -> None:
        self.type = f"{PROVIDER_PREFIX}{package}"

    def create(self, declared: Declared, target: Target) -> Created:  # noqa: ARG002
        """See ResourceHandler."""
        return Created(declared.name)


class DynamicResource(CreateOnly):
    """pulumi-python:dynamic…: calls the declared provider's own code, as Pulumi's dynamic plugin does."""

    type = f"{DYNAMIC_PREFIX}:Resource"

    def create(self, declared: Declared, target: Target) -> Created:  # noqa: ARG002
        """See ResourceHandler: check, then create, in a context without any Pulumi state."""
        inputs = {key: value for key, value in declared.inputs.items() if key != _PROVIDER_KEY}
        provider = _provider(declared)
        checked = _outside(lambda: provider.check({}, inputs))
        if checked.failures:
            raise DeploymentError(f"{declared}: " + "; ".join(f"{f.property}: {f.reason}" for f in checked.failures))
        made = _outside(lambda: provider.create(checked.inputs))
        return Created(made.id, {key: value for key, value in (made.outs or {}).items() if key != _PROVIDER_KEY})


def _provider(declared: Declared) -> ResourceProvider:
    """The provider object that travelled with the resource; it is the program's own, so unpickling is safe."""
    return dill.loads(base64.b64decode(declared.inputs[_PROVIDER_KEY]))  # noqa: S301


def _outside(call: Any) -> Any:
    return contextvars.Context().run(call)


HANDLERS = (ExplicitProvider("aws"), ExplicitProvider("cloudflare"), DynamicResource())
