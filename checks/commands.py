"""Shell commands with which a person sees what a check saw."""

import shlex
from collections.abc import Callable

from checks.probes.dns import PUBLIC_RESOLVERS
from checks.scope import Scope

Command = Callable[[Scope], str]


def dig(scope: Scope, name: str, kind: str) -> str:
    """Ask the resolver of the vantage."""
    host, port = scope.vantage.resolver or PUBLIC_RESOLVERS[0]
    return shlex.join(["dig", f"@{host}", "-p", str(port), "+noall", "+answer", name, kind])


def curl(scope: Scope, url: str, *options: str) -> str:
    """Request a URL over the ports and with the trust of the vantage, showing the answer's headers."""
    words = ["curl", "-sS", "-o", "/dev/null", "-D", "-"]
    if scope.vantage.ca_file:
        words += ["--cacert", scope.vantage.ca_file]
    for public, dialled in sorted(scope.vantage.ports.items()):
        words += ["--connect-to", f":{public}:127.0.0.1:{dialled}"]
    return shlex.join([*words, *options, url])


def openssl(scope: Scope, host: str, *options: str) -> str:
    """Shake hands with a host."""
    dialled = scope.vantage.ports.get(443)
    address = f"127.0.0.1:{dialled}" if dialled else f"{host}:443"
    return shlex.join(["openssl", "s_client", "-connect", address, "-servername", host, *options]) + " </dev/null"


def aws(scope: Scope, *words: str, region: str | None = None) -> str:
    """Ask AWS where the vantage says that it answers."""
    access = scope.vantage.aws
    place = ["--endpoint-url", access.endpoint] if access and access.endpoint else []
    return shlex.join(["aws", *place, "--region", region or scope.contract.region, *words])


def stripe(scope: Scope, path: str) -> str:
    """Ask Stripe's API; the key stays in the environment."""
    base = scope.vantage.stripe.api_base if scope.vantage.stripe else "https://api.stripe.com"
    return f'curl -sS {shlex.quote(f"{base}{path}")} -u "$STRIPE_API_KEY:"'


def cloudflare(scope: Scope, path: str) -> str:
    """Ask Cloudflare's API; the token stays in the environment."""
    base = scope.vantage.cloudflare.api_base if scope.vantage.cloudflare else "https://api.cloudflare.com/client/v4"
    return f'curl -sS {shlex.quote(f"{base}{path}")} -H "Authorization: Bearer $CLOUDFLARE_API_TOKEN"'


def only(check_id: str) -> Command:
    """Run one check again."""
    return lambda _: f"launch-ready check --contract contract.json --only {check_id}"
