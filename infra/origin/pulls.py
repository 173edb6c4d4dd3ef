"""What proves to the API's origin that a request came through our edge: a client certificate of our own.

Cloudflare's default one is shared by all its customers, so it would prove nothing of our zone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_cloudflare as cloudflare
from pulumi.dynamic import Resource

from infra.component import Component
from infra.names.zone import Zone
from infra.origin.certificates import VALID_DAYS
from infra.origin.provider import CertificateProvider, RenewalProvider
from infra.origin.truststore import Truststore
from infra.settings import Stack


class Renewal(Resource):
    """Refuses, in the preview, a renewal that leaves out a step."""

    def __init__(self, owner: str, certificates: Sequence[str], active: str, parent: pulumi.Resource) -> None:
        super().__init__(
            RenewalProvider(),
            "origin-renewal",
            {"owner": owner, "certificates": list(certificates), "active": active},
            pulumi.ResourceOptions(parent=parent),
        )


class ClientCertificate(Resource):
    """A certificate of ours, made at the first `up` that knows its name; the key stays encrypted in the state."""

    authority: pulumi.Output[str]
    certificate: pulumi.Output[str]
    private_key: pulumi.Output[str]
    fingerprint: pulumi.Output[str]
    not_after: pulumi.Output[str]

    def __init__(self, owner: str, name: str, renewal: Renewal, parent: pulumi.Resource) -> None:
        made = dict.fromkeys(("authority", "certificate", "private_key", "fingerprint", "not_after"))
        super().__init__(
            CertificateProvider(),
            f"origin-certificate-{name}",
            {"owner": owner, "name": name, "valid_days": VALID_DAYS, **made},
            # Everything else follows from the certificates, so nothing is touched before the renewal was looked at.
            pulumi.ResourceOptions(parent=parent, depends_on=[renewal], additional_secret_outputs=["private_key"]),
        )


@dataclass(frozen=True, kw_only=True)
class Presented:
    """The certificate that the edge presents to the origin of `host`."""

    host: str
    name: str
    certificate: ClientCertificate


class OriginPulls(Component):
    """Our client certificates at the edge, and the truststore that the API knows them by.

    `presented` is None where none is declared. Everything is named after a certificate's own name, so that a renewal
    adds and removes and never replaces: a certificate at the edge cannot be changed.
    """

    def __init__(self, stack: Stack, zone: Zone) -> None:
        super().__init__("origin-pulls")
        settings = stack.settings.origin_pulls
        self.required = settings.required
        self.presented: Presented | None = None
        self._truststore: Truststore | None = None
        self.ready = self._switched_on(stack, zone)
        if settings.active is not None:
            renewal = Renewal(stack.prefix, settings.certificates, settings.active, self)
            made = {name: ClientCertificate(stack.prefix, name, renewal, self) for name in settings.certificates}
            uploads = {name: self._upload(zone, name, certificate) for name, certificate in made.items()}
            self.presented = Presented(host=stack.api_host, name=settings.active, certificate=made[settings.active])
            self.ready.append(self._association(stack, zone, uploads[settings.active]))
            self._truststore = Truststore(stack, [certificate.authority for certificate in made.values()], self)
        self.register_outputs({})

    @property
    def mutual_tls(self) -> aws.apigatewayv2.DomainNameMutualTlsAuthenticationArgs | None:
        """What the API's custom domain asks of its clients; None: nothing."""
        if self._truststore is None or not self.required:
            return None
        return aws.apigatewayv2.DomainNameMutualTlsAuthenticationArgs(
            truststore_uri=self._truststore.uri, truststore_version=self._truststore.version
        )

    def contract(self) -> list[dict[str, Any]]:
        """The contract's part: the hosts whose origin asks for our certificate."""
        if self.presented is None or not self.required:
            return []
        return [
            {
                "host": self.presented.host,
                "certificate": self.presented.name,
                "fingerprint": self.presented.certificate.fingerprint,
                "not_after": self.presented.certificate.not_after,
            }
        ]

    def _upload(
        self, zone: Zone, name: str, made: ClientCertificate
    ) -> cloudflare.AuthenticatedOriginPullsHostnameCertificate:
        return cloudflare.AuthenticatedOriginPullsHostnameCertificate(
            f"origin-pull-{name}",
            zone_id=zone.id,
            certificate=made.certificate,
            private_key=pulumi.Output.secret(made.private_key),
            opts=self.child(),
        )

    def _association(
        self, stack: Stack, zone: Zone, upload: cloudflare.AuthenticatedOriginPullsHostnameCertificate
    ) -> pulumi.Resource:
        return cloudflare.AuthenticatedOriginPulls(
            "origin-pulls-api",
            zone_id=zone.id,
            configs=[
                cloudflare.AuthenticatedOriginPullsConfigArgs(hostname=stack.api_host, cert_id=upload.id, enabled=True)
            ],
            opts=self.child(),
        )

    def _switched_on(self, stack: Stack, zone: Zone) -> list[pulumi.Resource]:
        """The zone's own switch, without which no host name has certificates; the owner's to turn, for tenants too.

        https://developers.cloudflare.com/ssl/origin-configuration/authenticated-origin-pull/set-up/per-hostname/
        """
        if not stack.owns_zone or not (stack.settings.origin_pulls.active or stack.tenants):
            return []
        switch = cloudflare.ZoneSetting(
            "tls-client-auth", zone_id=zone.id, setting_id="tls_client_auth", value="on", opts=self.child()
        )
        return [switch]
