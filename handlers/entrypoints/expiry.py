"""How long the certificate is good for that the edge shows to the API: without it, no event arrives.

No vendor that we hold it at tells our alarms, so reconcile does, some times a day.
"""

from collections.abc import Mapping
from datetime import datetime

from handlers.adapters.logs import metric
from handlers.core.policy import DAY_SECONDS
from handlers.entrypoints.environment import SettingsError
from handlers.settings import Env

METRIC = "OriginCertificateDays"


def tell_days_left(environ: Mapping[str, str], now: float) -> None:
    """Print the metric that an alarm watches, days and less than none once it is over; nothing without a certificate.

    Raises SettingsError when the moment is none.
    """
    text = environ.get(Env.ORIGIN_CERTIFICATE_ENDS)
    if not text:
        return
    try:
        ends = datetime.fromisoformat(text)
    except ValueError as error:
        raise SettingsError(f"{Env.ORIGIN_CERTIFICATE_ENDS} must be a moment as in RFC 3339, got {text!r}") from error
    if ends.tzinfo is None:
        raise SettingsError(f"{Env.ORIGIN_CERTIFICATE_ENDS} must say its offset from UTC, got {text!r}")
    metric(METRIC, round((ends.timestamp() - now) / DAY_SECONDS, 2), "None")
