"""Every API call that the twin answers."""

from rehearsal.twins.stripe.api import catalog, checkout, clocks, customers, invoices, payments, subscriptions, webhooks

ROUTES = (
    *customers.ROUTES,
    *catalog.ROUTES,
    *checkout.ROUTES,
    *subscriptions.ROUTES,
    *invoices.ROUTES,
    *payments.ROUTES,
    *webhooks.ROUTES,
    *clocks.ROUTES,
)
