"""What a caller did wrong, once for all protocols."""

from __future__ import annotations

from http import HTTPStatus

__all__ = ["RequestError"]

# google.rpc.Code's own mapping of HTTP statuses, for those that are used here.
_GRPC_CODES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    413: "RESOURCE_EXHAUSTED",
    429: "RESOURCE_EXHAUSTED",
    501: "UNIMPLEMENTED",
}


class RequestError(Exception):
    """A request that is refused: an HTTP status and a sentence that names the field. Never an exception's text."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = HTTPStatus(status)
        self.message = message

    @classmethod
    def bad(cls, field: str, what: str) -> RequestError:
        """400: the named field is wrong."""
        return cls(400, f"{field}: {what}")

    @classmethod
    def fixed_version(cls) -> RequestError:
        """403: load and unload, over any protocol."""
        return cls(403, "a predictor serves the one version that it started with")

    @classmethod
    def overload(cls) -> RequestError:
        """429: more work is waiting than can be done soon. Not a 5xx: nothing is broken, and a release must go on."""
        return cls(429, "this predictor is at its limit; try again in a second")

    @property
    def grpc_code(self) -> str:
        """The gRPC status code's name."""
        return _GRPC_CODES[self.status]
