"""The cluster's certificates and kubeconfigs: one authority, and a key for each who speaks to the API server."""

from __future__ import annotations

import base64
import datetime
import ipaddress
from collections.abc import Sequence
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

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


class _Authority:
    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = (
            _builder("ferryman-node", "", self.key, x509.Name([_common_name("ferryman-node")]))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(self.key, hashes.SHA256())
        )

    def issue(self, name: str, organisation: str = "", hosts: Sequence[str] = ()) -> tuple[bytes, bytes]:
        """A certificate for clients, or with ``hosts`` for a server, and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        usage = ExtendedKeyUsageOID.SERVER_AUTH if hosts else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = _builder(name, organisation, key, self.certificate.subject).add_extension(
            x509.ExtendedKeyUsage([usage]), critical=False
        )
        if hosts:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_host(each) for each in hosts]), critical=False
            )
        return _pem(builder.sign(self.key, hashes.SHA256())), _key_pem(key)


def server_certificate(hosts: Sequence[str]) -> tuple[bytes, bytes, bytes]:
    """Return a server's certificate, its key and the authority that signed it, PEM; the authority's key is not kept."""
    authority = _Authority()
    certificate, key = authority.issue(hosts[0], hosts=hosts)
    return certificate, key, _pem(authority.certificate)


def write(layout: Layout) -> None:
    """Write certificates, keys and kubeconfigs for a new cluster."""
    folder = layout.state / "keys"
    folder.mkdir(mode=0o700)
    authority = _Authority()
    (folder / "ca.crt").write_bytes(_pem(authority.certificate))
    served = authority.issue("kube-apiserver", hosts=(*API_SERVER_NAMES, *API_SERVER_ADDRESSES))
    _write_pair(folder, "kube-apiserver", served)
    for client, (name, organisation) in CLIENTS.items():
        pair = authority.issue(name, organisation)
        _write_pair(folder, client, pair)
        _write_kubeconfig(folder / f"{client}.kubeconfig", _pem(authority.certificate), pair)
    accounts = ec.generate_private_key(ec.SECP256R1())
    _write(folder / "service-accounts.key", _key_pem(accounts))
    public = serialization.PublicFormat.SubjectPublicKeyInfo
    _write(folder / "service-accounts.pub", accounts.public_key().public_bytes(serialization.Encoding.PEM, public))
    (folder / "admin.kubeconfig").rename(layout.kubeconfig)
    _write_pair(folder, "kserve-webhook", authority.issue("kserve-webhook", hosts=[KSERVE_WEBHOOK]))


def _builder(
    name: str, organisation: str, key: ec.EllipticCurvePrivateKey, issuer: x509.Name
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    subject = [_common_name(name)]
    if organisation:
        subject.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation))
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name(subject))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=365))
    )


def _common_name(name: str) -> x509.NameAttribute[str]:
    return x509.NameAttribute(NameOID.COMMON_NAME, name)


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


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
