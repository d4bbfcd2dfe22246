"""What is kept of each object of a release, and what it says. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from release.platforms.kubernetes import names

__all__ = [
    "Deployed",
    "Inferred",
    "Pod",
    "Routed",
    "deployed",
    "failed",
    "inferred",
    "least",
    "obstacle",
    "pod",
    "routed",
    "version_of",
]

Object = Mapping[str, Any]

# A container that waits for one of these will not come up by itself.
_HOPELESS = {"CrashLoopBackOff", "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "CreateContainerConfigError"}
# The initializer's exit code when the object store does not give the artifact: that may pass.
_STORE_IS_DOWN = 3
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class Deployed:
    """A version's Deployment.

    Attributes:
        replicas: how many it is told to have; 0 is a version that was stopped.
        ready: how many answer their readiness probe.
        refused: why the cluster makes no pod for it (a quota, an admission policy), or None.
    """

    version: int
    replicas: int
    ready: int
    refused: str | None


@dataclass(frozen=True, slots=True)
class Pod:
    """A predictor's pod.

    Attributes:
        address: its IP address, or "" before it has one.
        ready: it answers its readiness probe, and stays.
        failed: why it will not come up by itself, or None.
        waits: why it is not placed on a node, or cannot get its model now, or None.
    """

    version: int
    uid: str
    address: str
    ready: bool
    failed: str | None
    waits: str | None


@dataclass(frozen=True, slots=True)
class Inferred:
    """A version's InferenceService, the artifact that it serves, and whether it is on its way out."""

    version: int
    storage_uri: str
    leaving: bool


@dataclass(frozen=True, slots=True)
class Routed:
    """A tenant's HTTPRoute: percent by version, empty if it is not ours; and whether the gateways have taken it up."""

    weights: Mapping[int, int]
    accepted: bool


def version_of(found: Object) -> int:
    """Return the version that an object's label names; 0 when it names none."""
    label = found["metadata"].get("labels", {}).get(names.VERSION, "")
    return int(label) if label.isdecimal() else 0


def inferred(found: Object) -> Inferred:
    """Reduce an InferenceService."""
    storage_uri = str(found["spec"]["predictor"].get("model", {}).get("storageUri", ""))
    return Inferred(version_of(found), storage_uri, "deletionTimestamp" in found["metadata"])


def least(found: Object) -> int:
    """Reduce an autoscaler to its minimum."""
    return int(found["spec"].get("minReplicas", 1))


def deployed(found: Object) -> Deployed:
    """Reduce a Deployment."""
    status = found.get("status", {})
    refused = _condition(found, "ReplicaFailure", "True")
    return Deployed(
        version_of(found),
        int(found["spec"].get("replicas", 1)),
        int(status.get("readyReplicas", 0)),
        str(refused["message"])[:_LONGEST] if refused else None,
    )


def pod(found: Object) -> Pod:
    """Reduce a pod."""
    leaving = "deletionTimestamp" in found["metadata"]
    status = found.get("status", {})
    unplaced = _condition(found, "PodScheduled", "False")
    failed, waits = (None, None) if leaving else _stuck(status)
    return Pod(
        version_of(found),
        str(found["metadata"]["uid"]),
        str(status.get("podIP", "")),
        not leaving and _condition(found, "Ready", "True") is not None,
        failed,
        str(unplaced.get("message", "not placed on a node"))[:_LONGEST] if unplaced else waits,
    )


def routed(found: Object) -> Routed:
    """Reduce an HTTPRoute."""
    rules = found.get("spec", {}).get("rules", ())
    if not rules:
        return Routed({}, True)
    shares: dict[int, int] = {}
    for backend in rules[-1].get("backendRefs", ()):
        version = names.version_of_backend(backend["name"])
        if version is None:
            # Somebody wrote a route of their own: nothing of it is ours.
            return Routed({}, True)
        shares[version] = int(backend.get("weight", 1))
    total = sum(shares.values())
    weights = {version: round(100 * share / total) for version, share in shares.items()} if total else {}
    return Routed(weights, _accepted(found))


def failed(pods: Iterable[Pod]) -> str | None:
    """Return why a version will not come up: a pod of it does not, and none is ready."""
    found = list(pods)
    if any(each.ready for each in found):
        return None
    return next((each.failed for each in found if each.failed), None)


def obstacle(deployment: Deployed, pods: Iterable[Pod]) -> str | None:
    """Return what keeps a version from having all of its pods, or None."""
    return deployment.refused or next((each.waits for each in pods if each.waits), None)


def _stuck(status: Object) -> tuple[str | None, str | None]:
    """Return the last words of a container that ended for good, or else of one whose start may succeed later."""
    for container in (*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())):
        waiting = container.get("state", {}).get("waiting", {})
        if waiting.get("reason") in _HOPELESS:
            ended = container.get("lastState", {}).get("terminated", {})
            code = f"ended with exit code {ended['exitCode']} ({ended['reason']})" if ended else None
            said = str(ended.get("message") or code or waiting.get("message") or waiting["reason"]).strip()
            words = f"{container['name']}: {said.splitlines()[-1]}"[:_LONGEST]
            return (None, words) if ended.get("exitCode") == _STORE_IS_DOWN else (words, None)
    return None, None


def _accepted(route: Object) -> bool:
    generation = route["metadata"]["generation"]
    parents = route.get("status", {}).get("parents", ())
    return bool(parents) and all(
        any(
            each["type"] == kind and each["status"] == "True" and each.get("observedGeneration") == generation
            for each in parent.get("conditions", ())
        )
        for parent in parents
        for kind in ("Accepted", "ResolvedRefs")
    )


def _condition(found: Object, kind: str, status: str) -> Object | None:
    for each in found.get("status", {}).get("conditions", ()):
        if each["type"] == kind and each["status"] == status:
            return dict(each)
    return None
