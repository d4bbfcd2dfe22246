from __future__ import annotations

import stat
from pathlib import Path

import pytest
import yaml
from cryptography import x509

from infra.local import tls
from infra.local.errors import StackError
from infra.local.gateway import Backend, Endpoint, write_route
from infra.local.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = Settings(home=tmp_path, tls=True)
    made.prepare()
    return made


def certificate(settings: Settings) -> x509.Certificate:
    return x509.load_pem_x509_certificate((settings.home / "tls" / "gateway.pem").read_bytes())


def names(settings: Settings) -> set[str]:
    held = certificate(settings).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return {str(name.value) for name in held.value}


def test_the_certificate_names_loopback_and_tenants_and_is_made_once(settings: Settings) -> None:
    tls.cover(settings)
    assert names(settings) == {"localhost", "127.0.0.1", "tenant-a.localhost", "tenant-b.localhost"}
    first = certificate(settings)
    tls.cover(settings)
    assert certificate(settings) == first
    for key in ("ca.key", "gateway.key"):
        assert stat.S_IMODE((settings.home / "tls" / key).stat().st_mode) == 0o600


def test_a_new_route_gets_a_certificate_from_the_same_authority(settings: Settings) -> None:
    tls.cover(settings)
    authority = tls.authority_file(settings).read_bytes()
    write_route(settings, "tenant-c", ["c.example.com"], [Backend("c-v1-1", Endpoint(1, 2), 100)])
    assert "c.example.com" in names(settings)
    assert tls.authority_file(settings).read_bytes() == authority
    certificate(settings).verify_directly_issued_by(x509.load_pem_x509_certificate(authority))
    store = yaml.safe_load((settings.routes / "_tls.yaml").read_text())["tls"]["stores"]["default"]
    assert store["defaultCertificate"]["certFile"] == str(settings.home / "tls" / "gateway.pem")


def test_without_an_authority_the_message_says_how_to_get_one(settings: Settings) -> None:
    with pytest.raises(StackError, match="make up TLS=1"):
        tls.verification(settings)
    assert tls.verification(Settings(home=settings.home)) is True
