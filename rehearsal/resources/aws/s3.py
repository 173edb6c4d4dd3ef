"""Buckets and objects in them, as far as a versioned truststore needs."""

from typing import Any

from botocore.exceptions import ClientError

from rehearsal.resources.handler import Created, CreateOnly, Declared, RefusedError
from rehearsal.target import Target


class Bucket(CreateOnly):
    """aws:s3/bucket:Bucket; its id is its name. What it holds is said by resources of their own."""

    type = "aws:s3/bucket:Bucket"

    def create(self, declared: Declared, target: Target) -> Created:
        """See ResourceHandler."""
        inputs = declared.inputs
        unknown = sorted(set(inputs) - {"bucket"})
        if unknown:
            raise RefusedError(f"{declared}: a rehearsal makes buckets by their name alone, got {', '.join(unknown)}")
        name, region = inputs["bucket"], target.effective_region
        # S3 has no constraint for its first region: that is where a bucket without one is made.
        elsewhere = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        target.client("s3").create_bucket(Bucket=name, **elsewhere)
        return Created(name, {"bucket": name, "arn": f"arn:aws:s3:::{name}"})

    def read(self, id_: str, target: Target) -> dict[str, Any] | None:
        """See ResourceHandler."""
        try:
            target.client("s3").head_bucket(Bucket=id_)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                return None
            raise
        return {"bucket": id_, "arn": f"arn:aws:s3:::{id_}"}


class PublicAccessBlock(CreateOnly):
    """aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock; its id is the bucket's."""

    type = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"

    def create(self, declared: Declared, target: Target) -> Created:
        """See ResourceHandler."""
        inputs = declared.inputs
        switches = {
            "BlockPublicAcls": bool(inputs.get("blockPublicAcls")),
            "BlockPublicPolicy": bool(inputs.get("blockPublicPolicy")),
            "IgnorePublicAcls": bool(inputs.get("ignorePublicAcls")),
            "RestrictPublicBuckets": bool(inputs.get("restrictPublicBuckets")),
        }
        target.client("s3").put_public_access_block(Bucket=inputs["bucket"], PublicAccessBlockConfiguration=switches)
        return Created(inputs["bucket"])


class Encryption(CreateOnly):
    """aws:s3/bucketServerSideEncryptionConfiguration:…; its id is the bucket's."""

    type = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"

    def create(self, declared: Declared, target: Target) -> Created:
        """See ResourceHandler."""
        inputs = declared.inputs
        rules = [
            {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": by_default["sseAlgorithm"]}}
            for by_default in (rule["applyServerSideEncryptionByDefault"] for rule in inputs["rules"])
        ]
        target.client("s3").put_bucket_encryption(
            Bucket=inputs["bucket"], ServerSideEncryptionConfiguration={"Rules": rules}
        )
        return Created(inputs["bucket"])


class Versioning(CreateOnly):
    """aws:s3/bucketVersioning:BucketVersioning; its id is the bucket's."""

    type = "aws:s3/bucketVersioning:BucketVersioning"

    def create(self, declared: Declared, target: Target) -> Created:
        """See ResourceHandler."""
        inputs = declared.inputs
        wanted = {"Status": inputs["versioningConfiguration"]["status"]}
        target.client("s3").put_bucket_versioning(Bucket=inputs["bucket"], VersioningConfiguration=wanted)
        return Created(inputs["bucket"])


class Policy(CreateOnly):
    """aws:s3/bucketPolicy:BucketPolicy; its id is the bucket's."""

    type = "aws:s3/bucketPolicy:BucketPolicy"

    def create(self, declared: Declared, target: Target) -> Created:
        """See ResourceHandler."""
        inputs = declared.inputs
        target.client("s3").put_bucket_policy(Bucket=inputs["bucket"], Policy=inputs["policy"])
        return Created(inputs["bucket"])


class Object(CreateOnly):
    """aws:s3/bucketObjectv2:BucketObjectv2 with its content as text; its id is `bucket/key`."""

    type = "aws:s3/bucketObjectv2:BucketObjectv2"

    def create(self, declared: Declared, target: Target) -> Created:
        """See ResourceHandler."""
        inputs = declared.inputs
        if "content" not in inputs:
            raise RefusedError(f"{declared}: a rehearsal puts objects whose content is given as text")
        return Created(f"{inputs['bucket']}/{inputs['key']}", self._put(declared, target))

    def update(self, id_: str, declared: Declared, target: Target) -> dict[str, Any]:  # noqa: ARG002
        """See ResourceHandler: a new version of the object."""
        return self._put(declared, target)

    def _put(self, declared: Declared, target: Target) -> dict[str, Any]:
        inputs = declared.inputs
        answer = target.client("s3").put_object(
            Bucket=inputs["bucket"],
            Key=inputs["key"],
            Body=inputs["content"].encode(),
            ContentType=inputs.get("contentType", "application/octet-stream"),
        )
        # S3 gives no version where versioning is off, and the provider says so with an empty text.
        return {"key": inputs["key"], "versionId": answer.get("VersionId", ""), "etag": answer["ETag"].strip('"')}


HANDLERS = (Bucket(), PublicAccessBlock(), Encryption(), Versioning(), Policy(), Object())
