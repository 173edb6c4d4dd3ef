"""What each function is for: what it is told, and what it may do, which is no more than that takes."""

import json

import pulumi

from handlers.settings import DestinationSpec, Env
from infra import permissions
from infra.api import ApiHost
from infra.functions import Duty
from infra.permissions import Statement
from infra.queues import Queues, WorkQueue
from infra.secrets import IDENTITY, SIGNING, STRIPE_READ, Secrets
from infra.settings import STRIPE_API, Settings, Stack
from infra.table import Table
from infra.timing import APPLY, BRIDGE, CLAIMS, MEMBERS, RECONCILE, SWEEP, SYNC, UNDELIVERED, WEBHOOK


class Duties:
    """The duties of one stack's functions."""

    def __init__(self, stack: Stack, host: ApiHost, queues: Queues, table: Table, secrets: Secrets) -> None:
        self._stack, self._host = stack, host
        self._queues, self._table, self._secrets = queues, table, secrets

    def webhook(self) -> Duty:
        """Verify and enqueue, nothing else."""
        signing = self._secrets.stored[SIGNING].arn
        return Duty(
            name="webhook",
            entrypoint="webhook",
            timing=WEBHOOK,
            environment={
                Env.STACK: self._stack.prefix,
                Env.LIVEMODE: _flag(self._stack.settings.livemode),
                Env.EVENTS_QUEUE_URL: self._queues.events.url,
                Env.SIGNING_SECRET_ID: signing,
                Env.BAD_SIGNATURE_STATUS: str(self._stack.settings.webhook.bad_signature),
            },
            statements=[
                Statement("SendEvents", permissions.SEND, [self._queues.events.arn]),
                Statement("ReadSigningSecret", permissions.READ_SECRET, [signing]),
            ],
        )

    def apply(self) -> Duty:
        """Turn an event into facts and the member's new state."""
        return Duty(
            name="apply",
            entrypoint="apply",
            timing=APPLY,
            environment={
                **self._common(),
                **self._stripe(),
                **self._identity(),
                Env.LIVEMODE: _flag(self._stack.settings.livemode),
                Env.SYNC_QUEUE_URLS: self._queues.sync_urls,
            },
            statements=[
                Statement("TakeEvents", permissions.RECEIVE, [self._queues.events.arn]),
                *self._record(),
                self._nudge(),
                self._read_stripe(),
                self._read_identity(),
            ],
        )

    def bridge(self, source: str, queue: WorkQueue) -> Duty:
        """Take Stripe's events from EventBridge, be sure that they are for this stack, and enqueue them."""
        return Duty(
            name="bridge",
            entrypoint="bridge",
            timing=BRIDGE,
            environment={
                Env.STACK: self._stack.prefix,
                Env.LIVEMODE: _flag(self._stack.settings.livemode),
                Env.EVENTS_QUEUE_URL: self._queues.events.url,
                Env.EVENT_SOURCE: source,
                Env.AWS_ACCOUNT: queue.arn.apply(account_of),
            },
            statements=[
                Statement("TakeFromEventBridge", permissions.RECEIVE, [queue.arn]),
                Statement("SendEvents", permissions.SEND, [self._queues.events.arn]),
            ],
        )

    def members(self) -> Duty:
        """Answer what a member may see now."""
        return Duty(
            name="members",
            entrypoint="members",
            timing=MEMBERS,
            environment=self._common(),
            statements=[Statement("ReadMembers", permissions.READ_ITEM, [self._table.arn])],
        )

    def claims(self) -> Duty:
        """Give what a payer bought to the user that the app vouches for."""
        return Duty(
            name="claims",
            entrypoint="claims",
            timing=CLAIMS,
            environment={
                **self._common(),
                **self._identity(),
                Env.LIVEMODE: _flag(self._stack.settings.livemode),
                Env.SYNC_QUEUE_URLS: self._queues.sync_urls,
            },
            statements=[*self._record(), self._nudge(), self._read_identity()],
        )

    def sweep(self) -> Duty:
        """Nudge what is due, let time take effect, ask Stripe about facts that nobody claims; make claim links."""
        return Duty(
            name="sweep",
            entrypoint="sweep",
            timing=SWEEP,
            environment={
                **self._common(),
                **self._stripe(),
                **self._claim_links(),
                Env.SYNC_QUEUE_URLS: self._queues.sync_urls,
            },
            statements=[
                *self._record(),
                Statement("FindWhatIsDue", permissions.QUERY_INDEX, [self._table.due_index_arn]),
                self._nudge(),
                self._read_stripe(),
                *([self._read_identity()] if self._claim_links() else []),
            ],
        )

    def reconcile(self) -> Duty:
        """Find what Stripe knows and no event told, and bring it the way that events come."""
        return Duty(
            name="reconcile",
            entrypoint="reconcile",
            timing=RECONCILE,
            environment={
                **self._common(),
                **self._stripe(),
                **self._identity(),
                Env.LIVEMODE: _flag(self._stack.settings.livemode),
                Env.EVENTS_QUEUE_URL: self._queues.events.url,
                Env.SYNC_QUEUE_URLS: self._queues.sync_urls,
                Env.DESTINATION_MODES: json.dumps(self._stack.settings.destinations.switches()),
                **self._certificate_in_use(),
            },
            statements=[
                *self._record(),
                Statement("FindWhatLags", permissions.SCAN, [self._table.arn]),
                Statement("SendEvents", permissions.SEND, [self._queues.events.arn]),
                self._nudge(),
                self._read_stripe(),
                self._read_identity(),
            ],
            # A new schedule runs at once, and the first run must find the keys.
            depends_on=[self._secrets.held[purpose] for purpose in (STRIPE_READ, IDENTITY)],
        )

    def undelivered(self) -> Duty:
        """Read the dead letters: what nobody could work off is written down, and somebody is told."""
        return Duty(
            name="undelivered",
            entrypoint="undelivered",
            timing=UNDELIVERED,
            environment={**self._common(), Env.SYNC_QUEUE_URLS: self._queues.sync_urls},
            statements=[
                Statement("TakeDeadLetters", permissions.RECEIVE, [queue.dead.arn for queue in self._queues.ours]),
                self._write(),
                self._nudge(),
            ],
        )

    def sync(self, spec: DestinationSpec) -> Duty:
        """Bring one destination to the desired state; it reads its own vendor's key and no other."""
        key = self._secrets.stored[spec.name].arn
        settings = self._stack.settings.destinations.of(spec.name)
        return Duty(
            name=f"sync-{spec.name}",
            entrypoint="sync",
            timing=SYNC,
            destination=spec.name,
            environment={
                **self._common(),
                Env.DESTINATION: spec.name,
                Env.DESTINATION_SECRET_ID: key,
                Env.DESTINATION_MODE: json.dumps(settings.switch()),
                Env.DESTINATION_OPTIONS: json.dumps(settings.options()),
            },
            statements=[
                Statement("TakeNudges", permissions.RECEIVE, [self._queues.sync[spec.name].arn]),
                *self._deliver(),
                Statement("ReadVendorKey", permissions.READ_SECRET, [key]),
            ],
        )

    def _common(self) -> dict[str, pulumi.Input[str]]:
        return {
            Env.STACK: self._stack.prefix,
            Env.TABLE_NAME: self._table.name,
            Env.POLICY: membership_policy(self._stack.settings),
        }

    def _stripe(self) -> dict[str, pulumi.Input[str]]:
        base = self._stack.settings.stripe_api_base
        elsewhere = {} if base == STRIPE_API else {Env.STRIPE_API_BASE: base}
        return {Env.STRIPE_SECRET_ID: self._secrets.stored[STRIPE_READ].arn, **elsewhere}

    def _identity(self) -> dict[str, pulumi.Input[str]]:
        return {Env.IDENTITY_SECRET_ID: self._secrets.stored[IDENTITY].arn}

    def _claim_links(self) -> dict[str, pulumi.Input[str]]:
        """What it takes to make claim links; nothing where payers cannot claim."""
        identity = self._stack.settings.identity
        if identity.claim_url is None:
            return {}
        return {**self._identity(), Env.CLAIM_URL: identity.claim_url, Env.CLAIM_DAYS: str(identity.claim_days)}

    def _certificate_in_use(self) -> dict[str, pulumi.Input[str]]:
        """When the certificate ends that the edge shows to the API; nothing where it shows none."""
        presented = self._host.origin_pulls.presented
        return {Env.ORIGIN_CERTIFICATE_ENDS: presented.certificate.not_after} if presented else {}

    def _record(self) -> list[Statement]:
        """What it takes to record facts: nodes are read in batches and written in one transaction."""
        return [
            Statement("ReadNodes", permissions.READ_ITEMS, [self._table.arn]),
            self._write(),
        ]

    def _write(self) -> Statement:
        return Statement("WriteNodes", (permissions.PUT, permissions.UPDATE), [self._table.arn])

    def _deliver(self) -> list[Statement]:
        """What it takes to deliver: one member is read; the delivery, its alert and the vendor's breaker change."""
        changes = (permissions.PUT, permissions.UPDATE, permissions.DELETE)
        return [
            Statement("ReadMember", permissions.READ_ITEM, [self._table.arn]),
            Statement("WriteDeliveries", changes, [self._table.arn]),
        ]

    def _nudge(self) -> Statement:
        return Statement("NudgeDestinations", permissions.SEND, [queue.arn for queue in self._queues.sync.values()])

    def _read_stripe(self) -> Statement:
        return Statement("ReadStripeKey", permissions.READ_SECRET, [self._secrets.stored[STRIPE_READ].arn])

    def _read_identity(self) -> Statement:
        return Statement("ReadIdentityKeys", permissions.READ_SECRET, [self._secrets.stored[IDENTITY].arn])


def membership_policy(settings: Settings) -> str:
    """The policy that the functions compute membership by, as handlers.core.policy reads it."""
    return json.dumps(
        {
            "products": [product.model_dump(exclude_none=True) for product in settings.products],
            **settings.policy.model_dump(),
            "user_id_key": settings.user_id_metadata_key,
            "price_key": settings.price_metadata_key,
            "unsigned_reference": settings.identity.unsigned_reference,
        }
    )


def account_of(arn: str) -> str:
    """The number of the AWS account that an ARN belongs to."""
    return arn.split(":")[4]


def _flag(value: bool) -> str:
    return "true" if value else "false"
