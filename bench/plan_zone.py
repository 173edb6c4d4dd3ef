"""What a large zone costs the plan pass: `python -m bench.plan_zone`.

The stack as it is takes turns with the same stack in a zone that has 200 records and 60 rules in all. Printed is the
processor time of each, imports apart, and the ratio of the medians. `--records` and `--rules` ask for others.
"""

import argparse
import gc
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import infra.program  # noqa: F401 - importing the provider's SDK is not what is measured
from rehearsal.plan import plan

PROJECT = Path(__file__).resolve().parents[1]
PHASES = ("http_request_dynamic_redirect", "http_request_firewall_custom")
RECORD, RULESET = "cloudflare:index/dnsRecord:DnsRecord", "cloudflare:index/ruleset:Ruleset"
PLAN = "enterprise"  # the one whose limits leave room for any number of rules


def large(records: int, rules: int) -> dict[str, Any]:
    """Configuration of a zone that has so many records and rules with the stack's own."""
    own = plan(PROJECT, "prod", {"zonePlan": PLAN, "records": []})
    records -= len(own.of_type(RECORD))
    rules -= sum(len(ruleset.inputs["rules"]) for ruleset in own.of_type(RULESET))
    return {
        "records": [{"name": f"_t{n}", "type": "TXT", "content": f"value {n}"} for n in range(records)],
        "extraRules": {phase: [_rule(phase, n) for n in range(rules // len(PHASES))] for phase in PHASES},
    }


def _rule(phase: str, number: int) -> dict[str, Any]:
    rule = {"ref": f"r{number}", "expression": f'(http.request.uri.path eq "/old-{number}")'}
    if phase == PHASES[0]:
        target = {"statusCode": 301, "targetUrl": {"value": f"https://new.example/{number}"}}
        return {**rule, "action": "redirect", "actionParameters": {"fromValue": target}}
    return {**rule, "action": "block"}


def seconds(overrides: Mapping[str, Any]) -> float:
    """Processor time of one plan pass."""
    began = time.process_time()
    plan(PROJECT, "prod", {"zonePlan": PLAN, **overrides})
    return time.process_time() - began


def main(arguments: Sequence[str] | None = None) -> float:
    """Print the times and return their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=200)
    parser.add_argument("--rules", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args(arguments)
    gc.set_threshold(100_000, 20, 20)  # as the command has it
    zone = large(asked.records, asked.rules)  # plans once: what a first run leaves behind is there for both
    rounds = [(seconds({}), seconds(zone)) for _ in range(asked.rounds)]
    small, big = (statistics.median(times) for times in zip(*rounds, strict=True))
    text = f"plan pass: {small:.2f} s as it is, {big:.2f} s with {asked.records} records and {asked.rules} rules"
    sys.stdout.write(f"{text}: {big / small:.2f} times\n")
    return big / small


if __name__ == "__main__":
    main()
