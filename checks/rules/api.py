"""Rules over the API behind its custom domain."""

import json

from checks.contract import Contract
from checks.model import Verdict, judge
from checks.probes.aws.access import ApiFacts
from checks.probes.http import Exchange


def health(_contract: Contract, facts: Exchange) -> Verdict:
    """api.health: the health route answers 200 through the edge, and the function says that it is well.

    The body must be JSON with "status": "ok": a 200 alone may be anybody's on the way.
    """
    well = facts.status == 200 and _says_ok(facts.body)
    problems = [] if well else [f"{facts.line()}: {facts.body[:120]}"]
    return judge(
        '200 {"status": "ok"}', seen=facts.line(), problems=problems, evidence=(facts.line(), facts.body[:200])
    )


def _says_ok(body: str) -> bool:
    try:
        said = json.loads(body)
    except ValueError:
        return False
    return isinstance(said, dict) and said.get("status") == "ok"


def default_endpoint(_contract: Contract, facts: ApiFacts) -> Verdict:
    """api.default-endpoint: the API answers at its custom domain only (AWS, DisableExecuteApiEndpoint).

    The default endpoint would be a way around the edge.
    """
    if facts.api_id is None:
        return judge("an API behind the custom domain", seen="", problems=[f"no API is mapped to {facts.domain}"])
    problems = [] if facts.default_endpoint_disabled else [f"the default endpoint of API {facts.api_id} is enabled"]
    return judge("the default endpoint disabled", seen=f"API {facts.api_id}", problems=problems)


def members_auth(contract: Contract, facts: tuple[ApiFacts, tuple[Exchange, ...]]) -> Verdict:
    """api.members-auth: the members and claims routes take IAM-signed requests only; an unsigned one is 403.

    AWS, "IAM authorization for HTTP APIs". What a signed caller may read is not judged here: a journey reads it.
    """
    api, unsigned = facts
    problems: list[str] = []
    for url in (contract.endpoints.members, contract.endpoints.claims):
        path = "/" + url.split("/", 3)[3].partition("{")[0]
        ours = [(key, kind) for key, kind in api.routes if path in key]
        problems += [f"route {key} has authorization {kind}" for key, kind in ours if kind != "AWS_IAM"]
        problems += [] if ours else [f"no route for {path}"]
    problems += [f"route $default has authorization {kind}" for key, kind in api.routes if key == "$default"]
    problems += [f"unsigned {answer.line()}" for answer in unsigned if answer.status not in {401, 403}]
    return judge(
        "AWS_IAM on the routes, 403 to unsigned requests",
        seen="; ".join(answer.line() for answer in unsigned),
        problems=problems,
        evidence=(*(answer.line() for answer in unsigned), *(f"{key}: {kind}" for key, kind in api.routes)),
    )
