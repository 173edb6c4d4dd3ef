"""What is kept: buckets that nobody else reads, and secrets that can be replaced."""

import re

from _judging import CRITICAL, MEDIUM, NotKnown, Plan, Policy, Resource, listed, statements

BUCKET, BLOCK, BUCKET_POLICY = "aws_s3_bucket", "aws_s3_bucket_public_access_block", "aws_s3_bucket_policy"
STORED, ROTATION = "aws_secretsmanager_secret", "aws_secretsmanager_secret_rotation"
_BLOCKS = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
_ROLLED = re.compile(r"\b(?:roll|rolled|rotate|rotated|rotation)\b", re.IGNORECASE)


class PublicBucket(Policy):
    """What stands in a bucket is for who was named."""

    ID = "CKV_LR_15"
    NAME = "A bucket is not public"
    SEVERITY = CRITICAL
    TYPES = (BUCKET,)

    def judge(self, resource: Resource) -> list[str]:
        """All four blocks of public access, and no policy for everybody."""
        blocks = _about(resource, resource.plan, BLOCK)
        missing = [key for key in _BLOCKS if not any(one.get(key) is True for one in blocks)]
        wrong = [f"public access is not blocked: set {', '.join(missing)}"] if missing else []
        if str(resource.get("acl") or "private").startswith("public"):
            wrong.append(f"its acl is {resource.get('acl')!r}")
        return wrong + [
            f"{one.address} allows everybody" for one in _about(resource, resource.plan, BUCKET_POLICY) if _open(one)
        ]


class Rotation(Policy):
    """A secret that nobody can replace stays after it leaked."""

    ID = "CKV_LR_16"
    NAME = "A secret says how it is replaced"
    SEVERITY = MEDIUM
    TYPES = (STORED,)

    def judge(self, resource: Resource) -> list[str]:
        """A rotation by AWS, or where a vendor has none, a description of how it is rolled by hand."""
        rotated = bool(resource.referred_by(ROTATION))
        told = bool(_ROLLED.search(str(resource.get("description") or "")))
        return [] if rotated or told else ["it has neither a rotation nor a description of how it is rolled"]


def _about(bucket: Resource, plan: Plan, type_: str) -> list[Resource]:
    """What is declared for a bucket, by reference or by the bucket's name."""
    name = bucket.get("bucket")
    return [
        one
        for one in plan.of_type(type_)
        if bucket.address in one.references or (name is not None and one.get("bucket") == name)
    ]


def _open(policy: Resource) -> bool:
    """Whether a statement allows everybody without a condition."""
    try:
        found = list(statements(policy, "policy"))
    except NotKnown:
        return False  # blocked as public by the bucket's own blocks, which are asked for as well
    return any(
        one.get("Effect") == "Allow" and not one.get("Condition") and _everybody(one.get("Principal")) for one in found
    )


def _everybody(principal: object) -> bool:
    named = (
        [who for value in principal.values() for who in listed(value)] if isinstance(principal, dict) else [principal]
    )
    return "*" in named


for policy in (PublicBucket, Rotation):
    policy()
