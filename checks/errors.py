"""What keeps the verifier from a verdict, told apart by what the person must do."""


class UsageError(Exception):
    """What was asked for is wrong: a contract, a vantage, a waiver, an unknown check. Exit code 2."""


class ProbeError(Exception):
    """The world could not be observed, so there is no verdict: the check ends as ERROR."""


class NotDeclared(Exception):  # noqa: N818 - not an error: it names what the launch does without
    """What the check is about is optional and not declared: the check ends as NOT APPLICABLE."""


class NeedsInput(Exception):  # noqa: N818 - not an error of the check: it names what the caller left out
    """The probe needs a key or credential that was not given: the check ends as NOT RUN."""
