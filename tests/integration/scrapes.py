"""Scrapes of what this stack lacks: a gateway with a certificate, the kubelet, the other object store."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from conftest import eventually, free_ports
from prometheus_client.parser import text_string_to_metric_families

from infra.platform.keys import tls_secret

KUBELET = Path(__file__).with_name("kubelet.txt")
# By relabelling (infra/platform/monitoring).
_OF_KUBELET = {"tenant"}


def elsewhere() -> dict[str, set[str]]:
    """Metrics with their labels, as their programs write them."""
    found = {name: labels | _OF_KUBELET for name, labels in _parsed(KUBELET.read_text()).items()}
    found |= _parsed(_traefik_with_a_certificate())
    if shutil.which("minio"):
        # The stack runs on it, and its own store is not asked.
        warnings.warn("NOT RUN: a scrape of SeaweedFS, for the stack runs on MinIO", stacklevel=1)
        return found | {"SeaweedFS_volumeServer_resource": {"type"}}
    warnings.warn("NOT RUN: a scrape of MinIO, for `minio` is not on PATH", stacklevel=1)
    return found | {f"minio_cluster_capacity_usable_{part}_bytes": set() for part in ("free", "total")}


def _parsed(text: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def _traefik_with_a_certificate() -> str:
    with tempfile.TemporaryDirectory() as name:
        folder, (port,) = Path(name), free_ports(1)
        for file, text in tls_secret("example.com").items():
            (folder / file).write_text(text)
        (folder / "dynamic.yaml").write_text(
            f"tls: {{certificates: [{{certFile: {folder}/tls.crt, keyFile: {folder}/tls.key}}]}}\n"
        )
        command = [
            str(Path(sys.executable).parent / "traefik"),
            f"--entrypoints.traefik.address=127.0.0.1:{port}",
            f"--providers.file.filename={folder}/dynamic.yaml",
            "--metrics.prometheus=true",
            "--api.insecure=true",
            "--global.sendanonymoususage=false",
        ]
        with _running(command):
            url = f"http://127.0.0.1:{port}/metrics"
            eventually(lambda: "traefik_tls_certs_not_after" in httpx.get(url, trust_env=False).text, 30)
            return httpx.get(url, trust_env=False).text


@contextmanager
def _running(command: list[str]) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)
