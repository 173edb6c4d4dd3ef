"""Policy on the plan: the graph as a Terraform plan, checkov over it, findings on the program's own lines."""

from checks.policy.environment import python as environment
from checks.policy.errors import PolicyError
from checks.policy.markdown import plan_as_markdown
from checks.policy.output import Files, console, write
from checks.policy.preview import Preview, read_preview
from checks.policy.scan import Finding, Scan, Scanner
from checks.policy.terraform import Plan, terraform_plan

__all__ = [
    "Files",
    "Finding",
    "Plan",
    "PolicyError",
    "Preview",
    "Scan",
    "Scanner",
    "console",
    "environment",
    "plan_as_markdown",
    "read_preview",
    "terraform_plan",
    "write",
]
