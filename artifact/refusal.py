"""Why an artifact may not be used: one word that programs know, one sentence for people."""

from __future__ import annotations

from enum import StrEnum

from artifact.digest import ArtifactError

__all__ = ["Reason", "RefusedError"]


class Reason(StrEnum):
    """The words that conditions, tags and events carry. They are part of the interface and never change."""

    UNSIGNED = "Unsigned"
    ALTERED = "Altered"
    UNTRUSTED_KEY = "UntrustedKey"
    REVOKED = "Revoked"
    WRONG_MODEL = "WrongModel"
    WRONG_VERSION = "WrongVersion"
    GATE_NOT_PASSED = "GateNotPassed"
    OUTSIDE_RELEASED = "OutsideReleased"
    PLACE_TAKEN = "PlaceTaken"


class RefusedError(ArtifactError):
    """The artifact's signature does not allow its use. Trying again will not help."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
