"""A client of AWS in which single operations fail, as a test says; everything else goes to the real one."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from handlers.adapters.aws import AwsError

Fault = Callable[[Mapping[str, Any]], Exception | None]


def refused(code: str) -> AwsError:
    """The error that AWS's `code` comes as."""
    return AwsError(f"injected: {code}", code=code)


def canceled(*codes: str) -> AwsError:
    """A transaction that was cancelled for these reasons."""
    return AwsError("injected: cancelled", code="TransactionCanceledException", reasons=codes)


class FaultyClient:
    """`faults` maps an operation to what decides, for each request, whether it fails; `calls` counts what was asked."""

    def __init__(self, client: Any, **faults: Fault) -> None:
        self._client = client
        self._faults = faults
        self.calls: Counter[str] = Counter()

    def __getattr__(self, operation: str) -> Any:
        real = getattr(self._client, operation)

        def call(**request: Any) -> Any:
            self.calls[operation] += 1
            error = self._faults.get(operation, lambda _: None)(request)
            if error is not None:
                raise error
            return real(**request)

        return call


def times(count: int, make: Callable[[], Exception]) -> Fault:
    """Fail the first `count` requests."""
    left = [count]

    def fault(_: Mapping[str, Any]) -> Exception | None:
        left[0] -= 1
        return make() if left[0] >= 0 else None

    return fault
