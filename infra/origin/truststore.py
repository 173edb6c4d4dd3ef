"""The authorities that the API trusts, as one versioned object in a bucket of its own."""

import hashlib
import json
from collections.abc import Sequence

import pulumi
from pulumi_aws.s3 import (
    Bucket,
    BucketObjectv2,
    BucketPolicy,
    BucketPublicAccessBlock,
    BucketServerSideEncryptionConfiguration,
    BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs,
    BucketServerSideEncryptionConfigurationRuleArgs,
    BucketVersioning,
    BucketVersioningVersioningConfigurationArgs,
)

from infra.component import Component
from infra.permissions import VERSION
from infra.settings import Stack

KEY = "truststore.pem"


class Truststore(Component):
    """A private bucket with the truststore; API Gateway takes the version that it is told, with the deployer's rights.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-mutual-tls.html. Versions are kept for ever:
    they are small, public, and a domain may still name one.
    """

    def __init__(self, stack: Stack, authorities: Sequence[pulumi.Output[str]], parent: pulumi.Resource) -> None:
        super().__init__("truststore", pulumi.ResourceOptions(parent=parent))
        # checkov:skip=CKV_AWS_18:certificates of authorities are public, and API Gateway alone reads them
        self.bucket = Bucket("truststore-bucket", bucket=_bucket_name(stack), opts=self.child())
        kept = [self._private(), self._encrypted(), self._by_tls_alone(), self._versioned()]
        self.object = BucketObjectv2(
            "truststore-object",
            bucket=self.bucket.bucket,
            key=KEY,
            content=pulumi.Output.all(*authorities).apply(lambda pems: "".join(pem or "" for pem in pems)),
            content_type="application/x-pem-file",
            opts=self.child(depends_on=kept),
        )
        self.register_outputs({"version": self.version})

    @property
    def uri(self) -> pulumi.Output[str]:
        """Where API Gateway finds it."""
        return pulumi.Output.concat("s3://", self.bucket.bucket, "/", KEY)

    @property
    def version(self) -> pulumi.Output[str]:
        """The version of the object; another one whenever an authority comes or goes."""
        return self.object.version_id

    def _private(self) -> pulumi.Resource:
        return BucketPublicAccessBlock(
            "truststore-private",
            bucket=self.bucket.bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=self.child(),
        )

    def _encrypted(self) -> pulumi.Resource:
        by_default = BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
            sse_algorithm="AES256"
        )
        return BucketServerSideEncryptionConfiguration(
            "truststore-encryption",
            bucket=self.bucket.bucket,
            rules=[BucketServerSideEncryptionConfigurationRuleArgs(apply_server_side_encryption_by_default=by_default)],
            opts=self.child(),
        )

    def _by_tls_alone(self) -> pulumi.Resource:
        return BucketPolicy(
            "truststore-policy",
            bucket=self.bucket.bucket,
            policy=self.bucket.arn.apply(_tls_policy),
            opts=self.child(),
        )

    def _versioned(self) -> pulumi.Resource:
        return BucketVersioning(
            "truststore-versioning",
            bucket=self.bucket.bucket,
            versioning_configuration=BucketVersioningVersioningConfigurationArgs(status="Enabled"),
            opts=self.child(),
        )


def _bucket_name(stack: Stack) -> str:
    """Unique in all of AWS, as the domain is; the same at every run."""
    digest = hashlib.sha256(stack.api_host.encode()).hexdigest()[:8]
    return f"{stack.prefix}-truststore-{digest}".lower().replace("_", "-")


def _tls_policy(arn: str) -> str:
    statement = {
        "Sid": "ByTlsAlone",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return json.dumps({"Version": VERSION, "Statement": [statement]})
