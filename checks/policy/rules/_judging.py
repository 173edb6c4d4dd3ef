"""What the policies share: a check with a severity, and the plan's resources with what they refer to.

A policy is one of checkov's resource checks; `self.graph` is checkov's graph of the plan, whose nodes hold the values.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from checkov.common.bridgecrew.severities import BcSeverities, Severities
from checkov.common.models.enums import CheckCategories, CheckResult
from checkov.common.util.consts import TRUE_AFTER_UNKNOWN
from checkov.terraform.checks.resource.base_resource_check import BaseResourceCheck

PASSED, FAILED, UNKNOWN = CheckResult.PASSED, CheckResult.FAILED, CheckResult.UNKNOWN
CRITICAL, HIGH, MEDIUM = BcSeverities.CRITICAL, BcSeverities.HIGH, BcSeverities.MEDIUM
SECRET = "[secret]"  # what stands in a plan in the place of a secret
_UNJUDGED = logging.getLogger("launch-ready.unjudged")


class Resource:
    """One resource of the plan, by the names that Terraform has for its values."""

    def __init__(self, node: Mapping[str, Any], plan: "Plan") -> None:
        self._node = node
        self.plan = plan
        self.address: str = node["__address__"]
        self.type, _, self.name = self.address.partition(".")
        self.references = frozenset(_texts(node.get("references_")))

    def get(self, *path: str) -> Any:
        """The value at a path through blocks; None where nothing is there."""
        value: Any = self._node
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    def blocks(self, key: str) -> list[Mapping[str, Any]]:
        """The blocks under `key`, of which checkov keeps a single one without its list."""
        found = self._node.get(key)
        every = found if isinstance(found, list) else [found]
        return [block for block in every if isinstance(block, dict)]

    def known(self, *path: str) -> bool:
        """Whether the value at a path is there before the deployment; else a reference or a marker stands there."""
        value = self.get(*path)
        return not isinstance(value, str) or (value != TRUE_AFTER_UNKNOWN and value not in self.references)

    def refers_to(self, type_: str) -> "list[Resource]":
        """The resources of a type of which some value of this one is made."""
        return [one for one in self.plan.of_type(type_) if one.address in self.references]

    def referred_by(self, type_: str) -> "list[Resource]":
        """The resources of a type, some value of which is made of this one."""
        return [one for one in self.plan.of_type(type_) if self.address in one.references]


class Plan:
    """All resources, by type."""

    def __init__(self, graph: Any) -> None:
        nodes = (node for _, node in graph.nodes() if node.get("block_type_") == "resource")
        self._by_type: dict[str, list[Resource]] = {}
        for node in nodes:
            resource = Resource(node, self)
            self._by_type.setdefault(resource.type, []).append(resource)

    def of_type(self, type_: str) -> list[Resource]:
        """The resources of that type."""
        return self._by_type.get(type_, [])

    def at(self, address: str) -> Resource:
        """The resource of that address."""
        return next(one for one in self.of_type(address.partition(".")[0]) if one.address == address)


class Policy(BaseResourceCheck):
    """A check of ours: a subclass says what it asks of which types, and `judge` returns what is wrong."""

    ID: ClassVar[str]
    NAME: ClassVar[str]
    SEVERITY: ClassVar[str] = HIGH
    TYPES: ClassVar[tuple[str, ...]]
    _last: ClassVar[list[tuple[Any, Plan]]] = []  # the graph that was asked about last, and what was read from it

    def __init__(self) -> None:
        super().__init__(self.NAME, self.ID, [CheckCategories.GENERAL_SECURITY], list(self.TYPES))
        self.severity = Severities[self.SEVERITY]

    def scan_resource_conf(self, conf: dict[str, Any]) -> CheckResult:
        """See BaseResourceCheck; details hold what is wrong."""
        resource = self._plan().at(conf["__address__"])
        if not self.concerns(resource):
            return UNKNOWN
        try:
            self.details = self.judge(resource)
        except NotKnown as error:
            _UNJUDGED.warning("%s [%s]: %s", self.id, resource.address, error)
            return UNKNOWN
        return FAILED if self.details else PASSED

    def concerns(self, resource: Resource) -> bool:  # noqa: ARG002 # for subclasses
        """Whether the policy asks anything of this resource."""
        return True

    def judge(self, resource: Resource) -> list[str]:
        """What is wrong, each with what to do about it; nothing where all is well. May raise NotKnown."""
        raise NotImplementedError

    def _plan(self) -> Plan:
        if not self._last or self._last[0][0] is not self.graph:
            self._last[:] = [(self.graph, Plan(self.graph))]
        return self._last[0][1]


class NotKnown(Exception):  # noqa: N818 # not an error: it says what only the deployment tells
    """A value that decides is not known before the deployment."""


def statements(resource: Resource, key: str) -> Iterator[Mapping[str, Any]]:
    """The statements of the IAM policy document under `key`; NotKnown before its parts are."""
    document = resource.get(key)
    if not resource.known(key):
        raise NotKnown(f"{key} is known only after the deployment")
    if isinstance(document, str):
        try:
            document = json.loads(document)
        except json.JSONDecodeError:
            raise NotKnown(f"{key} is not JSON") from None
    found = (document or {}).get("Statement", [])
    yield from found if isinstance(found, list) else [found]


def listed(value: Any) -> list[Any]:
    """A value of IAM or DNS that may be a list or a single one."""
    return value if isinstance(value, list) else [] if value is None else [value]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
