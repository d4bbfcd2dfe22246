"""Who may ask, where tokens are asked for."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import grpc
import httpx
import jwt
import pytest
from conftest import running
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from tritonclient.grpc import service_pb2 as pb
from tritonclient.grpc.service_pb2_grpc import GRPCInferenceServiceStub

from inference import auth
from inference.auth import Authority, KeysError
from inference.errors import RequestError

RSA, OTHER = (rsa.generate_private_key(65537, 2048) for _ in range(2))
EC, ED = ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate()
KEYS = [
    {**RSAAlgorithm.to_jwk(RSA.public_key(), as_dict=True), "kid": "r", "alg": "RS256"},
    {**ECAlgorithm.to_jwk(EC.public_key(), as_dict=True), "kid": "e", "alg": "ES256"},
    {**OKPAlgorithm.to_jwk(ED.public_key(), as_dict=True), "kid": "o", "alg": "EdDSA"},
    {"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0", "kid": "h", "alg": "HS256"},
]


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return write(tmp_path / "keys.json", KEYS)


def write(file: Path, keys: list[dict[str, Any]]) -> Path:
    file.write_text(json.dumps({"keys": keys}))
    return file


def token(key: Any = RSA, kid: str | None = "r", algorithm: str = "RS256", **claims: Any) -> str:
    given = {"aud": "tenant-a", "exp": time.time() + 60, **claims}
    headers = {"kid": kid} if kid else {}
    return jwt.encode({name: value for name, value in given.items() if value}, key, algorithm, headers)


def status(authority: Authority, header: str | None) -> int:
    try:
        authority.check(header)
    except RequestError as error:
        return error.status if error.message.startswith("Authorization: ") else 500
    return 200


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (lambda: f"Bearer {token()}", 200),
        (lambda: f"bearer {token(EC, 'e', 'ES256')}", 200),
        (lambda: f"Bearer {token(ED, 'o', 'EdDSA')}", 200),
        (lambda: f"Bearer {token(aud=['tenant-b', 'tenant-a'])}", 200),
        (lambda: f"Bearer {token(exp=time.time() - 10)}", 200),
        (lambda: f"Bearer {token(aud='tenant-b')}", 403),
        (lambda: f"Bearer {token(aud=None)}", 401),
        (lambda: f"Bearer {token(exp=None)}", 401),
        (lambda: f"Bearer {token(exp=time.time() - 60)}", 401),
        (lambda: f"Bearer {token(nbf=time.time() + 60)}", 401),
        (lambda: f"Bearer {token(OTHER)}", 401),
        (lambda: f"Bearer {token(kid='unknown')}", 401),
        (lambda: f"Bearer {token(kid=None)}", 401),
        (lambda: f"Bearer {token(RSA, 'r', 'PS256')}", 401),
        (lambda: f"Bearer {token('secret-secret-secret-secret-secret', 'h', 'HS256')}", 401),
        (lambda: f"Bearer {token('', 'r', 'none')}", 401),
        (lambda: f"Basic {token()}", 401),
        (lambda: "Bearer x.y.z", 401),
        (lambda: "Bearer " + "x" * 10_000, 401),
        (lambda: "Bearer", 401),
        (lambda: None, 401),
    ],
)
def test_only_this_tenants_valid_tokens_pass(keys: Path, made: Callable[[], str | None], expected: int) -> None:
    # Made here and not when the tests are collected: tokens age.
    header, authority = made(), Authority(str(keys), "tenant-a")
    assert [status(authority, header), status(authority, header)] == [expected, expected]


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"keys": []}', json.dumps({"keys": KEYS[3:]})])
def test_a_set_without_a_key_that_is_accepted_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "keys.json").write_text(content)
    with pytest.raises(KeysError, match=r"keys\.json"):
        Authority(str(tmp_path / "keys.json"), "tenant-a")


@pytest.mark.parametrize("served", [False, True], ids=["file", "url"])
def test_keys_can_be_rotated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, served: bool) -> None:
    monkeypatch.setattr(auth, "_SOON_SECONDS", 0.05)
    file = write(tmp_path / "keys.json", KEYS[:1])
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))

    async def rotated(source: str) -> list[int]:
        authority = Authority(source, "tenant-a")
        refreshing = asyncio.create_task(authority.refresh())
        new, old = f"Bearer {token(EC, 'e', 'ES256')}", f"Bearer {token()}"
        found = [status(authority, old), status(authority, new)]
        file.write_text("broken")
        await asyncio.sleep(0.5)
        found += [status(authority, old), status(authority, new)]
        write(file, KEYS[1:2])
        for _ in range(100):
            if status(authority, new) == 200:
                break
            await asyncio.sleep(0.05)
        found += [status(authority, old), status(authority, new)]
        refreshing.cancel()
        return found

    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/keys.json"
        assert asyncio.run(rotated(url if served else str(file))) == [200, 401, 200, 401, 401, 200]
        server.shutdown()


def test_every_protocol_refuses_in_its_own_form_and_health_stays_open(folder: Path, keys: Path) -> None:
    text = pb.ModelInferRequest.InferInputTensor(name="text", datatype="BYTES", shape=[1])
    asked = pb.ModelInferRequest(model_name="sentiment", inputs=[text], raw_input_contents=[b"\x04\x00\x00\x00good"])
    with running(folder, "--jwks", str(keys)) as predictor, grpc.insecure_channel(predictor.grpc) as channel:
        infer = GRPCInferenceServiceStub(channel).ModelInfer
        for header, code, name in [
            (f"Bearer {token()}", 200, "OK"),
            (f"Bearer {token(aud='tenant-b')}", 403, "PERMISSION_DENIED"),
            ("", 401, "UNAUTHENTICATED"),
        ]:
            headers = {"authorization": header} if header else {}
            for path, body in [
                ("/v1/models/sentiment:predict", {"instances": ["good"]}),
                ("/v1/models/sentiment:explain", {"instances": ["good"]}),
                ("/predict", {"text": "good"}),
            ]:
                answer = httpx.post(predictor.http + path, json=body, headers=headers, trust_env=False)
                assert (answer.status_code, answer.headers.get("www-authenticate")) == (
                    code,
                    "Bearer" if code == 401 else None,
                )
            assert infer.future(asked, metadata=tuple(headers.items())).code().name == name
        for path in ("/metrics", "/health", "/ready", "/v2/health/ready", "/v2/models/sentiment"):
            assert httpx.get(predictor.http + path, trust_env=False).status_code == 200
        assert 'code="UNAUTHENTICATED"' in httpx.get(f"{predictor.http}/metrics", trust_env=False).text
