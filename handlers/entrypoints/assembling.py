"""What apply and sweep put together alike."""

from functools import partial

from handlers.adapters.secrets import get_secret
from handlers.adapters.store import Store
from handlers.adapters.stripe_read import StripeReader
from handlers.core import identity
from handlers.entrypoints.asking import Asking, ClaimLinks
from handlers.entrypoints.environment import RecordSettings
from handlers.entrypoints.recording import Recorder


def stripe_reader(settings: RecordSettings) -> StripeReader:
    """Stripe, as the stack's read key may see it."""
    return StripeReader(partial(get_secret, settings.stripe_secret), settings.stripe_api_base)


def asking(settings: RecordSettings, recorder: Recorder, store: Store) -> Asking:
    """Who asks Stripe what no event tells."""
    return Asking(
        recorder=recorder,
        store=store,
        stripe=stripe_reader(settings),
        reading=settings.table.policy.reading(),
        claims=_claim_links(settings),
    )


def _claim_links(settings: RecordSettings) -> ClaimLinks | None:
    secret = settings.identity_secret
    if secret is None or settings.claim_url is None:
        return None
    keys = partial(_keys, secret)
    return ClaimLinks(url=settings.claim_url, days=settings.claim_days, keys=keys)


def _keys(secret: str) -> tuple[str, ...]:
    return identity.parse_keys(get_secret(secret))
