"""The graph as a Terraform plan: what checkov, infracost, OPA and trivy read."""

from checks.policy.terraform.plan import Plan, terraform_plan

__all__ = ["Plan", "terraform_plan"]
