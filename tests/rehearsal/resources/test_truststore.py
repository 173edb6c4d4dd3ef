"""A truststore in S3, and a custom domain that trusts it in the version that was declared."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from infra.origin.certificates import Issued, issue
from rehearsal.resources.handler import RefusedError

DOMAIN = "aws:apigatewayv2/domainName:DomainName"
OBJECT = "aws:s3/bucketObjectv2:BucketObjectv2"


@pytest.fixture(scope="module")
def old() -> Issued:
    return issue("tests", "old", datetime.now(UTC))


@pytest.fixture(scope="module")
def new() -> Issued:
    return issue("tests", "new", datetime.now(UTC))


def _bucket(here: Any, name: str, *, versioned: bool = True) -> None:
    here.declare("aws:s3/bucket:Bucket", name, {"bucket": name})
    if versioned:
        inputs = {"bucket": name, "versioningConfiguration": {"status": "Enabled"}}
        here.declare("aws:s3/bucketVersioning:BucketVersioning", name, inputs)


def _object(bucket: str, content: str) -> dict[str, Any]:
    return {"bucket": bucket, "key": "truststore.pem", "content": content}


def _domain(here: Any, name: str, trust: dict[str, Any] | None) -> dict[str, Any]:
    certificate = here.declare("aws:acm/certificate:Certificate", name, {"domainName": name, "validationMethod": "DNS"})
    configuration = {
        "certificateArn": certificate.outputs["arn"],
        "endpointType": "REGIONAL",
        "securityPolicy": "TLS_1_2",
    }
    inputs = {"domainName": name, "domainNameConfiguration": configuration}
    return inputs if trust is None else {**inputs, "mutualTlsAuthentication": trust}


def test_a_bucket_is_private_encrypted_versioned_and_answers_by_tls_alone(here: Any) -> None:
    _bucket(here, "trust-made")
    switches = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    block = {"bucket": "trust-made", **dict.fromkeys(switches, True)}
    here.declare("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "made", block)
    rule = {"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}
    encryption = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    here.declare(encryption, "made", {"bucket": "trust-made", "rules": [rule]})
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{"Sid": "ByTlsAlone", "Effect": "Deny"}]})
    here.declare("aws:s3/bucketPolicy:BucketPolicy", "made", {"bucket": "trust-made", "policy": policy})
    s3 = here.aws.client("s3")
    assert s3.get_bucket_versioning(Bucket="trust-made")["Status"] == "Enabled"
    assert set(s3.get_public_access_block(Bucket="trust-made")["PublicAccessBlockConfiguration"].values()) == {True}
    rules = s3.get_bucket_encryption(Bucket="trust-made")["ServerSideEncryptionConfiguration"]["Rules"]
    assert [one["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] for one in rules] == ["AES256"]
    assert json.loads(s3.get_bucket_policy(Bucket="trust-made")["Policy"]) == json.loads(policy)


def test_an_object_that_changes_is_another_version_and_the_first_stays(here: Any) -> None:
    _bucket(here, "trust-versions")
    first = here.declare(OBJECT, "object", _object("trust-versions", "one"))
    second = here.change(OBJECT, first.id, _object("trust-versions", "two"))
    assert first.outputs["versionId"] != second["versionId"]
    s3 = here.aws.client("s3")
    kept = s3.get_object(Bucket="trust-versions", Key="truststore.pem", VersionId=first.outputs["versionId"])
    assert kept["Body"].read() == b"one"


def test_a_domain_trusts_the_declared_version_until_another_is_declared(here: Any, old: Issued, new: Issued) -> None:
    _bucket(here, "trust-pinned")
    first = here.declare(OBJECT, "object", _object("trust-pinned", old.authority))
    pinned = {"truststoreUri": "s3://trust-pinned/truststore.pem", "truststoreVersion": first.outputs["versionId"]}
    inputs = _domain(here, "api.pinned.example", pinned)
    here.declare(DOMAIN, "api.pinned.example", inputs)
    second = here.change(OBJECT, first.id, _object("trust-pinned", new.authority))
    described = here.aws.client("apigatewayv2").get_domain_name(DomainName="api.pinned.example")
    assert described["MutualTlsAuthentication"]["TruststoreVersion"] == first.outputs["versionId"]
    assert _trusted(here, "api.pinned.example") == ["old authority"]
    later = {**pinned, "truststoreVersion": second["versionId"]}
    here.change(DOMAIN, "api.pinned.example", {**inputs, "mutualTlsAuthentication": later})
    assert _trusted(here, "api.pinned.example") == ["new authority"]
    here.change(DOMAIN, "api.pinned.example", {k: v for k, v in inputs.items() if k != "mutualTlsAuthentication"})
    assert _trusted(here, "api.pinned.example") == []


def _trusted(here: Any, domain: str) -> list[str]:
    """The names of the authorities whose certificates a domain's front takes."""
    found = here.target.fronts.trusted(domain)
    return [dict(part[0] for part in one["subject"])["commonName"] for one in found]


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("https://trust-bad/truststore.pem", "is at s3://bucket/key"),
        ("s3://trust-bad/other.pem", "cannot be read: NoSuchKey"),
        ("s3://never-made/truststore.pem", "cannot be read: NoSuchBucket"),
        ("s3://trust-bad/truststore.pem", "holds no certificates"),
    ],
)
def test_a_truststore_that_api_gateway_could_not_use_is_refused(here: Any, bad: str, uri: str, reason: str) -> None:
    trust = {"truststoreUri": uri.replace("trust-bad", bad)}
    with pytest.raises(RefusedError, match=reason):
        here.declare(DOMAIN, "api.bad.example", _domain(here, "api.bad.example", trust))


@pytest.fixture
def bad(here: Any, request: pytest.FixtureRequest) -> str:
    """A bucket whose truststore is none, with a name of this test's own."""
    name = "trust-bad-" + hashlib.sha256(request.node.name.encode()).hexdigest()[:8]
    _bucket(here, name, versioned=False)
    here.declare(OBJECT, "object", _object(name, "not a certificate"))
    return name


def test_a_client_certificate_in_the_truststore_is_refused(here: Any, old: Issued) -> None:
    _bucket(here, "trust-leaf", versioned=False)
    here.declare(OBJECT, "object", _object("trust-leaf", old.authority + old.certificate))
    trust = {"truststoreUri": "s3://trust-leaf/truststore.pem"}
    with pytest.raises(RefusedError, match="certificates of no authority"):
        here.declare(DOMAIN, "api.leaf.example", _domain(here, "api.leaf.example", trust))
