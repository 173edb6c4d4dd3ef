"""Secrets in AWS Secrets Manager: what the functions read when they start."""

import json
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from handlers.settings import DESTINATIONS
from infra.component import Component
from infra.settings import Settings, Stack

SIGNING = "stripe-signing"
STRIPE_READ = "stripe-read"
IDENTITY = "identity"


@dataclass(frozen=True)
class StoredSecret:
    """One secret, by its physical name."""

    name: str
    purpose: str
    resource: aws.secretsmanager.Secret

    @property
    def arn(self) -> pulumi.Output[str]:
        """Its ARN, by which functions ask for it and roles allow it."""
        return self.resource.arn


class Secrets(Component):
    """One secret for each purpose: signing secrets, Stripe's read key, the identity keys, each destination's key.

    Purposes are "stripe-signing", "stripe-read", "identity" and the names of the destinations. The value of
    stripe-signing comes from the endpoint that Stripe makes, see `hold_signing`; that of identity is JSON with the key
    that the app signs user ids with now, and the one from before while it is rolled.
    """

    def __init__(self, stack: Stack) -> None:
        super().__init__("secrets")
        self._stack = stack
        purposes = (SIGNING, STRIPE_READ, IDENTITY, *(spec.name for spec in DESTINATIONS))
        self.stored = {purpose: self._secret(purpose) for purpose in purposes}
        self.held: dict[str, aws.secretsmanager.SecretVersion] = {}
        self._hold(STRIPE_READ, _plain(stack.settings, "stripeReadKey"))
        self._hold(IDENTITY, _identity(stack.settings))
        for spec in DESTINATIONS:
            self._hold(spec.name, _plain(stack.settings, spec.config_secret))
        self.register_outputs({})

    def hold_signing(self, value: pulumi.Output[str]) -> aws.secretsmanager.SecretVersion:
        """Store the webhook's signing secrets, JSON {"current": "whsec_…", "previous": "whsec_…" | null}."""
        return self._hold(SIGNING, value)

    def _secret(self, purpose: str) -> StoredSecret:
        name = f"{self._stack.prefix}/{purpose}"
        protect = self._stack.settings.protect
        resource = aws.secretsmanager.Secret(
            f"secret-{purpose}",
            name=name,
            description=f"Rolled by hand: launch-ready roll {purpose}, see docs/secrets.md",
            # A stack that may be destroyed must also be able to come back: a secret in recovery keeps its name.
            recovery_window_in_days=30 if protect else 0,
            opts=self.child(protect=protect),
        )
        return StoredSecret(name, purpose, resource)

    def _hold(self, purpose: str, value: pulumi.Input[str]) -> aws.secretsmanager.SecretVersion:
        self.held[purpose] = aws.secretsmanager.SecretVersion(
            f"secret-{purpose}-value",
            secret_id=self.stored[purpose].resource.id,
            secret_string=value,
            opts=self.child(),
        )
        return self.held[purpose]


def _identity(settings: Settings) -> pulumi.Output[str]:
    """JSON {"current": key, "previous": key | null}."""
    current, previous = settings.identity_key.get_secret_value(), settings.identity_key_previous.get_secret_value()
    return pulumi.Output.secret(json.dumps({"current": current, "previous": previous or None}))


def _plain(settings: Settings, key: str) -> pulumi.Output[str]:
    """The secret behind a configuration key, marked so that it is encrypted in the state."""
    for name, field in type(settings).model_fields.items():
        if field.alias == key:
            return pulumi.Output.secret(getattr(settings, name).get_secret_value())
    raise pulumi.RunError(f"handlers.settings names the configuration key {key!r}, which infra.settings does not have")
