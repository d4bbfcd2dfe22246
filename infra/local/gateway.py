"""The gateway: Traefik with its file provider. One port for REST and gRPC, tenants told apart by the Host header."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import yaml
from prometheus_client.parser import text_string_to_metric_families

from infra.local import tls
from infra.local.errors import StackError
from infra.local.files import write_private
from infra.local.ports import remembered
from infra.local.program import Program
from infra.local.settings import LOOPBACK, Settings, tenant_host

__all__ = [
    "Backend",
    "Endpoint",
    "GatewayView",
    "gateway",
    "observe",
    "remove_route",
    "speaks_tls",
    "tenant_client",
    "write_route",
]

_GRPC_PATH = "/inference.GRPCInferenceService"
# What Traefik answers by itself when a predictor cannot be reached or breaks off; our predictors answer neither.
_OWN_ERRORS = {"502", "504"}
_ANSWER_SECONDS = 2
_PLAIN = "plain"


@dataclass(frozen=True)
class Endpoint:
    """Where one predictor listens on loopback."""

    http_port: int
    grpc_port: int

    @property
    def http_url(self) -> str:
        """The REST address."""
        return f"http://{LOOPBACK}:{self.http_port}"

    @property
    def ports(self) -> tuple[int, int]:
        """Both that it takes."""
        return self.http_port, self.grpc_port


@dataclass(frozen=True)
class Backend:
    """One predictor among those that a route shares requests between; ``weight`` in percent."""

    name: str
    endpoint: Endpoint
    weight: int


@dataclass(frozen=True)
class GatewayView:
    """What Traefik itself says: percent by backend for each route, and its own 5xx by backend since it started."""

    weights: Mapping[str, Mapping[str, int]]
    errors: Mapping[str, int]


def gateway(settings: Settings) -> Program:
    """Return Traefik as a program; it reads every route file in ``settings.routes`` and follows their changes."""
    beside_python = Path(sys.executable).parent / "traefik"
    binary = str(beside_python) if beside_python.exists() else shutil.which("traefik")
    if binary is None:
        raise StackError("the gateway `traefik` is not installed; `make install` brings it")
    admin = remembered(_admin_file(settings), ("admin",))["admin"]
    return Program(
        "gateway",
        [
            binary,
            *_entry_points(settings),
            f"--providers.file.directory={settings.routes}",
            "--providers.file.watch=true",
            "--providers.providersthrottleduration=100ms",
            # On loopback a connection stands within microseconds, or nobody is there.
            "--serverstransport.forwardingtimeouts.dialtimeout=1s",
            "--serverstransport.forwardingtimeouts.responseheadertimeout=30s",
            "--ping=true",
            "--ping.entrypoint=web",
            # The controller asks here which weights are in force, and what the gateway itself could not answer.
            f"--entrypoints.traefik.address={LOOPBACK}:{admin}",
            "--api.insecure=true",
            "--api.dashboard=false",
            "--metrics.prometheus=true",
            "--metrics.prometheus.addserviceslabels=true",
            # What tenants are promised about latency is counted at one of these (monitoring/config.toml).
            "--metrics.prometheus.buckets=0.005,0.01,0.025,0.05,0.1,0.25,0.5,1,2.5,5,10",
            "--metrics.prometheus.addentrypointslabels=false",
            "--global.checknewversion=false",
            "--global.sendanonymoususage=false",
            "--log.level=WARN",
        ],
    )


def _entry_points(settings: Settings) -> list[str]:
    """Routes lead from `web`, be it plain or TLS."""
    if not settings.tls:
        return [f"--entrypoints.web.address={LOOPBACK}:{settings.gateway_port}"]
    return [
        f"--entrypoints.web.address={LOOPBACK}:{settings.gateway_tls_port}",
        "--entrypoints.web.http.tls=true",
        f"--entrypoints.web.http.middlewares={tls.HSTS}",
        f"--entrypoints.{_PLAIN}.address={LOOPBACK}:{settings.gateway_port}",
        f"--entrypoints.{_PLAIN}.http.redirections.entrypoint.to=web",
        f"--entrypoints.{_PLAIN}.http.redirections.entrypoint.scheme=https",
        f"--entrypoints.{_PLAIN}.http.redirections.entrypoint.permanent=true",
    ]


def speaks_tls(command: str) -> bool:
    """Whether a gateway that was started with this command line speaks TLS."""
    return f"--entrypoints.{_PLAIN}." in command


def tenant_client(settings: Settings, tenant: str, seconds: float) -> httpx.Client:
    """Return a client that asks one tenant, and with TLS verifies that it is this tenant's gateway which answers.

    Raises:
        StackError: there is nothing to verify it with.
    """
    host = tenant_host(tenant)

    # The name that is verified; the address is loopback's, for not every resolver knows `*.localhost`.
    def name(request: httpx.Request) -> None:
        request.extensions["sni_hostname"] = host

    return httpx.Client(
        base_url=settings.gateway_url,
        headers={"Host": host},
        verify=tls.verification(settings),
        event_hooks={"request": [name]},
        timeout=seconds,
        trust_env=False,
    )


def route(name: str, hostnames: Sequence[str], backends: Sequence[Backend]) -> dict[str, object]:
    """Return a route in the form of Traefik's file provider: REST to HTTP/1.1, gRPC to HTTP/2 without TLS."""
    hosts = "(" + " || ".join(f"Host(`{host}`)" for host in hostnames) + ")"
    rest, grpc = f"{name}-rest", f"{name}-grpc"
    services: dict[str, object] = {}
    for kind in (rest, grpc):
        suffix = kind.removeprefix(name)
        services[kind] = {
            "weighted": {"services": [{"name": b.name + suffix, "weight": b.weight} for b in backends if b.weight]}
        }
    for backend in backends:
        for kind, url in (
            ("rest", backend.endpoint.http_url),
            ("grpc", f"h2c://{LOOPBACK}:{backend.endpoint.grpc_port}"),
        ):
            services[f"{backend.name}-{kind}"] = {"loadBalancer": {"servers": [{"url": url}]}}
    return {
        "http": {
            "routers": {
                rest: {"rule": hosts, "entryPoints": ["web"], "service": rest},
                grpc: {"rule": f"{hosts} && PathPrefix(`{_GRPC_PATH}`)", "entryPoints": ["web"], "service": grpc},
            },
            "services": services,
        }
    }


