"""Reads the table, the secrets' descriptions and the certificates. Nothing here writes."""

from dataclasses import dataclass
from typing import Any

import botocore.exceptions

from checks.probes.aws.client import asking, missing
from checks.scope import Scope


@dataclass(frozen=True, kw_only=True)
class TableFacts:
    """The table's protections."""

    name: str
    exists: bool
    deletion_protection: bool = False
    point_in_time_recovery: bool = False


def table(scope: Scope) -> TableFacts:
    """The table's protections."""
    name = scope.contract.table.name
    with asking(scope, f"reading the table {name}") as aws:
        dynamodb = aws("dynamodb")
        try:
            described = dynamodb.describe_table(TableName=name)["Table"]
        except botocore.exceptions.ClientError as error:
            if missing(error):
                return TableFacts(name=name, exists=False)
            raise
        backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    recovery = backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
    return TableFacts(
        name=name,
        exists=True,
        deletion_protection=bool(described.get("DeletionProtectionEnabled")),
        point_in_time_recovery=recovery == "ENABLED",
    )


def secrets(scope: Scope) -> tuple[tuple[str, bool], ...]:
    """Each declared secret's name and whether it has a current value; no value is read."""
    with asking(scope, "reading the secrets' descriptions") as aws:
        manager = aws("secretsmanager")
        return tuple((secret.name, _has_value(manager, secret.arn)) for secret in scope.contract.secrets)


def certificates(scope: Scope) -> tuple[tuple[str, str], ...]:
    """Each declared certificate's domain and status ("ISSUED" when it serves)."""
    found = []
    with asking(scope, "reading the certificates") as aws:
        for certificate in scope.contract.certificates:
            acm = aws("acm", certificate.region)
            described = acm.describe_certificate(CertificateArn=certificate.arn)["Certificate"]
            found.append((certificate.domain, described["Status"]))
    return tuple(found)


def _has_value(manager: Any, arn: str) -> bool:
    try:
        versions = manager.describe_secret(SecretId=arn).get("VersionIdsToStages", {})
    except botocore.exceptions.ClientError as error:
        if missing(error):
            return False
        raise
    return any("AWSCURRENT" in stages for stages in versions.values())
