"""A Stripe stand-in that the official SDK talks to."""

from rehearsal.twins.stripe.settings import API_VERSION, Billing, Delivering
from rehearsal.twins.stripe.transport import Attempt
from rehearsal.twins.stripe.twin import DishonestEventError, StripeTwin

__all__ = ["API_VERSION", "Attempt", "Billing", "Delivering", "DishonestEventError", "StripeTwin"]
