"""What keeps a scan from being one."""

from checks.errors import UsageError


class PolicyError(UsageError):
    """Nothing was really scanned: told with what to do about it, and ends with exit code 2."""
