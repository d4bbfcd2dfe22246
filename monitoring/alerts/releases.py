"""Releases that do not arrive."""

from __future__ import annotations

from collections.abc import Iterable

from artifact.refusal import Reason as Refusal
from monitoring.alert import Alert
from monitoring.config import Config
from release.reasons import NOT_JUDGED, Reason
from release.status import Phase

__all__ = ["alerts"]

_UNDER_WAY = (Phase.VERIFYING, Phase.CANARY, Phase.PROMOTING, Phase.ROLLING_BACK)
_HELD = (*NOT_JUDGED, Reason.VERIFICATION_UNAVAILABLE, Reason.BLOCKED, Reason.NOT_STARTED_IN_TIME)
_REFUSED = set(Refusal) - {Refusal.GATE_NOT_PASSED}
_NOT_RELEASED = (Refusal.GATE_NOT_PASSED, Reason.REJECTED_ELSEWHERE, Reason.ABORTED)
_FAILED = (
    Reason.FAILED_TO_RUN,
    Reason.SMOKE_FAILED,
    Reason.NOT_READY,
    Reason.GATEWAY_ERRORS,
    Reason.ERRORS_INCREASED,
    Reason.LATENCY_INCREASED,
    Reason.PREDICTIONS_SHIFTED,
)
_OF = "version of {{ $labels.model }} for {{ $labels.tenant }}"


def alerts(config: Config) -> list[Alert]:
    """Return the alerts about a version on its way to a tenant."""
    too_long = (
        f"max by (tenant, model) (ferryman_release_phase_seconds > {config.alerts['ReleaseStuck'].above:g}\n"
        f'  and on (tenant, model) ferryman_release_phase{{phase=~"{_any(_UNDER_WAY)}"}} == 1)'
    )
    return [
        Alert(
            "ReleaseStuck",
            f"{too_long}\nor\nmax by (tenant, model, reason) ({_stands(_HELD)})",
            f"The next {_OF} is stuck: {{{{ or $labels.reason `too long in one phase` }}}}",
            "release",
        ),
        Alert(
            "ReleaseRejected",
            f"max by (tenant, model, reason) ({_stands(_NOT_RELEASED)})",
            f"The {_OF} that the alias names is not released: {{{{ $labels.reason }}}}",
            "release",
        ),
        Alert(
            "ReleaseRolledBack",
            f"max by (tenant, model, reason) ({_stands(_FAILED)})",
            f"The new {_OF} failed and was taken back: {{{{ $labels.reason }}}}; the one before serves",
            "release",
        ),
        Alert(
            "SignatureRefused",
            f"max by (tenant, model, reason) ({_stands(_REFUSED)})",
            f"The {_OF} that the alias names is not what the gate signed: {{{{ $labels.reason }}}}",
            "release",
        ),
    ]


def _stands(reasons: Iterable[str]) -> str:
    return f'ferryman_release_condition{{type="Progressing",status="False",reason=~"{_any(reasons)}"}}'


def _any(words: Iterable[str]) -> str:
    return "|".join(sorted(words))
