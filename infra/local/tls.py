"""TLS on the laptop: the stack's own authority, and one certificate for the gateway with every name it answers to."""

from __future__ import annotations

import re
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml
from cryptography import x509

from infra.authority import Authority, key_pem
from infra.local.errors import StackError
from infra.local.files import write_private
from infra.local.settings import LOOPBACK, TENANTS, Settings, tenant_host

__all__ = ["HSTS", "authority_file", "cover", "verification"]

HSTS = "hsts@file"
"""The gateway's middleware that tells browsers to come by TLS."""

# Not a tenant's name, so no route's file.
_FILE = "_tls.yaml"
# An hour: somebody may bring the stack up without TLS again, and browsers would refuse its plain port so long.
_HSTS_SECONDS = 3600
# What Apple's systems accept at most.
_DAYS = 825
_RENEW = timedelta(days=30)
_HOST = re.compile(r"Host\(`([^`]+)`\)")
_issuing = threading.Lock()


def authority_file(settings: Settings) -> Path:
    """Return the certificate by which clients verify the gateway."""
    return settings.home / "tls" / "ca.pem"


def verification(settings: Settings) -> ssl.SSLContext | bool:
    """Return how an httpx client is to verify the gateway.

    Raises:
        StackError: there is no authority yet.
    """
    if not settings.tls:
        return True
    try:
        return ssl.create_default_context(cafile=authority_file(settings))
    except OSError as error:
        raise StackError(f"{authority_file(settings)} cannot be read; start the stack with: make up TLS=1") from error


def cover(settings: Settings) -> None:
    """Have the gateway's certificate name every host that a route leads from; what is there and does stays."""
    folder = authority_file(settings).parent
    certificate, key = folder / "gateway.pem", folder / "gateway.key"
    with _issuing:
        folder.mkdir(mode=0o700, exist_ok=True)
        hosts = sorted({"localhost", LOOPBACK, *map(tenant_host, TENANTS), *_routed(settings)})
        if not _covers(certificate, hosts):
            pair = _authority(folder).issue("ferryman gateway", hosts=hosts, days=_DAYS)
            write_private(key, pair[1].decode())
            write_private(certificate, pair[0].decode())
        document = {
            "tls": {"stores": {"default": {"defaultCertificate": {"certFile": str(certificate), "keyFile": str(key)}}}},
            "http": {"middlewares": {HSTS.partition("@")[0]: {"headers": {"stsSeconds": _HSTS_SECONDS}}}},
        }
        # Also when nothing in it changed: the gateway then reads the certificate anew.
        write_private(settings.routes / _FILE, yaml.safe_dump(document))


def _routed(settings: Settings) -> set[str]:
    return {host for file in settings.routes.glob("[!_]*.yaml") for host in _HOST.findall(file.read_text())}


def _covers(file: Path, hosts: list[str]) -> bool:
    if not file.exists():
        return False
    held = x509.load_pem_x509_certificate(file.read_bytes())
    names = held.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    covered = {str(name.value) for name in names}
    return covered >= set(hosts) and held.not_valid_after_utc - datetime.now(UTC) > _RENEW


def _authority(folder: Path) -> Authority:
    certificate, key = folder / "ca.pem", folder / "ca.key"
    if not certificate.exists():
        made = Authority.generate("ferryman laptop", days=3650)
        write_private(key, key_pem(made.key).decode())
        write_private(certificate, made.pem.decode())
    return Authority.load(certificate.read_bytes(), key.read_bytes())
