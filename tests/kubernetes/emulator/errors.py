"""How an API server says no: a `Status` with code and reason."""

from __future__ import annotations

from typing import Any, NamedTuple

from tests.kubernetes.emulator.kinds import Kind

REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    409: "AlreadyExists",
    410: "Expired",
    415: "UnsupportedMediaType",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}


class Cause(NamedTuple):
    """One field that is wrong."""

    reason: str
    field: str
    message: str


class ApiError(Exception):
    """A refusal, with the body that a client gets."""

    def __init__(
        self,
        code: int,
        message: str,
        *,
        reason: str = "",
        details: dict[str, Any] | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.reason = reason or REASONS[code]
        self.retry_after = retry_after
        self.details = dict(details or {})
        if retry_after is not None:
            self.details["retryAfterSeconds"] = retry_after

    def status(self) -> dict[str, Any]:
        body = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "code": self.code,
        }
        return body | ({"details": self.details} if self.details else {})


def _named(kind: Kind, name: str) -> dict[str, Any]:
    return {"name": name, "group": kind.group, "kind": kind.plural}


def no_such_address() -> ApiError:
    return ApiError(404, "the server could not find the requested resource")


def not_found(kind: Kind, name: str) -> ApiError:
    return ApiError(404, f'{kind.resource} "{name}" not found', details=_named(kind, name))


def already_exists(kind: Kind, name: str) -> ApiError:
    return ApiError(409, f'{kind.resource} "{name}" already exists', details=_named(kind, name))


def conflict(kind: Kind, name: str) -> ApiError:
    return ApiError(
        409,
        f'Operation cannot be fulfilled on {kind.resource} "{name}": the object has been modified; please apply your'
        " changes to the latest version and try again",
        reason="Conflict",
        details=_named(kind, name),
    )


def forbidden(kind: Kind, name: str, why: str) -> ApiError:
    return ApiError(403, f'{kind.resource} "{name}" is forbidden: {why}', details=_named(kind, name))


def invalid(kind: Kind, name: str, causes: list[Cause]) -> ApiError:
    said = [f"{cause.field}: {cause.message}" for cause in causes]
    listed = said[0] if len(said) == 1 else f"[{', '.join(said)}]"
    details = {"name": name, "group": kind.group, "kind": kind.name, "causes": [cause._asdict() for cause in causes]}
    return ApiError(422, f'{kind.name}.{kind.group} "{name}" is invalid: {listed}', details=details)


def gone(asked: int, oldest: int) -> ApiError:
    return ApiError(410, f"too old resource version: {asked} ({oldest})")
