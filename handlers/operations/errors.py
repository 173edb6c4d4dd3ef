"""What can go wrong with a command on a deployed stack, by exit code: see README's table."""

from handlers.core.errors import LaunchError

FAILED, USAGE, COULD_NOT_LOOK = 1, 2, 3


class UsageError(LaunchError):
    """The command was called in a way that means nothing; the message says what would."""


class RefusedError(LaunchError):
    """The command must not be carried out as things are; the message says why, and what to do first."""


class StackError(LaunchError):
    """The stack cannot be worked on; the message says what is missing or wrong, and what to do."""


def exit_code(error: LaunchError) -> int:
    """How the process ends after `error`."""
    if isinstance(error, UsageError):
        return USAGE
    return FAILED if isinstance(error, RefusedError) else COULD_NOT_LOOK
