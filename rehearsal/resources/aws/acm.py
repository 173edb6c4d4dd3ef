"""Certificates, and their validation through the DNS records that were declared."""

from typing import Any

from rehearsal.resources.handler import Created, CreateOnly, Declared, RefusedError
from rehearsal.target import Target


class Certificate(CreateOnly):
    """aws:acm/certificate:Certificate; its id is its ARN."""

    type = "aws:acm/certificate:Certificate"

    def create(self, declared: Declared, target: Target) -> Created:
        """See ResourceHandler."""
        inputs = declared.inputs
        if inputs.get("validationMethod") != "DNS":
            raise RefusedError(
                f"{declared}: a rehearsal validates certificates by DNS, got {inputs.get('validationMethod')}"
            )
        request: dict[str, Any] = {"DomainName": inputs["domainName"], "ValidationMethod": "DNS"}
        if inputs.get("subjectAlternativeNames"):
            request["SubjectAlternativeNames"] = inputs["subjectAlternativeNames"]
        if inputs.get("keyAlgorithm"):
            request["KeyAlgorithm"] = inputs["keyAlgorithm"]
        arn = target.client("acm").request_certificate(**request)["CertificateArn"]
        found = target.client("acm").describe_certificate(CertificateArn=arn)["Certificate"]
        options = [_option(option) for option in found["DomainValidationOptions"]]
        outputs = {"arn": arn, "domainName": inputs["domainName"], "domainValidationOptions": options}
        return Created(arn, outputs)

    def read(self, id_: str, target: Target) -> dict[str, Any] | None:
        """See ResourceHandler."""
        acm = target.client("acm")
        try:
            found = acm.describe_certificate(CertificateArn=id_)["Certificate"]
        except acm.exceptions.ResourceNotFoundException:
            return None
        return {"arn": id_, "domainName": found["DomainName"], "status": found["Status"]}

    def delete(self, id_: str, target: Target) -> None:
        """See ResourceHandler."""
        acm = target.client("acm")
        try:
            acm.delete_certificate(CertificateArn=id_)
        except acm.exceptions.ResourceNotFoundException:
            return


class CertificateValidation(CreateOnly):
    """aws:acm/certificateValidation:CertificateValidation; it waits for nothing but looks at the declared zone.

    On AWS a missing or wrong record shows as a time-out after 75 minutes; here it is an error that names the record.
    """

    type = "aws:acm/certificateValidation:CertificateValidation"

    def create(self, declared: Declared, target: Target) -> Created:
        """See ResourceHandler."""
        arn = declared.inputs["certificateArn"]
        found = target.client("acm").describe_certificate(CertificateArn=arn)["Certificate"]
        for option in found["DomainValidationOptions"]:
            _refuse_missing_record(declared, _option(option), target)
        return Created(arn, {"certificateArn": arn})


def _refuse_missing_record(declared: Declared, option: dict[str, str], target: Target) -> None:
    name, value = option["resourceRecordName"].rstrip("."), option["resourceRecordValue"].rstrip(".")
    records = target.zone.find_records(name)
    cnames = [str(record["content"]).rstrip(".") for record in records if record["type"] == "CNAME"]
    if value.lower() in (content.lower() for content in cnames):
        if any(record.get("proxied") for record in records):
            raise RefusedError(f"{declared}: the validation record {name} is proxied, so that ACM cannot see it")
        return
    there = f"it holds {', '.join(cnames)}" if cnames else "the zone has no such record"
    raise RefusedError(
        f"{declared}: ACM would never issue the certificate: it wants CNAME {name} -> {value}, and {there}. "
        "Declare the record of `domainValidationOptions`, and let this resource depend on it"
    )


def _option(option: dict[str, Any]) -> dict[str, str]:
    record = option["ResourceRecord"]
    return {
        "domainName": option["DomainName"],
        "resourceRecordName": record["Name"],
        "resourceRecordType": record["Type"],
        "resourceRecordValue": record["Value"],
    }


HANDLERS = (Certificate(), CertificateValidation())
