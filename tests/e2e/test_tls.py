"""The gateway's TLS, from outside, verified against the certificate that it was given."""

from __future__ import annotations

import base64
import ssl

import httpx
from live import Live


def test_the_gateway_answers_over_tls_and_asks_browsers_to_stay(serving: Live) -> None:
    data = serving.cluster.get("secret", "gateway-tls", "gateway")["data"]
    trusted = ssl.create_default_context(cadata=base64.b64decode(data["tls.crt"]).decode())
    host = serving.host("tenant-a")
    asked = {"headers": {"Host": host}, "extensions": {"sni_hostname": host}}
    with (
        serving.cluster.forward("gateway", "gateway", 443) as port,
        httpx.Client(verify=trusted, trust_env=False, timeout=20) as client,
    ):
        answer = client.get(f"https://127.0.0.1:{port}/v1/models/sentiment", **asked)
    assert answer.status_code == 200
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    with (
        serving.cluster.forward("gateway", "gateway", 80) as port,
        httpx.Client(trust_env=False, timeout=20) as client,
    ):
        answer = client.get(f"http://127.0.0.1:{port}/v1/models/sentiment", **asked)
    assert (answer.status_code, "strict-transport-security" in answer.headers) == (200, False)
