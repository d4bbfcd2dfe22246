"""What the gateway itself could not answer, from the metrics of each of its pods (Traefik's names)."""

from __future__ import annotations

import re
import socket
from collections import Counter
from collections.abc import Mapping

import httpx

__all__ = ["Gateway", "own_errors"]

_HOST, _PORT = "gateway-metrics.gateway.svc", 9100
"""A headless Service: its name has the address of every gateway pod."""
_SECONDS = 1.0
# What Traefik answers by itself when a predictor cannot be reached or breaks off; our predictors answer neither.
_LINE = re.compile(
    r'^traefik_service_requests_total\{code="50[24]",.*service="(?P<service>[^"]+)"\} (?P<count>\S+)', re.M
)
# Traefik's name of a backend: httproute-…-<hash>-svc-<namespace>-<Service>-<index>@kubernetesgateway.
_SERVICE = re.compile(r"httproute-.+-[0-9a-f]+-svc-(?P<backend>.+-v\d+)-(?:predictor|grpc)-\d+@kubernetesgateway")


def own_errors(metrics: str) -> Counter[str]:
    """Return the errors by ``<namespace>-<model>-v<version>``, over REST and gRPC. Pure."""
    errors: Counter[str] = Counter()
    for line in _LINE.finditer(metrics):
        named = _SERVICE.fullmatch(line["service"])
        if named is not None:
            errors[named["backend"]] += int(float(line["count"]))
    return errors


class Gateway:
    """The gateway's pods."""

    def __init__(self) -> None:
        self._http = httpx.Client(timeout=_SECONDS, trust_env=False)

    def errors(self) -> Mapping[str, int] | None:
        """Return the sum over all pods by ``<namespace>-<model>-v<version>``, or None while one does not answer."""
        total: Counter[str] = Counter()
        try:
            addresses = {found[4][0] for found in socket.getaddrinfo(_HOST, _PORT, socket.AF_INET, socket.SOCK_STREAM)}
            for address in addresses:
                total += own_errors(self._http.get(f"http://{address}:{_PORT}/metrics").raise_for_status().text)
        except (httpx.HTTPError, OSError):
            return None
        return total
