"""The cluster as the controller's platform."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from release.counts import Counts
from release.moment import format_moment
from release.observation import VersionSeen
from release.platforms.base import PlatformError, Seen
from release.platforms.kubernetes import names, objects, sight
from release.platforms.kubernetes.api import Api, ApiRefusedError, ConflictError, path
from release.platforms.kubernetes.backoff import Backoff
from release.platforms.kubernetes.gateway import Gateway
from release.platforms.kubernetes.mirror import Mirror
from release.platforms.kubernetes.model_release import owner_of
from release.platforms.kubernetes.predictors import Predictors
from release.platforms.kubernetes.sight import Deployed, Pod
from release.status import Phase, ReleaseStatus, VersionRef
from release.store import Release

__all__ = ["KubernetesPlatform"]


class KubernetesPlatform:
    """A :class:`release.platforms.base.Platform` of InferenceServices, autoscalers, Services, and an HTTPRoute each.

    What there is comes from watches, so that a thousand tenants at rest cost nothing.
    """

    def __init__(self, api: Api) -> None:
        self._api = api
        self._predictors = Predictors()
        self._gateway = Gateway()
        self._inferences = Mirror(api, "inferenceservices", sight.inferred, names.VERSION)
        self._services = Mirror(api, "services", sight.version_of, names.VERSION)
        self._scalers = Mirror(api, "horizontalpodautoscalers", sight.least, names.VERSION)
        self._deployments = Mirror(api, "deployments", sight.deployed, names.VERSION)
        self._pods = Mirror(api, "pods", sight.pod, names.VERSION)
        self._routes = Mirror(api, "httproutes", sight.routed, names.MODEL)
        self._refused: dict[tuple[str, int], str] = {}
        self._weights: dict[tuple[str, str], Mapping[int, int]] = {}
        self._weighed = Backoff()

    def wait(self) -> None:
        """Wait until everything was seen once.

        Raises:
            PlatformError: it was not.
        """
        mirrors = (self._inferences, self._services, self._scalers, self._deployments, self._pods, self._routes)
        for mirror in mirrors:
            mirror.wait()

    def observe(self, releases: Sequence[Release]) -> Mapping[str, Seen]:
        """See the base.

        What predictors and the gateway counted is asked for only where a version on trial has requests or may soon have
        some, and the predictors only where they are compared: to read a thousand takes seconds.
        """
        held = self._held()
        tried = [each for each in releases if _has_requests_or_may(each, held[_place(each)])]
        compared = [each for each in tried if _is_compared(each.status)]
        pods = [pod for each in compared for version in _wanted(each) for pod in held[_place(each)].pods[version]]
        counts = self._predictors.counts([pod for pod in pods if pod.ready])
        errors = self._gateway.errors() if tried else None
        return {each.name: self._seen(each, held[_place(each)], counts, errors) for each in releases}

    def ensure(self, release: Release, artifact: VersionRef, replicas: int | None) -> None:
        """Make what is missing of the version; with ``replicas`` 0 it keeps its InferenceService and has no pod.

        It is asked for again once KServe has made the Deployment, until that has its replicas.
        """
        if replicas == 0:
            # In this order: an autoscaler leaves a Deployment of no replicas alone, but may be about to scale it.
            name = names.version_name(release.spec.model, artifact.version)
            self._api.delete(path("horizontalpodautoscalers", release.tenant, name))
            self._scale(release, artifact.version, 0)
            return
        try:
            deployed = self._deploy(release, artifact)
            if deployed is not None:
                least = self._surround(release, artifact.version, replicas)
                if deployed.replicas < least:
                    self._scale(release, artifact.version, least)
        except ApiRefusedError as error:
            self._refused[release.name, artifact.version] = str(error)
            raise
        self._refused.pop((release.name, artifact.version), None)

    def weigh(self, release: Release, weights: Mapping[int, int]) -> None:
        """Apply the HTTPRoute; while the gateway has yet to take it up, not at every look."""
        place = _place(release)
        held = self._routes.get(*place)
        told = held is not None and not held.accepted and held.weights == weights
        if not self._weighed.due(place, told, time.monotonic()):
            return
        route = objects.http_route(release.spec, owner_of(release), weights)
        if told:
            # The API server may have been away when the gateway had it to say. It says it anew of what has changed.
            route["metadata"]["annotations"] = {names.ASKED_AGAIN: format_moment(time.time())}
        self._api.apply(path("httproutes", *place), route)

    def smoke(self, release: Release, version: int) -> str:
        """Ask one pod of the version itself."""
        prefix = names.deployment(release.spec.model, version)
        for (namespace, name), pod in self._pods.objects().items():
            if namespace == release.tenant and pod.version == version and name.startswith(prefix) and pod.ready:
                return self._predictors.smoke(pod, release.spec.model)
        raise PlatformError(f"version {version} has no pod that is ready")

    def remove(self, release: Release, version: int) -> None:
        """Delete the version's objects; its pods go with the InferenceService and end what is in flight (preStop)."""
        spec, tenant = release.spec, release.tenant
        name = names.version_name(spec.model, version)
        stable = release.status.stable
        if stable is not None and stable.version != version:
            # A promotion gave it as many replicas as the old version had; from now on the load alone decides.
            scaler = objects.autoscaler(spec, owner_of(release), stable.version, None)
            called = scaler["metadata"]["name"]
            if (self._scalers.get(tenant, called) or 0) > scaler["spec"]["minReplicas"]:
                self._api.apply(path("horizontalpodautoscalers", tenant, called), scaler)
        grpc = names.grpc_service(spec.model, version)
        inferred = self._inferences.get(tenant, name)
        # KServe takes its time to let go of an InferenceService. Meanwhile only what came later is deleted again.
        begins = inferred is None or not inferred.leaving
        if begins or self._scalers.get(tenant, name) is not None:
            self._api.delete(path("horizontalpodautoscalers", tenant, name))
        if begins or self._services.get(tenant, grpc) is not None:
            self._api.delete(path("services", tenant, grpc))
        if begins:
            # Last: while it is there, a removal that was cut short begins anew.
            self._api.delete(path("inferenceservices", tenant, name))
        self._refused.pop((release.name, version), None)

    def retain(self, releases: Sequence[Release]) -> None:
        """Nothing to do: what a deleted ModelRelease owned, the cluster collects."""

    def _deploy(self, release: Release, artifact: VersionRef) -> Deployed | None:
        """Return the Deployment that KServe made of the version's InferenceService, or see to the latter.

        The InferenceService comes alone and first, also where a thousand tenants are to have one: until it has a
        Deployment nobody needs the rest.
        """
        spec, tenant, version = release.spec, release.tenant, artifact.version
        name = names.version_name(spec.model, version)
        held = self._inferences.get(tenant, name)
        if held is None:
            self._create("inferenceservices", tenant, objects.inference_service(spec, owner_of(release), artifact))
            return None
        if held.storage_uri != artifact.storage_uri:
            # It is never edited, for that would roll its pods: the other bytes go first.
            self._api.delete(path("inferenceservices", tenant, name))
            return None
        return self._deployments.get(tenant, names.deployment(spec.model, version))

    def _surround(self, release: Release, version: int, replicas: int | None) -> int:
        """Create Service and autoscaler where there are none; return how many replicas there shall be at least."""
        spec, owner, tenant = release.spec, owner_of(release), release.tenant
        name, grpc = names.version_name(spec.model, version), names.grpc_service(spec.model, version)
        if self._services.get(tenant, grpc) is None:
            self._create("services", tenant, objects.grpc_service(spec, owner, version))
        scaler = objects.autoscaler(spec, owner, version, replicas)
        least = int(scaler["spec"]["minReplicas"])
        if (self._scalers.get(tenant, name) or 0) < least:
            self._api.apply(path("horizontalpodautoscalers", tenant, name), scaler)
        return least

    def _create(self, kind: str, namespace: str, wanted: objects.Object) -> None:
        """Create an object, unless it is there already and the watch has not said so yet."""
        with suppress(ConflictError):
            self._api.create(path(kind, namespace), wanted)

    def _scale(self, release: Release, version: int, replicas: int) -> None:
        at = path("deployments", release.tenant, names.deployment(release.spec.model, version), "scale")
        self._api.merge(at, {"spec": {"replicas": replicas}})

    def _held(self) -> dict[tuple[str, str], _Held]:
        """Return what is there by namespace and model."""
        held: dict[tuple[str, str], _Held] = defaultdict(_Held)
        for (namespace, name), inferred in self._inferences.objects().items():
            held[namespace, name.removesuffix(f"-v{inferred.version}")].versions.append(inferred.version)
        for (namespace, name), deployed in self._deployments.objects().items():
            held[namespace, _model(name, deployed.version)].deployments[deployed.version] = deployed
        for (namespace, name), pod in self._pods.objects().items():
            held[namespace, _model(name, pod.version)].pods[pod.version].append(pod)
        for (namespace, name), routed in self._routes.objects().items():
            # Until a gateway has taken up new weights, those before are in force.
            accepted = routed.weights if routed.accepted else self._weights.get((namespace, name), {})
            held[namespace, name].weights = self._weights[namespace, name] = accepted
        return held

    def _seen(
        self, release: Release, held: _Held, counts: Mapping[str, Counts], errors: Mapping[str, int] | None
    ) -> Seen:
        wanted = _wanted(release)
        versions = {}
        refused_here = {version: said for (name, version), said in list(self._refused.items()) if name == release.name}
        for version in {*held.versions, *refused_here}:
            refused = refused_here.get(version)
            deployed = held.deployments.get(version)
            if deployed is None or (version in wanted and not self._whole(release, wanted[version], deployed)):
                if refused is not None:
                    versions[version] = VersionSeen(stopped=True, blocked=refused)
                elif version not in wanted:
                    versions[version] = VersionSeen(stopped=True)
                elif deployed is None and self._is_of(release, wanted[version]):
                    # KServe is to make the Deployment; to ask a thousand times a second again makes it no faster.
                    versions[version] = VersionSeen()
                # Else what is wanted but not whole is not there: it is asked for again.
                continue
            pods = held.pods[version]
            read = {pod.uid: counts[pod.uid] for pod in pods if pod.uid in counts}
            backend = f"{release.tenant}-{names.version_name(release.spec.model, version)}"
            versions[version] = VersionSeen(
                # Not the Deployment's own word: while it grows for a promotion, it calls itself unavailable.
                ready=deployed.ready > 0,
                replicas=deployed.ready,
                failed=sight.failed(pods),
                blocked=sight.obstacle(deployed, pods),
                stopped=deployed.replicas == 0,
                counters=read or None,
                gateway_errors=None if errors is None else errors.get(backend, 0),
            )
        return Seen(versions, held.weights)

    def _is_of(self, release: Release, artifact: VersionRef) -> bool:
        """Whether a version's InferenceService is there and of the right bytes."""
        held = self._inferences.get(release.tenant, names.version_name(release.spec.model, artifact.version))
        return held is not None and held.storage_uri == artifact.storage_uri

    def _whole(self, release: Release, artifact: VersionRef, deployed: Deployed) -> bool:
        """Whether a version is of the right bytes and, if it runs, has its Service, its autoscaler and its replicas."""
        tenant, model, version = release.tenant, release.spec.model, artifact.version
        name = names.version_name(model, version)
        if not self._is_of(release, artifact):
            return False
        if deployed.replicas == 0:
            return True
        served = self._services.get(tenant, names.grpc_service(model, version)) is not None
        scaled = self._scalers.get(tenant, name) is not None
        return served and scaled and deployed.replicas >= objects.least_replicas(release.spec)


@dataclass
class _Held:
    """What one release has."""

    versions: list[int] = field(default_factory=list)
    deployments: dict[int, Deployed] = field(default_factory=dict)
    pods: dict[int, list[Pod]] = field(default_factory=lambda: defaultdict(list))
    weights: Mapping[int, int] = field(default_factory=dict)


def _place(release: Release) -> tuple[str, str]:
    return release.tenant, release.spec.model


def _has_requests_or_may(release: Release, held: _Held) -> bool:
    trial = release.status.canary
    return trial is not None and (trial.weight > 0 or any(pod.ready for pod in held.pods[trial.version]))


def _is_compared(status: ReleaseStatus) -> bool:
    return status.phase == Phase.CANARY or (status.canary is not None and status.canary.is_judged)


def _wanted(release: Release) -> dict[int, VersionRef]:
    """Return what the release is to have running: its stable version and the one on trial."""
    return {each.version: each for each in (release.status.stable, release.status.canary) if each is not None}


def _model(name: str, version: int) -> str:
    """Return the model of a Deployment or a pod of KServe's: ``<model>-v<version>-predictor…``."""
    return name.rpartition(f"-v{version}-predictor")[0]
