"""The journeys of a rehearsal, in the order in which they are told."""

from rehearsal.journeys.deliveries import DELIVERIES
from rehearsal.journeys.endings import ENDINGS
from rehearsal.journeys.model import Journey
from rehearsal.journeys.purchases import PURCHASES
from rehearsal.journeys.renewals import RENEWALS
from rehearsal.journeys.vendors import VENDORS

JOURNEYS: tuple[Journey, ...] = (*PURCHASES, *RENEWALS, *ENDINGS, *DELIVERIES, *VENDORS)
