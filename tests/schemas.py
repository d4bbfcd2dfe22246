"""Whether an object is one that its API takes: by Kubernetes' schemas, or by those of the CRD that defines its kind."""

from __future__ import annotations

import functools
import json
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import yaml
from jsonschema.exceptions import best_match

from infra.platform.manifests import ROOT
from release.crd import definition

__all__ = ["ARGO_CD", "EXTERNAL_SECRETS", "fault", "module", "of_others"]

KUBERNETES = "1.34"


def _of_the_rig(component: str) -> tuple[str, str]:
    table = tomllib.loads((ROOT / "infra/node/components.toml").read_text())[component]
    return table["module"], table["version"]


def _of_terraform(name: str) -> str:
    text = (ROOT / "infra/terraform/environments/eks/next.tf").read_text()
    return re.search(rf'{name}_version = "(.+)"', text)[1]


# 3.6 asks for a newer Go than the rig's.
ARGO_CD = ("github.com/argoproj/argo-cd/v3", "v3.5.7")
EXTERNAL_SECRETS = ("github.com/external-secrets/external-secrets", "v1.3.2")
KARPENTER = ("github.com/aws/karpenter-provider-aws", f"v{_of_terraform('karpenter')}")
CERT_MANAGER = ("github.com/cert-manager/cert-manager", "v1.21.2")
# Where each CRD lies in its module.
CRDS = {
    "serving.kserve.io": (_of_the_rig("kserve"), "install/v0.20.0/kserve-crds.yaml"),
    "gateway.networking.k8s.io": (_of_the_rig("gateway-api"), "config/crd/standard/*.yaml"),
    "monitoring.coreos.com": (_of_the_rig("prometheus-operator"), "example/prometheus-operator-crd/*.yaml"),
    "cert-manager.io": (CERT_MANAGER, "deploy/crds/*.yaml"),
    "argoproj.io": (ARGO_CD, "manifests/crds/*.yaml"),
    "karpenter.sh": (KARPENTER, "pkg/apis/crds/karpenter.sh_*.yaml"),
    "karpenter.k8s.aws": (KARPENTER, "pkg/apis/crds/karpenter.k8s.aws_*.yaml"),
    "external-secrets.io": (EXTERNAL_SECRETS, "config/crds/bases/external-secrets.io_*.yaml"),
}


@functools.cache
def module(name: str, version: str) -> Path:
    """The folder of a Go module, downloaded if need be."""
    command = ["go", "mod", "download", "-json", f"{name}@{version}"]
    return Path(json.loads(subprocess.run(command, capture_output=True, check=True).stdout)["Dir"])


class _Loader(yaml.CSafeLoader):
    """YAML 1.1 has a type for a lone `=`, which one CRD uses as a word."""


_Loader.add_constructor("tag:yaml.org,2002:value", lambda _, node: str(node.value))


def of_others(folder: Path) -> list[dict[str, Any]]:
    """What ``kubectl kustomize`` makes of a folder of somebody else's."""
    done = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True, check=True)
    return [found for found in yaml.load_all(done.stdout, Loader=_Loader) if found]


@functools.cache
def schema(group: str, version: str, kind: str) -> Any:
    """The schema of a kind, from the module that defines it, or from us."""
    if group == "ferryman.dev":
        return definition()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    where, pattern = CRDS[group]
    folder = module(*where)
    documents = (text for file in sorted(folder.glob(pattern)) for text in file.read_text().split("\n---\n"))
    crd = yaml.load(next(text for text in documents if f"\n    kind: {kind}\n" in text), Loader=_Loader)  # noqa: S506
    return next(v["schema"]["openAPIV3Schema"] for v in crd["spec"]["versions"] if v["name"] == version)


def strict(part: Any) -> Any:
    """The schema as the API server applies it: unknown fields are refused."""
    if isinstance(part, list):
        return [strict(each) for each in part]
    if not isinstance(part, dict):
        return part
    if part.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    made = {key: value if key == "enum" else strict(value) for key, value in part.items()}
    if isinstance(pattern := made.get("pattern"), str):
        # Go takes a flag after the anchor, Python before it.
        made["pattern"] = pattern.replace("^(?i)", "(?i)^")
    if part.get("properties") and not part.get("x-kubernetes-preserve-unknown-fields"):
        made.setdefault("additionalProperties", False)
    return made


@functools.cache
def _validator(group: str, version: str, kind: str) -> jsonschema.Draft4Validator:
    properties = {name: strict(part) for name, part in schema(group, version, kind)["properties"].items()}
    # Their own schemas are the API server's.
    properties |= {"apiVersion": {}, "kind": {}, "metadata": {}}
    return jsonschema.Draft4Validator({"type": "object", "properties": properties, "additionalProperties": False})


def fault(found: dict[str, Any]) -> str | None:
    """What is wrong with an object, or None."""
    group, _, version = found["apiVersion"].rpartition("/")
    error: Exception | None = None
    if group in {*CRDS, "ferryman.dev"}:
        error = best_match(_validator(group, version, found["kind"]).iter_errors(found))
    else:
        try:
            kubernetes_validate.validate(found, KUBERNETES, strict=True)
        except kubernetes_validate.ValidationError as refused:
            error = refused
    return f"{found['kind']} {found['metadata']['name']}: {str(error).splitlines()[0]}" if error else None
