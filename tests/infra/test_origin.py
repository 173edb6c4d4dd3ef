"""Origin pulls as they are declared: certificates at the edge, the truststore, and who asks for what."""

import json
from typing import Any

import pytest

from rehearsal.graph import Graph
from tests.infra.conftest import Deployed, deploy
from tests.infra.test_config import problems

PULLS = {"certificates": ["2025-11", "2026-11"], "active": "2025-11"}
DOMAIN = ("aws:apigatewayv2/domainName:DomainName", "api-domain")
UPLOAD = "cloudflare:index/authenticatedOriginPullsHostnameCertificate:AuthenticatedOriginPullsHostnameCertificate"
HOSTS = ("cloudflare:index/authenticatedOriginPulls:AuthenticatedOriginPulls", "origin-pulls-api")
OBJECT = ("aws:s3/bucketObjectv2:BucketObjectv2", "truststore-object")
SWITCH = ("cloudflare:index/zoneSetting:ZoneSetting", "tls-client-auth")


@pytest.fixture(scope="module")
def renewing() -> Deployed:
    return deploy(originPulls=PULLS)


def test_each_certificate_is_uploaded_under_its_own_name_and_the_active_one_is_presented(renewing: Deployed) -> None:
    uploads = renewing.of_type(UPLOAD)
    assert {name: upload["certificate"] for name, upload in uploads.items()} == {
        "origin-pull-2025-11": "certificate of 2025-11\n",
        "origin-pull-2026-11": "certificate of 2026-11\n",
    }
    [config] = renewing.inputs[HOSTS]["configs"]
    assert (config["hostname"], config["enabled"]) == ("api.tidewriters.example", True)
    assert renewing.inputs[SWITCH]["value"] == "on"


def test_the_api_trusts_the_authority_of_every_certificate_in_the_version_that_holds_them(
    renewing: Deployed, deployed: Deployed
) -> None:
    assert renewing.inputs[OBJECT]["content"] == "authority of 2025-11\nauthority of 2026-11\n"
    trust, one = (each.inputs[DOMAIN]["mutualTlsAuthentication"] for each in (renewing, deployed))
    assert trust["truststoreUri"] == f"s3://{renewing.inputs[OBJECT]['bucket']}/truststore.pem"
    assert trust["truststoreVersion"] != one["truststoreVersion"]


def test_the_bucket_is_private_encrypted_versioned_and_answers_by_tls_alone(renewing: Deployed) -> None:
    [block] = renewing.of_type("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock").values()
    switches = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    assert all(block[name] is True for name in switches)
    encryption = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    [rules] = [each["rules"] for each in renewing.of_type(encryption).values()]
    assert rules == [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}]
    [versioning] = renewing.of_type("aws:s3/bucketVersioning:BucketVersioning").values()
    assert versioning["versioningConfiguration"] == {"status": "Enabled"}
    [policy] = renewing.of_type("aws:s3/bucketPolicy:BucketPolicy").values()
    [statement] = json.loads(policy["policy"])["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_the_contract_names_the_certificate_and_its_end_and_nothing_secret(renewing: Deployed) -> None:
    assert renewing.contract["edge"]["origin_pulls"] == [
        {
            "host": "api.tidewriters.example",
            "certificate": "2025-11",
            "fingerprint": "ab" * 32,
            "not_after": "2027-12-23T00:00:00Z",
        }
    ]
    assert "private_key" not in json.dumps(renewing.contract, default=str)


def test_the_end_of_the_certificate_in_use_is_watched(renewing: Deployed) -> None:
    functions = renewing.of_type("aws:lambda/function:Function")
    told = {name: each["environment"]["variables"].get("ORIGIN_CERTIFICATE_ENDS") for name, each in functions.items()}
    assert {name for name, moment in told.items() if moment} == {"reconcile-function"}
    assert told["reconcile-function"] == "2027-12-23T00:00:00Z"
    alarm = renewing.inputs["aws:cloudwatch/metricAlarm:MetricAlarm", "alarm-origin-certificate-expiry"]
    assert (alarm["metricName"], alarm["threshold"], alarm["comparisonOperator"], alarm["statistic"]) == (
        "OriginCertificateDays",
        30,
        "LessThanThreshold",
        "Minimum",
    )
    assert alarm["dimensions"] == {"stack": "launch-ready-prod"}
    assert any(each["purpose"] == "origin-certificate" for each in renewing.contract["alarms"])


def test_a_certificate_that_is_only_presented_is_asked_for_by_nobody() -> None:
    presented = deploy(originPulls={"certificates": ["2026-11"], "active": "2026-11", "required": False})
    assert HOSTS in presented.inputs
    assert "mutualTlsAuthentication" not in presented.inputs[DOMAIN]
    assert presented.contract["edge"]["origin_pulls"] == []


def test_without_certificates_nothing_is_declared_but_the_switch_that_tenants_need() -> None:
    off = deploy(originPulls={"certificates": []})
    assert not off.of_type(UPLOAD)
    assert not {HOSTS, OBJECT} & set(off.inputs)
    assert "mutualTlsAuthentication" not in off.inputs[DOMAIN]
    assert off.inputs[SWITCH]["value"] == "on"


def test_the_api_asks_for_a_certificate_only_when_the_edge_has_it(graph: Graph) -> None:
    by_name = {resource.name: resource for resource in graph}
    assert by_name["origin-pulls-api"].urn in by_name["api-domain"].dependencies
    assert by_name["truststore-versioning"].urn in by_name["truststore-object"].dependencies


def test_nothing_is_touched_before_the_renewal_was_looked_at(graph: Graph) -> None:
    by_name = {resource.name: resource for resource in graph}
    assert by_name["origin-renewal"].urn in by_name["origin-certificate-2026-11"].dependencies
    for after in ("origin-pull-2026-11", "truststore-object"):
        assert by_name["origin-certificate-2026-11"].urn in by_name[after].dependencies


def test_the_private_key_is_secret_on_its_way_to_the_edge(graph: Graph) -> None:
    by_name = {resource.name: resource for resource in graph}
    assert by_name["origin-pull-2026-11"].inputs["privateKey"] == "[secret]"
    assert by_name["origin-certificate-2026-11"].options["additionalSecretOutputs"] == ["private_key"]


@pytest.mark.parametrize(
    ("pulls", "key", "limit"),
    [
        ({"certificates": ["2026-11"], "active": "2025-11"}, "active", "which are: 2026-11"),
        ({"certificates": ["2026-11"]}, "active", "which are: 2026-11"),
        ({"active": "2026-11"}, "active", "which are: none"),
        ({"certificates": ["a", "a"], "active": "a"}, "certificates", "named once"),
        ({"certificates": ["a", "b", "c", "d"], "active": "a"}, "certificates", "at most 3"),
        ({"certificates": ["Nov 2026"], "active": "Nov 2026"}, "certificates[0]", "must match"),
    ],
)
def test_what_could_not_be_presented_is_refused(pulls: dict[str, Any], key: str, limit: str) -> None:
    [said] = problems(originPulls=pulls)
    assert said.startswith(f"launch-ready:originPulls.{key}: got ")
    assert limit in said
