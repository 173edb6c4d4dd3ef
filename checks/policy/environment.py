"""The environment that has checkov: made on first use, from a lock file of its own.

checkov and Pulumi's SDK pin versions of the same packages that exclude one another, so they cannot share one.
"""

import fcntl
import hashlib
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

from checks.policy.errors import PolicyError

FOLDER = ".venv-policy"
LOCK = "requirements-policy.txt"
_STAMP = ".launch-ready"


def python(root: Path, progress: Callable[[str], None]) -> Path:
    """The interpreter of the environment under `root`; PolicyError with pip's own words where it cannot be made.

    Does nothing where the environment is made of the same lock file. Several processes may ask at once.
    """
    lock = root / LOCK
    try:
        wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    except OSError as error:
        raise PolicyError(f"{lock} cannot be read: {error.strerror}; .ci/lock writes it") from None
    folder = root / FOLDER
    with lock.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not _is_made(folder, wanted):
            progress(f"policy: making {FOLDER} (about a minute, the first time)")
            _make(folder, lock)
            (folder / _STAMP).write_text(wanted, encoding="utf-8")
    return folder / "bin" / "python"


def _is_made(folder: Path, wanted: str) -> bool:
    stamp = folder / _STAMP
    return stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted


def _make(folder: Path, lock: Path) -> None:
    """pip of this environment installs into that one: it knows the machine's mirror, proxy and certificates."""
    venv.create(folder, clear=True, with_pip=False)
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "--disable-pip-version-check"]
    quiet = [] if sys.stderr.isatty() else ["--quiet"]
    command = [*pip, "install", *quiet, "--require-hashes", "--requirement", str(lock)]
    done = subprocess.run(command, stdout=sys.stderr, check=False)  # noqa: S603 # our own interpreter and lock file
    if done.returncode:
        raise PolicyError(f"pip could not make {folder} of {lock.name} (above is why); mend that and run again")
