"""Upstream's manifests, changed where a node without registry access, cert-manager or much CPU needs it. Pure."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from typing import Any

import yaml

__all__ = ["kserve", "metrics_server", "prometheus_operator"]

Manifest = dict[str, Any]

# What KServe's release brings for other uses than serving one model a pod, and what only cert-manager reads.
_NOT_INSTALLED = re.compile(
    r"^kind: (CustomResourceDefinition|Certificate|Issuer|ClusterStorageContainer)$|^  name: .*(llm|localmodel)",
    re.MULTILINE,
)
# Standard mode without Knative; routes are ours, not KServe's; a predictor never speaks to the API server.
_KSERVE_SETTINGS = {
    "deploy": {"defaultDeploymentMode": "Standard"},
    "ingress": {"disableIngressCreation": True},
    "security": {"autoMountServiceAccountToken": False},
}


# Measured at rest and during the suite; upstream asks for a twentieth of this node's CPU for each.
_REQUESTED_CPU = "30m"


def kserve(release: str, image: str, certificate: tuple[bytes, bytes, bytes]) -> list[Manifest]:
    """KServe's controller from its release's `kserve.yaml`.

    Args:
        release: the file's text.
        image: the controller's image.
        certificate: the webhook's certificate, its key and its authority, PEM: cert-manager would bring them.
    """
    served, key, authority = (base64.b64encode(each).decode() for each in certificate)
    chosen = [text for text in re.split(r"^---$", release, flags=re.MULTILINE) if not _NOT_INSTALLED.search(text)]
    found = [each for text in chosen for each in yaml.load_all(text, yaml.CSafeLoader) if each]
    for each in found:
        if each["kind"].endswith("WebhookConfiguration"):
            for webhook in each["webhooks"]:
                webhook["clientConfig"]["caBundle"] = authority
        if each["kind"] == "ConfigMap" and each["metadata"]["name"] == "inferenceservice-config":
            del each["data"]["_example"]
            for section, settings in _KSERVE_SETTINGS.items():
                each["data"][section] = json.dumps(json.loads(each["data"][section]) | settings)
        if each["kind"] == "Deployment":
            _kserve_controller(each["spec"]["template"]["spec"], image)
    secret = {"name": "kserve-webhook-server-cert", "namespace": "kserve"}
    data = {"tls.crt": served, "tls.key": key}
    return [
        *found,
        {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "metadata": secret, "data": data},
    ]


def metrics_server(upstream: Iterable[Manifest], image: str) -> list[Manifest]:
    """Metrics-server with fresh numbers, and without asking for the kubelet's certificate to be signed."""
    found = list(upstream)
    for each in found:
        # Upstream's kustomization adds this label everywhere and to selectors.
        label = {"k8s-app": "metrics-server"}
        each["metadata"]["labels"] = each["metadata"].get("labels", {}) | label
        if each["kind"] == "Service":
            each["spec"]["selector"] = label
        if each["kind"] == "Deployment":
            each["spec"]["selector"] = {"matchLabels": label}
            each["spec"]["template"]["metadata"] = {"labels": label}
            [container] = each["spec"]["template"]["spec"]["containers"]
            container["image"] = image
            container["args"] = [argument for argument in container["args"] if "metric-resolution" not in argument]
            # A resolution below 15 s needs a shorter request time-out than the default, else it panics.
            container["args"] += ["--metric-resolution=10s", "--kubelet-request-timeout=5s", "--kubelet-insecure-tls"]
            container["readinessProbe"] |= {"initialDelaySeconds": 1, "periodSeconds": 1}
            container["resources"]["requests"]["cpu"] = _REQUESTED_CPU
    return found


def prometheus_operator(upstream: Iterable[Manifest], image: str, reloader: str) -> list[Manifest]:
    """Prometheus-operator in the namespace `monitoring`."""
    found = [each for each in upstream if each["kind"] != "ServiceMonitor"]
    for each in found:
        if "namespace" in each["metadata"]:
            each["metadata"]["namespace"] = "monitoring"
        for subject in each.get("subjects", ()):
            subject["namespace"] = "monitoring"
        if each["kind"] == "Deployment":
            [container] = each["spec"]["template"]["spec"]["containers"]
            container["image"] = image
            container["args"] = [
                argument for argument in container["args"] if "prometheus-config-reloader" not in argument
            ] + [f"--prometheus-config-reloader={reloader}"]
            del container["resources"]["limits"]["cpu"]
            container["resources"]["requests"]["cpu"] = _REQUESTED_CPU
    return found


def _kserve_controller(pod: Manifest, image: str) -> None:
    # Its second container only guards the metrics, with an image that no module holds.
    [manager] = [each for each in pod["containers"] if each["name"] == "manager"]
    pod["containers"] = [manager]
    del manager["command"]
    manager |= {"image": image, "imagePullPolicy": "IfNotPresent"}
    del manager["resources"]["limits"]["cpu"]
    manager["resources"]["requests"]["cpu"] = _REQUESTED_CPU
    for probe in ("livenessProbe", "readinessProbe"):
        manager[probe] |= {"initialDelaySeconds": 1, "periodSeconds": 1}
    # An image from scratch has no /tmp.
    manager["volumeMounts"].append({"name": "tmp", "mountPath": "/tmp"})  # noqa: S108
    pod["volumes"].append({"name": "tmp", "emptyDir": {}})
