from __future__ import annotations

import stat
from pathlib import Path

import yaml
from cryptography import x509

from infra.node import certificates
from infra.node.layout import Layout


def test_the_webhooks_certificate_names_its_host_and_is_signed_by_the_clusters_authority(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.state.mkdir()
    certificates.write(layout)
    certificate = x509.load_pem_x509_certificate(layout.key("kserve-webhook.crt").read_bytes())
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(layout.key("ca.crt").read_bytes()))
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["kserve-webhook-server-service.kserve.svc"]


def test_keys_are_their_owners_alone_and_the_kubeconfig_is_the_administrators(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.state.mkdir()
    certificates.write(layout)
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "state" / "keys").glob("*.key")} == {0o600}
    assert stat.S_IMODE(layout.kubeconfig.stat().st_mode) == 0o600
    assert yaml.safe_load(layout.kubeconfig.read_text())["clusters"][0]["cluster"]["server"].startswith("https://")
