"""Rules over who may call the API from a browser."""

from checks.contract import Contract
from checks.model import Verdict, judge
from checks.probes.cors import CrossFacts
from checks.probes.http import Exchange

ORIGIN, CREDENTIALS = "access-control-allow-origin", "access-control-allow-credentials"


def strangers(_contract: Contract, facts: tuple[CrossFacts, ...]) -> Verdict:
    """edge.cors: no origin but the declared ones may read the API, and none with credentials (ASVS 5.0 3.4.2, Fetch).

    Tried with a stranger, `null`, an allowed host with something before or behind it, and one over plain http.
    """
    problems = []
    for one in facts:
        told = one.answer.header(ORIGIN)
        if told in {"*", one.origin}:
            problems.append(f"{one.answer.method} {one.answer.url} from {one.origin}: {ORIGIN}: {told}")
        if one.answer.header(CREDENTIALS):
            problems.append(f"{one.answer.url} from {one.origin}: {CREDENTIALS}: {one.answer.header(CREDENTIALS)}")
    return judge(
        "no Access-Control-Allow-Origin for origins that are not declared, never with credentials",
        seen=f"{len(facts)} requests, none may be read",
        problems=problems,
        evidence=tuple(_line(one) for one in facts),
    )


def preflight(contract: Contract, facts: tuple[CrossFacts, ...]) -> Verdict:
    """edge.preflight: each declared origin is allowed by its own name, with exactly the declared methods (Fetch).

    Where several origins are declared the answer varies with them, and must say so (Vary: Origin): else a cache would
    give one the answer of another.
    """
    cors = contract.edge.cors
    methods = {method.upper() for method in cors.methods} if cors else set()
    many = bool(cors and len(cors.origins) > 1)
    problems = []
    for one in facts:
        told = one.answer.header(ORIGIN)
        allowed = {part.strip().upper() for part in one.answer.header("access-control-allow-methods").split(",")}
        if not 200 <= one.answer.status < 300 or told != one.origin:
            problems.append(f"{_line(one)}, declared")
        elif allowed != methods:
            problems.append(
                f"{one.origin}: methods {', '.join(sorted(allowed))}, declared {', '.join(sorted(methods))}"
            )
        elif many and "origin" not in _vary(one.answer):
            problems.append(f"{one.origin}: no Vary: Origin")
        if one.answer.header(CREDENTIALS):
            problems.append(f"{one.origin}: {CREDENTIALS}: {one.answer.header(CREDENTIALS)}")
    return judge(
        "each declared origin by its own name, exactly the declared methods, Vary: Origin",
        seen=f"{len(facts)} preflights",
        problems=list(dict.fromkeys(problems)),
        evidence=tuple(_line(one) for one in facts),
    )


def _vary(answer: Exchange) -> set[str]:
    return {part.strip().lower() for part in answer.header("vary").split(",")}


def _line(one: CrossFacts) -> str:
    return f"{one.answer.line()} from {one.origin}: {ORIGIN}: {one.answer.header(ORIGIN) or '(none)'}"
