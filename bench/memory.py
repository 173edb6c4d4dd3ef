"""How much memory this process has needed."""

from pathlib import Path


def peak_megabytes() -> float:
    """Peak resident memory on Linux. getrusage would count what the parent held when it forked us."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("/proc/self/status has no VmHWM line; this benchmark needs Linux")
