from __future__ import annotations

import base64
import json

import pytest

from infra.node import upstream

RELEASE = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: inferenceservices.serving.kserve.io
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: llmisvc-controller-manager
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata:
  name: serving-cert
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: inferenceservice-config
data:
  _example: long
  deploy: '{"defaultDeploymentMode": "Knative"}'
  ingress: '{"disableIngressCreation": false, "ingressGateway": "kept"}'
  security: '{"autoMountServiceAccountToken": true}'
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: kserve-controller-manager
spec:
  template:
    spec:
      containers:
        - name: manager
          image: upstream
          command: [/manager]
          args: [--leader-elect]
          livenessProbe: {initialDelaySeconds: 30}
          readinessProbe: {initialDelaySeconds: 30}
          resources: {requests: {cpu: 100m}, limits: {cpu: 100m, memory: 300Mi}}
          volumeMounts: []
        - name: kube-rbac-proxy
      volumes: []
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata:
  name: inferenceservice.serving.kserve.io
webhooks:
  - name: one
    clientConfig: {service: {name: kserve-webhook-server-service}}
"""


@pytest.fixture
def kserve() -> dict[str, upstream.Manifest]:
    found = upstream.kserve(RELEASE, "registry.test/kserve@sha256:1", (b"certificate", b"key", b"authority"))
    return {each["kind"]: each for each in found}


def test_of_kserve_only_what_serves_models_is_installed(kserve: dict[str, upstream.Manifest]) -> None:
    assert set(kserve) == {"ConfigMap", "Deployment", "ValidatingWebhookConfiguration", "Secret"}


def test_kserve_runs_in_standard_mode_and_makes_no_routes(kserve: dict[str, upstream.Manifest]) -> None:
    data = {section: json.loads(text) for section, text in kserve["ConfigMap"]["data"].items()}
    assert data["deploy"] == {"defaultDeploymentMode": "Standard"}
    assert data["ingress"] == {"disableIngressCreation": True, "ingressGateway": "kept"}
    assert data["security"] == {"autoMountServiceAccountToken": False}


def test_the_webhook_is_trusted_without_cert_manager(kserve: dict[str, upstream.Manifest]) -> None:
    [webhook] = kserve["ValidatingWebhookConfiguration"]["webhooks"]
    assert base64.b64decode(webhook["clientConfig"]["caBundle"]) == b"authority"
    assert base64.b64decode(kserve["Secret"]["data"]["tls.crt"]) == b"certificate"


def test_the_controller_is_one_container_of_the_rig_without_a_cpu_limit(kserve: dict[str, upstream.Manifest]) -> None:
    [manager] = kserve["Deployment"]["spec"]["template"]["spec"]["containers"]
    assert manager["image"] == "registry.test/kserve@sha256:1"
    assert "command" not in manager
    assert manager["resources"]["limits"] == {"memory": "300Mi"}


def test_the_operator_moves_to_its_namespace_and_starts_our_reloader() -> None:
    deployment = {
        "kind": "Deployment",
        "metadata": {"namespace": "default"},
        "spec": {
            "template": {
                "spec": {
                    "containers": [
                        {
                            "args": ["--a", "--prometheus-config-reloader=x"],
                            "resources": {"requests": {"cpu": 1}, "limits": {"cpu": 1}},
                        }
                    ]
                }
            }
        },
    }
    binding = {"kind": "ClusterRoleBinding", "metadata": {}, "subjects": [{"namespace": "default"}]}
    monitor = {"kind": "ServiceMonitor", "metadata": {}}
    found = upstream.prometheus_operator([deployment, binding, monitor], "operator", "reloader")
    assert [each["kind"] for each in found] == ["Deployment", "ClusterRoleBinding"]
    [container] = found[0]["spec"]["template"]["spec"]["containers"]
    assert container["args"] == ["--a", "--prometheus-config-reloader=reloader"]
    assert found[0]["metadata"]["namespace"] == found[1]["subjects"][0]["namespace"] == "monitoring"
