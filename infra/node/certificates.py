"""The cluster's certificates and kubeconfigs: one authority, and a key for each who speaks to the API server."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from infra.authority import Authority, key_pem
from infra.node.addresses import NODE, NODE_NAME, SERVER
from infra.node.layout import Layout

__all__ = ["server_certificate", "write"]

# Who: common name and organisation, which Kubernetes reads as user and group.
CLIENTS = {
    "admin": ("ferryman:admin", "system:masters"),
    "kube-controller-manager": ("system:kube-controller-manager", ""),
    "kube-scheduler": ("system:kube-scheduler", ""),
    "kube-proxy": ("system:kube-proxy", ""),
    "kubelet": (f"system:node:{NODE_NAME}", "system:nodes"),
    "front-proxy": ("front-proxy", ""),
}
KSERVE_WEBHOOK = "kserve-webhook-server-service.kserve.svc"
API_SERVER_NAMES = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "localhost")
API_SERVER_ADDRESSES = (NODE, "127.0.0.1", "10.96.0.1")

_NAME = "ferryman-node"


def server_certificate(hosts: Sequence[str]) -> tuple[bytes, bytes, bytes]:
    """Return a server's certificate, its key and the authority that signed it, PEM; the authority's key is not kept."""
    authority = Authority.generate(_NAME)
    certificate, key = authority.issue(hosts[0], hosts=hosts)
    return certificate, key, authority.pem


def write(layout: Layout) -> None:
    """Write certificates, keys and kubeconfigs for a new cluster."""
    folder = layout.state / "keys"
    folder.mkdir(mode=0o700)
    authority = Authority.generate(_NAME)
    (folder / "ca.crt").write_bytes(authority.pem)
    served = authority.issue("kube-apiserver", hosts=(*API_SERVER_NAMES, *API_SERVER_ADDRESSES))
    _write_pair(folder, "kube-apiserver", served)
    for client, (name, organisation) in CLIENTS.items():
        pair = authority.issue(name, organisation)
        _write_pair(folder, client, pair)
        _write_kubeconfig(folder / f"{client}.kubeconfig", authority.pem, pair)
    accounts = ec.generate_private_key(ec.SECP256R1())
    _write(folder / "service-accounts.key", key_pem(accounts))
    public = serialization.PublicFormat.SubjectPublicKeyInfo
    _write(folder / "service-accounts.pub", accounts.public_key().public_bytes(serialization.Encoding.PEM, public))
    (folder / "admin.kubeconfig").rename(layout.kubeconfig)
    _write_pair(folder, "kserve-webhook", authority.issue("kserve-webhook", hosts=[KSERVE_WEBHOOK]))


def _write_pair(folder: Path, name: str, pair: tuple[bytes, bytes]) -> None:
    _write(folder / f"{name}.crt", pair[0])
    _write(folder / f"{name}.key", pair[1])


def _write_kubeconfig(path: Path, authority: bytes, pair: tuple[bytes, bytes]) -> None:
    certificate, key = (base64.b64encode(each).decode() for each in pair)
    user = {"client-certificate-data": certificate, "client-key-data": key}
    cluster = {"server": SERVER, "certificate-authority-data": base64.b64encode(authority).decode()}
    text = yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": NODE_NAME, "cluster": cluster}],
            "users": [{"name": NODE_NAME, "user": user}],
            "contexts": [{"name": NODE_NAME, "context": {"cluster": NODE_NAME, "user": NODE_NAME}}],
            "current-context": NODE_NAME,
        }
    )
    _write(path, text.encode())


def _write(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)
