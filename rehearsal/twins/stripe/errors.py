"""Stripe's errors: an HTTP status and `{"error": {type, code, message, param, …}}`.

Sources: https://docs.stripe.com/api/errors and https://docs.stripe.com/error-codes.
"""

from typing import Any


class ApiError(Exception):
    """One answer that is not success; `status` is HTTP's, `kind` is Stripe's error type."""

    def __init__(
        self,
        status: int,
        kind: str,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        details: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.code = code
        self.param = param
        self.details = details or {}

    def body(self) -> dict[str, Any]:
        """The JSON document; fields that say nothing are left out, as Stripe does."""
        error: dict[str, Any] = {"type": self.kind, "message": str(self), **self.details}
        if self.code:
            error["code"] = self.code
            error["doc_url"] = f"https://docs.stripe.com/error-codes/{self.code.replace('_', '-')}"
        if self.param:
            error["param"] = self.param
        return {"error": error}


def invalid(message: str, *, param: str | None = None, code: str | None = None) -> ApiError:
    """400: the request cannot be carried out as it was sent."""
    return ApiError(400, "invalid_request_error", message, code=code, param=param)


def missing_param(param: str) -> ApiError:
    """400 parameter_missing."""
    return invalid(f"Missing required param: {param}.", param=param, code="parameter_missing")


def unknown_param(param: str, known: list[str]) -> ApiError:
    """400 parameter_unknown, also for what Stripe knows and this twin does not: nothing is ignored in silence."""
    message = f"Received unknown parameter: {param}. The twin implements here: {', '.join(sorted(known)) or 'none'}."
    return invalid(message, param=param, code="parameter_unknown")


def no_such(kind: str, object_id: str, param: str = "id", *, status: int = 404) -> ApiError:
    """resource_missing: 404 for the object that the path names, 400 for one that a parameter names."""
    message = f"No such {kind}: '{object_id}'"
    return ApiError(status, "invalid_request_error", message, code="resource_missing", param=param)


def unauthorised(message: str) -> ApiError:
    """401: no key, or not one of ours."""
    return ApiError(401, "invalid_request_error", message)


def forbidden(key: str, account: str) -> ApiError:
    """403: a restricted key that may only read was used to write."""
    message = (
        f"The provided key '{masked(key)}' does not have the required permissions for this endpoint on account "
        f"'{account}'. Use the secret key, or read only."
    )
    return ApiError(403, "invalid_request_error", message, code="more_permissions_required")


def idempotency(message: str) -> ApiError:
    """400 idempotency_error: the key was used before, for something else."""
    return ApiError(400, "idempotency_error", message)


def card_error(message: str, *, code: str, decline_code: str | None, details: dict[str, Any]) -> ApiError:
    """402: the issuer said no."""
    extra = {"decline_code": decline_code} if decline_code else {}
    return ApiError(402, "card_error", message, code=code, details={**extra, **details})


def masked(key: str) -> str:
    """The key as Stripe shows it in messages: first eight and last four characters."""
    return key if len(key) <= 12 else f"{key[:8]}{'*' * (len(key) - 12)}{key[-4:]}"
