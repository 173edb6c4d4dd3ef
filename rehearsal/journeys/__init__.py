"""The journeys of a rehearsal, in the order in which they are told."""

from rehearsal.journeys.deliveries import DELIVERIES
from rehearsal.journeys.disputes import DISPUTES
from rehearsal.journeys.endings import ENDINGS
from rehearsal.journeys.losses import LOSSES
from rehearsal.journeys.model import Journey
from rehearsal.journeys.pauses import PAUSES
from rehearsal.journeys.payments import PAYMENTS
from rehearsal.journeys.people import PEOPLE
from rehearsal.journeys.purchases import PURCHASES
from rehearsal.journeys.renewals import RENEWALS
from rehearsal.journeys.secrets import SECRETS
from rehearsal.journeys.strangers import STRANGERS
from rehearsal.journeys.vendors import VENDORS

JOURNEYS: tuple[Journey, ...] = (
    *PURCHASES,
    *PAYMENTS,
    *RENEWALS,
    *PAUSES,
    *ENDINGS,
    *DISPUTES,
    *PEOPLE,
    *STRANGERS,
    *DELIVERIES,
    *VENDORS,
    *LOSSES,
    *SECRETS,
)
