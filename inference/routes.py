"""Which requests the predictor answers itself, by method and path."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Route", "find"]


@dataclass(frozen=True)
class Route:
    """What was asked; ``protocol`` is None for what is not inference and so not counted as such."""

    name: str
    protocol: str | None = None
    model: str | None = None
    version: str | None = None


_FIXED = {
    ("GET", "/"): Route("info"),
    ("GET", "/health"): Route("live"),
    ("GET", "/ready"): Route("ready"),
    ("GET", "/v2"): Route("server-metadata"),
    ("GET", "/v2/health/ready"): Route("ready"),
    ("POST", "/predict"): Route("seed-predict", "seed"),
}
_V1 = r"/v1/models/(?P<model>[^/]+?)"
# KServe answers 501 where a version is named; here one is known, so that it can be asked for.
_V2 = r"/v2/models/(?P<model>[^/]+)(?:/versions/(?P<version>[^/]+))?"
_PATTERNS = [
    ("POST", re.compile(rf"{_V1}:predict"), "v1-predict", "v1"),
    ("POST", re.compile(rf"{_V1}:explain"), "v1-explain", "v1"),
    ("POST", re.compile(rf"{_V2}/infer"), "v2-infer", "v2"),
    ("GET", re.compile(_V2), "metadata", None),
    ("GET", re.compile(rf"{_V2}/ready"), "ready", None),
    ("GET", re.compile(_V1), "ready", None),
    ("POST", re.compile(r"/v2/repository/.*"), "refused", None),
]


def find(method: str, path: str) -> Route | None:
    """Return the route for a request, or None when KServe's application is to answer."""
    method = "GET" if method == "HEAD" else method
    fixed = _FIXED.get((method, path))
    if fixed is not None:
        return fixed
    for verb, pattern, name, protocol in _PATTERNS:
        matched = pattern.fullmatch(path) if verb == method else None
        if matched:
            return Route(name, protocol, **matched.groupdict())
    return None
