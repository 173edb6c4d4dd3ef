"""What the program declares in its variants: every type and property that it uses."""

import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from checks.policy import terraform_plan
from rehearsal.plan import plan

ROOT = Path(__file__).parents[3]
_BRIDGE = {"eventBridge": {"source": "aws.partner/stripe.com/ed_61TEN0dErlaWJQzTZ16Qafnx2x"}}
_LARGE = {"zonePlan": "business", "reservedConcurrency": {"apply": 6}}


@functools.cache
def graphs() -> tuple[Mapping[str, Any], ...]:
    """Production, production with all that costs more, and a tenant."""
    variants: list[tuple[str, dict[str, Any]]] = [("prod", {}), ("prod", {**_BRIDGE, **_LARGE}), ("staging", {})]
    return tuple(plan(ROOT, stack, overrides, assume_arns=True).to_document() for stack, overrides in variants)


def planned() -> Iterator[Mapping[str, Any]]:
    """The planned values of every resource of every variant."""
    for graph in graphs():
        yield from terraform_plan(graph).document["planned_values"]["root_module"]["resources"]


def used_types() -> set[str]:
    """The Terraform types among them."""
    return {resource["type"] for resource in planned()}
