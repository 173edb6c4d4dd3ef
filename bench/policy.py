"""What a policy scan costs: `python -m bench.policy`.

The whole command takes turns with what it cannot do without: a plan pass, as `launch-ready plan` runs it, and bare
`checkov --version`, which is the import of checkov. Printed are wall-clock medians and the ratio.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from checks import policy

PROJECT = Path(__file__).resolve().parents[1]
COMMAND = [sys.executable, str(PROJECT / "launch_ready.py")]
LIMIT = 1.6


def seconds(command: Sequence[str]) -> float:
    """Wall-clock time of one run; a run that fails is told with what it said."""
    began = time.perf_counter()
    environment = os.environ | {"CKV_SKIP_PACKAGE_UPDATE_CHECK": "true"}
    ran = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)  # noqa: S603 # our own
    if ran.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {ran.returncode}: {ran.stderr or ran.stdout}")
    return time.perf_counter() - began


def main(arguments: Sequence[str] | None = None) -> float:
    """Print the times and return the ratio of the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args(arguments)
    checkov = str(policy.environment(PROJECT, print).parent / "checkov")
    commands = {"policy": [*COMMAND, "policy"], "plan": [*COMMAND, "plan"], "checkov": [checkov, "--version"]}
    rounds = [{name: seconds(command) for name, command in commands.items()} for _ in range(asked.rounds)]
    median = {name: statistics.median(one[name] for one in rounds) for name in commands}
    ratio = median["policy"] / (median["plan"] + median["checkov"])
    told = ", ".join(f"{name} {value:.2f} s" for name, value in median.items())
    sys.stdout.write(f"{told}; policy / (plan + checkov) = {ratio:.2f}, at most {LIMIT}\n")
    return ratio


if __name__ == "__main__":
    sys.exit(main() > LIMIT)
