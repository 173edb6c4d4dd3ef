"""Why a rehearsal could not be held at all, each with the exit code of the command line.

0 is REHEARSED and 1 is NOT REHEARSED; these are the cases in which there is no verdict.
"""


class RehearsalError(Exception):
    """Base: the message says what was wrong, where, and what to do."""

    exit_code = 70


class StackError(RehearsalError):
    """The stack's configuration is missing, malformed or contradictory."""

    exit_code = 4


class ProgramError(RehearsalError):
    """The program raised, or declared what the engine would refuse."""

    exit_code = 5


class TwinError(RehearsalError):
    """A twin did not start or died: a port in use, a missing package, no memory."""

    exit_code = 6


class DeploymentError(RehearsalError):
    """A declared resource could not be brought to its twin."""

    exit_code = 7


class ReportError(RehearsalError):
    """The report cannot be written where it was asked for."""

    exit_code = 8


class EventsError(RehearsalError):
    """The events that were to be replayed cannot be read, or how they were to be replayed makes no sense."""

    exit_code = 2
