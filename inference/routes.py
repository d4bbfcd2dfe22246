"""Which requests are answered how, by method and path."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["ROUTES", "Route", "find"]


@dataclass(frozen=True)
class Route:
    """What was asked; ``protocol`` is None for what is not inference and so not counted as such.

    ``allowed`` names the methods of a path that was asked for by another.
    """

    name: str
    protocol: str | None = None
    has_body: bool = False
    model: str | None = None
    version: str | None = None
    allowed: str = ""


_V1 = "/v1/models/{model}"
_V2 = "/v2/models/{model}"
# KServe answers 501 where a version is named; here one is known, so that it can be asked for.
_V2_VERSION = "/v2/models/{model}/versions/{version}"
ROUTES = {
    ("GET", "/"): Route("info"),
    ("GET", "/health"): Route("live"),
    ("GET", "/ready"): Route("ready"),
    ("POST", "/predict"): Route("seed-predict", "seed", has_body=True),
    ("GET", "/metrics"): Route("metrics"),
    ("GET", "/openapi.json"): Route("openapi"),
    ("GET", "/v1/models"): Route("models"),
    ("GET", _V1): Route("ready"),
    ("POST", f"{_V1}:predict"): Route("v1-predict", "v1", has_body=True),
    ("POST", f"{_V1}:explain"): Route("v1-explain", "v1", has_body=True),
    ("GET", "/v2"): Route("server-metadata"),
    ("GET", "/v2/health/live"): Route("live"),
    ("GET", "/v2/health/ready"): Route("ready"),
    ("GET", "/v2/models"): Route("models"),
    ("GET", _V2): Route("metadata"),
    ("GET", f"{_V2}/ready"): Route("ready"),
    ("POST", f"{_V2}/infer"): Route("v2-infer", "v2", has_body=True),
    ("GET", _V2_VERSION): Route("metadata"),
    ("GET", f"{_V2_VERSION}/ready"): Route("ready"),
    ("POST", f"{_V2_VERSION}/infer"): Route("v2-infer", "v2", has_body=True),
    ("POST", "/v2/repository/models/{model}/load"): Route("refused"),
    ("POST", "/v2/repository/models/{model}/unload"): Route("refused"),
}
"""Every path that is served."""


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/:]+)", re.escape(path)))


_PATTERNS = [(method, _pattern(path), route) for (method, path), route in ROUTES.items()]


@lru_cache(maxsize=256)
def find(method: str, path: str) -> Route:
    """Return the route for a request; ``unknown`` or ``other-method`` where there is none."""
    method = "GET" if method == "HEAD" else method
    allowed = ""
    for verb, pattern, route in _PATTERNS:
        matched = pattern.fullmatch(path)
        if matched and verb == method:
            if route.name == "refused":
                return route
            return Route(route.name, route.protocol, route.has_body, **matched.groupdict())
        if matched:
            allowed = "GET, HEAD" if verb == "GET" else verb
    return Route("other-method", allowed=allowed) if allowed else Route("unknown")
