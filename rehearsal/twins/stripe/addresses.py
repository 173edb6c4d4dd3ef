"""The addresses that webhooks come from, as Stripe publishes them: https://docs.stripe.com/ips."""

import json

from rehearsal.twins.stripe.service import HttpRequest, HttpResponse

PATH = "/files/ips/ips_webhooks.json"  # at stripe.com; the twin serves it beside the API
ADDRESSES = (
    *("3.18.12.63", "3.69.109.8", "3.120.168.93", "3.130.192.231", "13.235.14.237", "13.235.122.149"),
    *("18.211.135.69", "35.154.171.200", "35.157.207.129", "52.15.183.38", "54.88.130.119", "54.88.130.237"),
    *("54.187.174.169", "54.187.205.235", "54.187.216.72"),
)


def serve(request: HttpRequest) -> HttpResponse:
    """The list, which anybody may read."""
    if request.method != "GET":
        return HttpResponse(405, {"content-type": "text/plain", "allow": "GET"}, b"only GET is allowed")
    return HttpResponse(200, {"content-type": "application/json"}, json.dumps({"WEBHOOKS": list(ADDRESSES)}).encode())