def write_route(settings: Settings, name: str, hostnames: Sequence[str], backends: Sequence[Backend]) -> None:
    """Share the requests for these host names among the backends. The gateway follows within half a second."""
    document = route(name, hostnames, backends)
    write_private(settings.routes / f"{name}.yaml", yaml.safe_dump(document, sort_keys=False))
    if settings.tls:
        tls.cover(settings)


def remove_route(settings: Settings, name: str) -> None:
    """Take a route away."""
    (settings.routes / f"{name}.yaml").unlink(missing_ok=True)


def observe(settings: Settings, client: httpx.Client) -> GatewayView:
    """Ask Traefik what is in force.

    Raises:
        StackError: it does not answer.
    """
    try:
        admin = f"http://{LOOPBACK}:{json.loads(_admin_file(settings).read_text())['admin']}"
        services = client.get(f"{admin}/api/rawdata", timeout=_ANSWER_SECONDS).raise_for_status().json()["services"]
        metrics = client.get(f"{admin}/metrics", timeout=_ANSWER_SECONDS).raise_for_status().text
    except (httpx.HTTPError, OSError, ValueError, KeyError) as error:
        raise StackError(f"the gateway does not say how it shares requests ({type(error).__name__})") from error
    weights: dict[str, dict[str, int]] = {}
    for name, service in services.items():
        if name.endswith("-rest@file") and "weighted" in service:
            shares = service["weighted"]["services"]
            weights[name.removesuffix("-rest@file")] = {
                each["name"].removesuffix("-rest"): int(each["weight"]) for each in shares
            }
    errors: dict[str, int] = {}
    for family in text_string_to_metric_families(metrics):
        for sample in family.samples:
            if sample.name == "traefik_service_requests_total" and sample.labels["code"] in _OWN_ERRORS:
                backend = sample.labels["service"].removesuffix("@file").rsplit("-", 1)[0]
                errors[backend] = errors.get(backend, 0) + int(sample.value)
    return GatewayView(weights, errors)


def _admin_file(settings: Settings) -> Path:
    return settings.home / "gateway.json"
