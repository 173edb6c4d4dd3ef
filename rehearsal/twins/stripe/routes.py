"""Every API call that the twin answers."""

from rehearsal.twins.stripe.api import (
    catalog,
    checkout,
    clocks,
    customers,
    disputes,
    invoices,
    payments,
    subscriptions,
    thin,
    webhooks,
)

ROUTES = (
    *customers.ROUTES,
    *catalog.ROUTES,
    *checkout.ROUTES,
    *subscriptions.ROUTES,
    *invoices.ROUTES,
    *payments.ROUTES,
    *disputes.ROUTES,
    *webhooks.ROUTES,
    *thin.ROUTES,
    *clocks.ROUTES,
)
