"""The project's own program with a fault for each policy of ours, all at once: each found, on the line that has it."""

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from checks.policy import chosen

ROOT = Path(__file__).parents[3]
COPIED = ("launch_ready.py", "__main__.py", "requirements-policy.txt", "infra", "handlers", "checks", "rehearsal")
MAIL = ("infra/mail/records.py", "zone.record(")
ZONE_SETTINGS = ("infra/edge/edge.py", "cloudflare.ZoneSetting(")
WORK, DEAD = ("infra/queues.py", "self.queue = self._queue("), ("infra/queues.py", "self.dead = self._queue(")
RECORDS = "".join(f"    - {{name: r{number}, type: TXT, content: x}}\n" for number in range(180))


@dataclass(frozen=True)
class Mutation:
    """In `file`, `part` becomes `instead`; the finding is on the line of `where` with that text."""

    file: str
    part: str
    instead: str
    where: tuple[str, str]


MUTATIONS: Mapping[str, Mutation] = {
    "CKV_LR_1": Mutation("infra/mail/published.py", '["v=spf1", *terms', '["v=spf2", *terms', MAIL),
    "CKV_LR_2": Mutation("infra/mail/published.py", "{selector}._domainkey.", "{selector}._domainkeys.", MAIL),
    "CKV_LR_3": Mutation(
        "infra/mail/published.py", 'name=f"_dmarc.{domain}", type="TXT"', 'name=f"_dmark.{domain}", type="TXT"', MAIL
    ),
    "CKV_LR_4": Mutation("infra/edge/zone_settings.py", '"ssl": settings.ssl', '"ssl": "full"', ZONE_SETTINGS),
    "CKV_LR_5": Mutation(
        "infra/names/zone.py",
        "proxied=host.proxied, ttl=host.record_ttl",
        "proxied=False, ttl=host.record_ttl",
        ("infra/names/zone.py", "self.record(resource, stack.host(host.name)"),
    ),
    "CKV_LR_6": Mutation(
        "infra/edge/edge.py",
        "fight_mode=stack.settings.bots.fight_mode",
        "fight_mode=True",
        ("infra/edge/edge.py", "cloudflare.BotManagement("),
    ),
    "CKV_LR_7": Mutation("infra/queues.py", "redrive=self.dead.arn.apply(_redrive),", "", WORK),
    "CKV_LR_8": Mutation(
        "infra/alarms.py", "self._dead_letters(queue.dead_name)", "self._dead_letters(queue.dead_name + 'x')", DEAD
    ),
    "CKV_LR_9": Mutation("infra/timing.py", "VISIBILITY_FACTOR * self", "5 * self", WORK),
    "CKV_LR_10": Mutation(
        "infra/pipeline.py",
        "scaling_config=aws.lambda_.EventSourceMappingScalingConfigArgs(maximum_concurrency=maximum_concurrency),",
        "",
        ("infra/pipeline.py", "self._feed(self.apply,"),
    ),
    "CKV_LR_11": Mutation(
        "infra/functions.py",
        "variables=dict(self.duty.environment)",
        'variables={**self.duty.environment, "KEY": "sk_live_" + "0" * 24}',
        ("infra/functions.py", "return aws.lambda_.Function("),
    ),
    "CKV_LR_12": Mutation(
        "infra/duties.py",
        'Statement("ReadVendorKey", permissions.READ_SECRET, [key])',
        'Statement("ReadVendorKey", permissions.READ_SECRET, [key, self._secrets.stored[STRIPE_READ].arn])',
        ("infra/functions.py", "return aws.iam.RolePolicy("),
    ),
    "CKV_LR_13": Mutation(
        "infra/permissions.py",
        '"lambda:InvokeFunction",',
        '"lambda:*",',
        ("infra/pipeline.py", "self._schedule(self.sweep"),
    ),
    "CKV_LR_14": Mutation(
        "infra/functions.py",
        "retention_in_days=stack.settings.log_retention_days,",
        "",
        ("infra/functions.py", "self.logs = aws.cloudwatch.LogGroup("),
    ),
    "CKV_LR_15": Mutation(
        "infra/origin/truststore.py",
        "block_public_policy=True",
        "block_public_policy=False",
        ("infra/origin/truststore.py", "self.bucket = Bucket("),
    ),
    "CKV_LR_16": Mutation(
        "infra/secrets.py",
        'description=f"Rolled by hand: launch-ready roll {purpose}, see docs/secrets.md",',
        "",
        ("infra/secrets.py", "self.stored = {purpose: self._secret(purpose)"),
    ),
    "CKV_LR_17": Mutation(
        "infra/edge/edge.py",
        "rules=list(found)",
        "rules=list(found) * 9",
        ("infra/edge/edge.py", "cloudflare.Ruleset("),
    ),
    "CKV_LR_18": Mutation(
        "infra/plans.py", "dns_records=200,", "dns_records=2000,", ("infra/names/zone.py", "return cloudflare.Zone(")
    ),
    "CKV2_LR_1": Mutation(
        "infra/edge/zone_settings.py",
        '"min_tls_version": settings.min_tls_version',
        '"min_tls_version": "1.1"',
        ZONE_SETTINGS,
    ),
    "CKV2_LR_2": Mutation(
        "infra/api.py",
        'security_policy="TLS_1_2"',
        'security_policy="TLS_1_0"',
        ("infra/api.py", "return aws.apigatewayv2.DomainName("),
    ),
    "CKV2_LR_3": Mutation(
        "infra/table.py",
        "TablePointInTimeRecoveryArgs(enabled=True)",
        "TablePointInTimeRecoveryArgs(enabled=False)",
        ("infra/table.py", "self.table = aws.dynamodb.Table("),
    ),
}


