from __future__ import annotations

from typing import Any

from infra.local.gateway import Backend, Endpoint, route


def test_rest_and_grpc_are_shared_alike_and_who_has_no_weight_is_not_in_the_route() -> None:
    backends = [Backend("a-v7-1", Endpoint(1, 2), 75), Backend("a-v8-3", Endpoint(3, 4), 25)]
    made: Any = route("a", ["a.localhost", "a.example.com"], [*backends, Backend("a-v6-5", Endpoint(5, 6), 0)])["http"]
    for kind in ("rest", "grpc"):
        shares = made["services"][f"a-{kind}"]["weighted"]["services"]
        assert shares == [{"name": f"a-v7-1-{kind}", "weight": 75}, {"name": f"a-v8-3-{kind}", "weight": 25}]
        assert made["routers"][f"a-{kind}"]["rule"].startswith("(Host(`a.localhost`) || Host(`a.example.com`))")
    assert made["services"]["a-v8-3-rest"]["loadBalancer"]["servers"] == [{"url": "http://127.0.0.1:3"}]
    assert made["services"]["a-v8-3-grpc"]["loadBalancer"]["servers"] == [{"url": "h2c://127.0.0.1:4"}]
