"""The releases as JSON: what the page is drawn from. Field names as in a ModelRelease."""

from __future__ import annotations

from typing import Any

from release.api.links import version_page
from release.board import Shown
from release.status import VersionRef

__all__ = ["detail", "summary"]


def summary(shown: Shown, registry_url: str) -> dict[str, Any]:
    """Return one release for a list of many.

    Times are RFC 3339, weights percent by version; ``weights`` is what is in force at the gateway now.
    """
    release, status = shown.release, shown.release.status
    spec = release.spec
    held = status.model_dump(by_alias=True, mode="json", exclude={"history", "handled", "reported", "canary"})
    trial = status.canary

    def linked(artifact: VersionRef | None) -> dict[str, Any] | None:
        if artifact is None:
            return None
        address = version_page(registry_url, spec.model, artifact.version)
        return {"version": artifact.version, "digest": artifact.digest, "registryUrl": address}

    canary = linked(trial)
    if trial is not None and canary is not None:
        of_trial = trial.model_dump(by_alias=True, mode="json", exclude={"measured", "storage_uri"})
        steps = [step.model_dump(by_alias=True, mode="json") for step in spec.strategy.steps]
        requests = {
            "canary": sum(step.canary.requests for step in trial.measured.steps),
            "stable": sum(step.stable.requests for step in trial.measured.steps),
        }
        canary = {**of_trial, **canary, "steps": steps, "requests": requests}
    return {
        "name": release.name,
        "tenant": release.tenant,
        "model": spec.model,
        "alias": spec.alias,
        "wave": spec.wave,
        **held,
        "stable": linked(status.stable),
        "canary": canary,
        "pauseRequested": release.requests.pause,
        "weights": {str(version): weight for version, weight in sorted(shown.seen.weights.items())},
    }


def detail(shown: Shown, registry_url: str) -> dict[str, Any]:
    """Return all there is to show of one release: the summary, and what led to it.

    ``trace`` holds up to 15 minutes, a moment each: weights and, during a canary, each measure with its bounds.
    """
    spec = shown.release.spec.model_dump(by_alias=True, mode="json", include={"strategy", "analysis", "route"})
    judgement = shown.judgement
    return {
        **summary(shown, registry_url),
        "spec": spec,
        "history": [each.model_dump(by_alias=True, mode="json") for each in shown.release.status.history],
        "predictors": {
            str(version): {
                "ready": seen.ready,
                "replicas": seen.replicas,
                "stopped": seen.stopped,
                "fault": seen.failed or seen.blocked,
                "smoke": seen.smoke,
                "gatewayErrors": seen.gateway_errors,
            }
            for version, seen in sorted(shown.seen.versions.items())
        },
        "judgement": judgement
        and {"outcome": judgement.outcome, "reason": judgement.reason, "message": judgement.message},
        "trace": shown.trace.document(),
    }
