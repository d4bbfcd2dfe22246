"""Why a release is where it is: every reason that a transition, a rejection or a condition can carry."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["NOT_JUDGED", "Reason"]


class Reason(StrEnum):
    """One CamelCase word each, as Kubernetes has it. A refusal by the registry brings a word of its own."""

    # On its way
    ALIAS_MOVED = "AliasMoved"
    RETRIED = "Retried"
    VERIFIED = "Verified"
    SMOKE_PASSED = "SmokePassed"
    SUCCESSFUL = "Successful"
    RESUMED = "Resumed"
    PROMOTED = "Promoted"
    UP_TO_DATE = "UpToDate"
    # Held
    NOTHING_RELEASED = "NothingReleased"
    ALIAS_DELETED = "AliasDeleted"
    REGISTRY_UNREACHABLE = "RegistryUnreachable"
    WAITING_FOR_EARLIER_WAVES = "WaitingForEarlierWaves"
    VERIFICATION_UNAVAILABLE = "VerificationUnavailable"
    VERIFYING = "Verifying"
    STARTING = "Starting"
    BLOCKED = "Blocked"
    NOT_STARTED_IN_TIME = "NotStartedInTime"
    PAUSED_BY_REQUEST = "PausedByRequest"
    AWAITING_DECISION = "AwaitingDecision"
    TOO_FEW_REQUESTS = "TooFewRequests"
    UNCERTAIN = "Uncertain"
    METRICS_UNAVAILABLE = "MetricsUnavailable"
    # Failed
    FAILED_TO_RUN = "FailedToRun"
    SMOKE_FAILED = "SmokeFailed"
    NOT_READY = "NotReady"
    GATEWAY_ERRORS = "GatewayErrors"
    ERRORS_INCREASED = "ErrorsIncreased"
    LATENCY_INCREASED = "LatencyIncreased"
    PREDICTIONS_SHIFTED = "PredictionsShifted"
    ABORTED = "Aborted"
    REJECTED_ELSEWHERE = "RejectedElsewhere"


NOT_JUDGED = frozenset({Reason.TOO_FEW_REQUESTS, Reason.UNCERTAIN, Reason.METRICS_UNAVAILABLE})
"""What an Inconclusive judgement says."""
