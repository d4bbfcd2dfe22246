"""Models that answer promptly, and wrongly."""

from __future__ import annotations

from monitoring.alert import Alert
from monitoring.config import Config
from monitoring.duration import prometheus

__all__ = ["alerts"]

_OF = "{{ $labels.model }} version {{ $labels.version }} of {{ $labels.tenant }}"


def alerts(config: Config) -> list[Alert]:
    """Return the alerts about what is asked and what is answered."""
    return [
        Alert(
            "PredictionsShifted",
            _psi(config, "PredictionsShifted", "score|class"),
            f"The answers of {_OF} are not distributed as in training ({{{{ $labels.measure }}}})",
            "models",
        ),
        Alert(
            "InputsShifted",
            _psi(config, "InputsShifted", "length|oov"),
            f"The texts that {_OF} is asked about are not those of its training ({{{{ $labels.measure }}}})",
            "models",
        ),
        _confidence(config),
        Alert(
            "ModelOld",
            "max by (tenant, model, version) ((time() - model_created_timestamp_seconds) / 86400)"
            f" > {config.alerts['ModelOld'].above:g}",
            f"{_OF} was trained {{{{ $value | humanize }}}} days ago",
            "models",
        ),
        _versions(config),
    ]


def _psi(config: Config, name: str, measures: str) -> str:
    shift = f'max by (tenant, model, version, measure) (prediction_drift_psi{{measure=~"{measures}"}})'
    return f"{shift} > {config.alerts[name].above:g}"


def _confidence(config: Config) -> Alert:
    numbers = config.alerts["ConfidenceCollapsed"]
    over = f"[{prometheus(numbers.window)}]"
    total = f"sum by (tenant, model, version) (rate(prediction_confidence_count{over}))"
    unsure = f'sum by (tenant, model, version) (rate(prediction_confidence_bucket{{le="{numbers.confidence}"}}{over}))'
    return Alert(
        "ConfidenceCollapsed",
        f"{unsure}\n/ ({total} > 0) > {numbers.above:g}\nand {total} * {numbers.window:g} >= {numbers.requests}",
        f"{_OF} guesses: {{{{ $value | humanizePercentage }}}} of its answers have a confidence "
        f"of at most {numbers.confidence}",
        "models",
    )


def _versions(config: Config) -> Alert:
    numbers = config.alerts["VersionsDiffer"]
    asked = f"sum by (tenant, model, version) (increase(inference_requests_total[{prometheus(numbers.window)}]))"
    return Alert(
        "VersionsDiffer",
        f"count by (tenant, model) ({asked} > 0) > {numbers.above:g}\n"
        'and on (tenant, model) ferryman_release_phase{phase="Stable"} == 1',
        "{{ $value }} versions of {{ $labels.model }} answer {{ $labels.tenant }}, whose release says that one does",
        "models",
    )
