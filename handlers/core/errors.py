"""What can go wrong, told apart by what the caller must do next."""


class LaunchError(Exception):
    """Base of the errors that this package raises on purpose."""


class SignatureError(LaunchError):
    """The request was not signed by Stripe with a secret that we hold, or not recently: answer 400."""


class EventError(LaunchError):
    """The event is genuine but cannot be read: park it with this reason, never retry it."""


class ConflictError(LaunchError):
    """Somebody else wrote first: read again and repeat."""


class VendorError(LaunchError):
    """A vendor's answer that is not success.

    `permanent` errors (4xx but 408 and 429) are never retried and go to a person; the others back off,
    at least `retry_after` seconds where the vendor said so. `unknown` means that the call may have taken effect
    (time-out or broken connection after sending). The message never holds a secret or an e-mail.
    """

    def __init__(
        self, message: str, *, permanent: bool, retry_after: float | None = None, unknown: bool = False
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after = retry_after
        self.unknown = unknown
