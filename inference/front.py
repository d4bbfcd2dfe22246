"""The REST side: our routes ahead of KServe's application, which answers everything else."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import orjson

from inference import seed, tensors, v1, v2
from inference.errors import RequestError
from inference.limits import BODY_BYTES
from inference.routes import Route, find
from inference.service import PLATFORM, Service

__all__ = ["Front"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_JSON = "application/json"
_log = logging.getLogger("inference")


class _DisconnectedError(Exception):
    """The client went away before its request was complete."""


class Front:
    """An ASGI application (asgi.readthedocs.io, HTTP 2.x) around another."""

    def __init__(self, service: Service, inner: App) -> None:
        self._service = service
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or hand it on with our headers added to its answer."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        begun = time.perf_counter()
        given = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        request_id = self._service.request_id(given.get("x-request-id"))
        route = find(scope["method"], scope["path"])
        if route is None:
            await self._inner(scope, receive, self._labelled(send, request_id))
            return
        extra: dict[str, str] = {}
        try:
            body = await _body(receive, given) if scope["method"] == "POST" else b""
            status, content, extra = await self._answer(route, body, given)
        except _DisconnectedError:
            return
        except RequestError as error:
            status, content = error.status, orjson.dumps({"error": error.message})
        except Exception:
            _log.exception("request_id=%s failed", request_id)
            status, content = 500, orjson.dumps({"error": "internal error; the request id finds it in the log"})
        headers = {"content-type": _JSON, **extra, **self._service.headers(request_id)}
        if route.protocol is not None:
            self._service.answered(route.protocol, str(int(status)), begun, request_id)
        await _send(send, int(status), headers, content)

    async def _answer(self, route: Route, body: bytes, given: dict[str, str]) -> tuple[int, bytes, dict[str, str]]:
        service = self._service
        if route.model is not None:
            service.check_model(route.model, route.version)
        match route.name:
            case "v1-predict":
                return 200, orjson.dumps(v1.answer(await service.score(v1.texts(body)))), {}
            case "v1-explain":
                return 200, orjson.dumps(v1.explained(*await service.explain(v1.texts(body)))), {}
            case "v2-infer":
                return await self._infer(body, given)
            case "seed-predict":
                text = seed.text(body)
                return 200, orjson.dumps(seed.answer(text, await service.score([text]), service.tenant)), {}
            case "refused":
                raise RequestError.fixed_version()
        return self._state(route)

    async def _infer(self, body: bytes, given: dict[str, str]) -> tuple[int, bytes, dict[str, str]]:
        call = v2.parse(body, given.get("inference-header-content-length"))
        scores = await self._service.score(call.texts)
        content, head = v2.answer(call, scores, self._service.model, self._service.version)
        if head is None:
            return 200, content, {}
        binary = {"content-type": "application/octet-stream", "inference-header-content-length": str(head)}
        return 200, content, binary

    def _state(self, route: Route) -> tuple[int, bytes, dict[str, str]]:
        service = self._service
        match route.name:
            case "server-metadata":
                return 200, orjson.dumps(tensors.server_metadata()), {}
            case "metadata":
                described = {"name": service.model, "versions": [service.version], "platform": PLATFORM}
                return 200, orjson.dumps({**described, "inputs": tensors.INPUTS, "outputs": tensors.OUTPUTS}), {}
            case "live":
                return 200, orjson.dumps({"status": "alive", "tenant": service.tenant}), {}
            case "info":
                known = {"model": service.model, "version": service.version, "tenant": service.tenant}
                return 200, orjson.dumps(known), {}
        return (200 if service.ready else 503), orjson.dumps({"name": service.model, "ready": service.ready}), {}

    def _labelled(self, send: Send, request_id: str) -> Send:
        async def labelled(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                own = [(name.encode(), value.encode()) for name, value in self._service.headers(request_id).items()]
                message["headers"] = [*message.get("headers", []), *own]
            await send(message)

        return labelled


async def _body(receive: Receive, given: dict[str, str]) -> bytes:
    """Read a body up to the limit; a larger one is refused before it is read where its length is announced."""
    too_large = RequestError(413, f"body: is larger than {BODY_BYTES} bytes")
    if given.get("content-encoding", "identity") != "identity":
        raise RequestError(415, "Content-Encoding: only identity is understood")
    announced = given.get("content-length", "0")
    if announced.isdecimal() and int(announced) > BODY_BYTES:
        raise too_large
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _DisconnectedError
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > BODY_BYTES:
            raise too_large
        if not message.get("more_body", False):
            return b"".join(chunks)


async def _send(send: Send, status: int, headers: dict[str, str], content: bytes) -> None:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    raw.append((b"content-length", str(len(content)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": content})