def mutate(copy: Path, mutation: Mutation) -> None:
    text = (copy / mutation.file).read_text(encoding="utf-8")
    assert text.count(mutation.part) == 1, mutation
    (copy / mutation.file).write_text(text.replace(mutation.part, mutation.instead), encoding="utf-8")


@pytest.fixture(scope="module")
def mutated(tmp_path_factory: pytest.TempPathFactory, policy_python: Path) -> Path:
    """A copy of the project with every fault in it."""
    copy = tmp_path_factory.mktemp("mutated")
    ignored = shutil.ignore_patterns("__pycache__")
    for name in [*COPIED, *(path.name for path in ROOT.glob("Pulumi*"))]:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=ignored)
        else:
            shutil.copy(source, copy / name)
    (copy / ".venv-policy").symlink_to(policy_python.parents[1])
    for mutation in MUTATIONS.values():
        mutate(copy, mutation)
    stack = (copy / "Pulumi.prod.yaml").read_text(encoding="utf-8")
    head = "  launch-ready:records:\n"
    (copy / "Pulumi.prod.yaml").write_text(stack.replace(head, head + RECORDS), encoding="utf-8")
    return copy


@pytest.fixture(scope="module")
def results(mutated: Path) -> list[dict[str, Any]]:
    """The results in the SARIF that the command wrote of it."""
    command = [sys.executable, str(mutated / "launch_ready.py"), "policy", "--sarif", str(mutated / "out.sarif")]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert ran.returncode == 1, ran.stderr
    [run] = json.loads((mutated / "out.sarif").read_text(encoding="utf-8"))["runs"]
    return [result for result in run["results"] if "suppressions" not in result]


def test_every_policy_has_a_mutation() -> None:
    assert set(MUTATIONS) == chosen.load().ours


@pytest.mark.parametrize("id_", MUTATIONS)
def test_a_mutation_of_the_program_is_found_on_its_line(id_: str, mutated: Path, results: list[dict[str, Any]]) -> None:
    file, part = MUTATIONS[id_].where
    lines = (mutated / file).read_text(encoding="utf-8").splitlines()
    [number] = [number for number, line in enumerate(lines, 1) if part in line]
    places = [result["locations"][0]["physicalLocation"] for result in results if result["ruleId"] == id_]
    assert (file, number) in {(place["artifactLocation"]["uri"], place["region"]["startLine"]) for place in places}


def test_nothing_else_is_found(results: list[dict[str, Any]]) -> None:
    assert {result["ruleId"] for result in results} == set(MUTATIONS)
