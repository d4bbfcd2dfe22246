"""The gateway: Traefik with its file provider. One port for REST and gRPC, tenants told apart by the Host header."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

from infra.local.errors import StackError
from infra.local.files import write_private
from infra.local.program import Program
from infra.local.settings import LOOPBACK, Settings, tenant_host

__all__ = ["Endpoint", "gateway", "remove_route", "write_route"]

_GRPC_PATH = "/inference.GRPCInferenceService"


@dataclass(frozen=True)
class Endpoint:
    """Where one predictor listens on loopback."""

    http_port: int
    grpc_port: int

    @property
    def http_url(self) -> str:
        """The REST address."""
        return f"http://{LOOPBACK}:{self.http_port}"


def gateway(settings: Settings) -> Program:
    """Return Traefik as a program; it reads every route file in ``settings.routes`` and follows their changes."""
    beside_python = Path(sys.executable).parent / "traefik"
    binary = str(beside_python) if beside_python.exists() else shutil.which("traefik")
    if binary is None:
        raise StackError("the gateway `traefik` is not installed; `make install` brings it")
    return Program(
        "gateway",
        [
            binary,
            f"--entrypoints.web.address={LOOPBACK}:{settings.gateway_port}",
            f"--providers.file.directory={settings.routes}",
            "--providers.file.watch=true",
            "--providers.providersthrottleduration=100ms",
            "--ping=true",
            "--ping.entrypoint=web",
            "--global.checknewversion=false",
            "--global.sendanonymoususage=false",
            "--log.level=WARN",
        ],
    )


def route(tenant: str, endpoint: Endpoint) -> dict[str, object]:
    """Return a tenant's route in the form of Traefik's file provider: REST to HTTP/1.1, gRPC to HTTP/2 without TLS."""
    host = f"Host(`{tenant_host(tenant)}`)"
    rest, grpc = f"{tenant}-rest", f"{tenant}-grpc"

    def service(url: str) -> dict[str, object]:
        return {"loadBalancer": {"servers": [{"url": url}]}}

    return {
        "http": {
            "routers": {
                rest: {"rule": host, "entryPoints": ["web"], "service": rest},
                grpc: {"rule": f"{host} && PathPrefix(`{_GRPC_PATH}`)", "entryPoints": ["web"], "service": grpc},
            },
            "services": {
                rest: service(endpoint.http_url),
                grpc: service(f"h2c://{LOOPBACK}:{endpoint.grpc_port}"),
            },
        }
    }


def write_route(settings: Settings, tenant: str, endpoint: Endpoint) -> None:
    """Point a tenant's host at a predictor. The gateway follows within a fraction of a second."""
    write_private(settings.routes / f"{tenant}.yaml", yaml.safe_dump(route(tenant, endpoint), sort_keys=False))


def remove_route(settings: Settings, tenant: str) -> None:
    """Take a tenant's host away."""
    (settings.routes / f"{tenant}.yaml").unlink(missing_ok=True)
