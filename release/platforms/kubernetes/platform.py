"""The cluster as the controller's platform."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from release.counts import Counts
from release.observation import VersionSeen
from release.platforms.base import PlatformError, Seen
from release.platforms.kubernetes import names, objects, sight
from release.platforms.kubernetes.api import Api, ApiRefusedError, path
from release.platforms.kubernetes.gateway import Gateway
from release.platforms.kubernetes.mirror import Mirror
from release.platforms.kubernetes.model_release import owner_of
from release.platforms.kubernetes.predictors import Predictors
from release.platforms.kubernetes.sight import Deployed, Pod
from release.status import VersionRef
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
        self._services = Mirror(api, "inferenceservices", sight.version_of, names.VERSION)
        self._deployments = Mirror(api, "deployments", sight.deployed, names.VERSION)
        self._pods = Mirror(api, "pods", sight.pod, names.VERSION)
        self._routes = Mirror(api, "httproutes", sight.routed, names.MODEL)
        self._refused: dict[tuple[str, int], str] = {}
        self._weights: dict[tuple[str, str], Mapping[int, int]] = {}

    def wait(self) -> None:
        """Wait until everything was seen once.

        Raises:
            PlatformError: it was not.
        """
        for mirror in (self._services, self._deployments, self._pods, self._routes):
            mirror.wait()

    def observe(self, releases: Sequence[Release]) -> Mapping[str, Seen]:
        """See the base. Only the predictors of releases with a trial are asked for what they counted."""
        held = self._held()
        on_trial = {_place(each) for each in releases if each.status.canary is not None}
        pods = [pod for place in on_trial for of_version in held[place].pods.values() for pod in of_version]
        counts = self._predictors.counts([pod for pod in pods if pod.ready])
        errors = self._gateway.errors() if on_trial else None
        return {each.name: self._seen(each, held[_place(each)], counts, errors) for each in releases}

    def ensure(self, release: Release, artifact: VersionRef, replicas: int | None) -> None:
        """Apply the version's objects; with ``replicas`` 0 it keeps its InferenceService and has no pod.

        It is asked for again until the Deployment that KServe makes is there and has its replicas.
        """
        spec, version = release.spec, artifact.version
        scaler = path("horizontalpodautoscalers", release.tenant, names.version_name(spec.model, version))
        if replicas == 0:
            # In this order: an autoscaler leaves a Deployment of no replicas alone, but may be about to scale it.
            self._api.delete(scaler)
            self._scale(release, version, 0)
            return
        try:
            self._start(release, artifact)
            wanted = objects.autoscaler(spec, owner_of(release), version, replicas)
            self._api.apply(scaler, wanted)
            self._scale(release, version, wanted["spec"]["minReplicas"])
        except ApiRefusedError as error:
            self._refused[release.name, version] = str(error)
            raise
        self._refused.pop((release.name, version), None)

    def weigh(self, release: Release, weights: Mapping[int, int]) -> None:
        """Apply the HTTPRoute."""
        route = objects.http_route(release.spec, owner_of(release), weights)
        self._api.apply(path("httproutes", release.tenant, release.spec.model), route)

    def smoke(self, release: Release, version: int) -> str:
        """Ask one pod of the version itself."""
        pods = self._held()[_place(release)].pods[version]
        ready = next((each for each in pods if each.ready and each.address), None)
        if ready is None:
            raise PlatformError(f"version {version} has no pod that is ready")
        return self._predictors.smoke(ready, release.spec.model)

    def remove(self, release: Release, version: int) -> None:
        """Delete the version's objects; its pods go with the InferenceService and end what is in flight (preStop)."""
        spec, tenant = release.spec, release.tenant
        name = names.version_name(spec.model, version)
        stable = release.status.stable
        if stable is not None and stable.version != version:
            # A promotion gave it as many replicas as the old version had; from now on the load alone decides.
            scaler = objects.autoscaler(spec, owner_of(release), stable.version, None)
            self._api.apply(path("horizontalpodautoscalers", tenant, scaler["metadata"]["name"]), scaler)
        self._api.delete(path("horizontalpodautoscalers", tenant, name))
        self._api.delete(path("services", tenant, names.grpc_service(spec.model, version)))
        # Last: while it is there, a removal that was cut short begins anew.
        self._api.delete(path("inferenceservices", tenant, name))
        self._refused.pop((release.name, version), None)

    def retain(self, releases: Sequence[Release]) -> None:
        """Nothing to do: what a deleted ModelRelease owned, the cluster collects."""

    def _start(self, release: Release, artifact: VersionRef) -> None:
        spec, tenant = release.spec, release.tenant
        at = path("inferenceservices", tenant, names.version_name(spec.model, artifact.version))
        held = self._api.get(at)
        if held is None:
            self._api.apply(at, objects.inference_service(spec, owner_of(release), artifact))
        elif held["spec"]["predictor"]["model"].get("storageUri") != artifact.storage_uri:
            # It is never edited, for that would roll its pods: the other bytes go first.
            self._api.delete(at)
            raise PlatformError(f"version {artifact.version} was there with other bytes; it is made anew")
        service = objects.grpc_service(spec, owner_of(release), artifact.version)
        self._api.apply(path("services", tenant, service["metadata"]["name"]), service)

    def _scale(self, release: Release, version: int, least: int) -> None:
        """Give the Deployment, if KServe has made it, at least so many replicas; 0 stops it."""
        at = path("deployments", release.tenant, names.deployment(release.spec.model, version), "scale")
        now = self._api.get(at)
        if now is None:
            return
        replicas = int(now["spec"].get("replicas", 0))
        if replicas < least or (least == 0 and replicas > 0):
            self._api.merge(at, {"spec": {"replicas": least}})

    def _held(self) -> dict[tuple[str, str], _Held]:
        """Return what is there by namespace and model."""
        held: dict[tuple[str, str], _Held] = defaultdict(_Held)
        for (namespace, name), version in self._services.objects().items():
            held[namespace, name.removesuffix(f"-v{version}")].services.append(version)
        for (namespace, name), deployed in self._deployments.objects().items():
            held[namespace, _model(name, deployed.version)].deployments[deployed.version] = deployed
        for (namespace, name), pod in self._pods.objects().items():
            held[namespace, _model(name, pod.version)].pods[pod.version].append(pod)
        for (namespace, name), routed in self._routes.objects().items():
            # Until a gateway has taken up new weights, those before are in force.
            accepted = self._weights.get((namespace, name), {}) if routed.weights is None else routed.weights
            held[namespace, name].weights = self._weights[namespace, name] = accepted
        return held

    def _seen(
        self, release: Release, held: _Held, counts: Mapping[str, Counts], errors: Mapping[str, int] | None
    ) -> Seen:
        status = release.status
        wanted = {each.version for each in (status.stable, status.canary) if each is not None}
        versions = {}
        refused_here = {version: said for (name, version), said in list(self._refused.items()) if name == release.name}
        for version in {*held.services, *refused_here}:
            refused = refused_here.get(version)
            deployed = held.deployments.get(version)
            if deployed is None or (version in wanted and 0 < deployed.replicas < objects.least_replicas(release.spec)):
                # What is wanted but not whole yet is not there: it is asked for again.
                if refused is not None:
                    versions[version] = VersionSeen(stopped=True, blocked=refused)
                elif version not in wanted:
                    versions[version] = VersionSeen(stopped=True)
                continue
            pods = held.pods[version]
            read = {pod.uid: counts[pod.uid] for pod in pods if pod.uid in counts}
            backend = f"{release.tenant}-{names.version_name(release.spec.model, version)}"
            versions[version] = VersionSeen(
                ready=deployed.available and deployed.ready > 0,
                replicas=deployed.ready,
                failed=sight.failed(pods),
                blocked=sight.obstacle(deployed, pods),
                stopped=deployed.replicas == 0,
                counters=read or None,
                gateway_errors=None if errors is None else errors.get(backend, 0),
            )
        return Seen(versions, held.weights)


@dataclass
class _Held:
    """What one release has."""

    services: list[int] = field(default_factory=list)
    deployments: dict[int, Deployed] = field(default_factory=dict)
    pods: dict[int, list[Pod]] = field(default_factory=lambda: defaultdict(list))
    weights: Mapping[int, int] = field(default_factory=dict)


def _place(release: Release) -> tuple[str, str]:
    return release.tenant, release.spec.model


def _model(name: str, version: int) -> str:
    """Return the model of a Deployment or a pod of KServe's: ``<model>-v<version>-predictor…``."""
    return name.rpartition(f"-v{version}-predictor")[0]
