"""The REST side: an ASGI application that answers every path itself."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, NamedTuple

import orjson
from prometheus_client import REGISTRY
from prometheus_client.exposition import choose_encoder

from inference import openapi, seed, tensors, v1, v2
from inference.capacity import REQUESTS
from inference.errors import RequestError
from inference.limits import BODY_BYTES
from inference.routes import Route, find
from inference.service import PLATFORM, Service

__all__ = ["JSON", "READ", "Answer", "Front", "Headers"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

JSON = [(b"content-type", b"application/json")]
_ALSO = {401: [(b"www-authenticate", b"Bearer")], 429: [(b"retry-after", b"1")]}
READ = {
    b"accept",
    b"authorization",
    b"content-encoding",
    b"content-length",
    b"inference-header-content-length",
    b"traceparent",
    b"x-request-id",
}
"""The headers that are looked at."""
_log = logging.getLogger("inference")


class _DisconnectedError(Exception):
    """The client went away before its request was complete."""


class Answer(NamedTuple):
    """An HTTP answer, and those headers that not every answer of this predictor has."""

    status: int
    content: bytes
    headers: Headers = JSON


class Front:
    """An ASGI application (asgi.readthedocs.io, HTTP 2.x)."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.identity: Headers = [(name.encode(), value.encode()) for name, value in service.identity.items()]
        """The headers of every answer."""
        self._openapi = orjson.dumps(openapi.document(service.model))
        self.short_paths = {
            b"/predict",
            f"/v1/models/{service.model}:predict".encode(),
            f"/v2/models/{service.model}/infer".encode(),
        }
        """Where requests are mostly one short text."""
        self.begun: set[Any] = set()
        """The requests that the server has begun and not answered; the server's own set."""
        self.closing = False
        """Whether clients are told to take their next request elsewhere."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        given = {name: value for name, value in scope["headers"] if name in READ}
        overloaded = len(self.begun) > REQUESTS
        try:
            answer, request_id = await self.answer(
                scope["method"], scope["path"], given, lambda: _body(receive, given), overloaded=overloaded
            )
        except _DisconnectedError:
            return
        headers = [*answer.headers, *self.identity, (b"x-request-id", request_id.encode())]
        headers.append((b"content-length", b"%d" % len(answer.content)))
        if self.closing:
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.content})

    async def answer(
        self,
        method: str,
        path: str,
        given: dict[bytes, bytes],
        read: Callable[[], Awaitable[bytes]],
        *,
        overloaded: bool,
    ) -> tuple[Answer, str]:
        """Return the answer to one request and its id, counted and logged; a short one whose body is there never waits.

        Args:
            method: the HTTP method.
            path: the path, unquoted.
            given: headers by lower-case name.
            read: returns the body.
            overloaded: whether inference is to be refused unread.
        """
        begun = time.perf_counter()
        service = self._service
        request_id = service.request_id(_text(given, b"x-request-id"))
        route = find(method, path)
        try:
            if route.protocol is not None:
                if overloaded:
                    raise RequestError.overload()
                service.check_caller(_text(given, b"authorization"))
            answer = await self._answer(route, await read() if route.has_body else b"", given)
        except _DisconnectedError:
            raise
        except RequestError as error:
            headers = [*JSON, *_ALSO.get(int(error.status), ())]
            if route.allowed:
                headers.append((b"allow", route.allowed.encode()))
            answer = Answer(int(error.status), orjson.dumps({"error": error.message}), headers)
        except Exception:
            _log.exception("request %s failed", request_id)
            answer = Answer(500, orjson.dumps({"error": "internal error; the request id finds it in the log"}))
        if route.protocol is not None:
            service.answered(route.protocol, str(answer.status), begun, request_id, _text(given, b"traceparent"))
        return answer, request_id

    async def _answer(self, route: Route, body: bytes, given: dict[bytes, bytes]) -> Answer:
        service = self._service
        if route.model is not None:
            service.check_model(route.model, route.version)
        match route.name:
            case "v1-predict":
                return Answer(200, orjson.dumps(v1.answer(await service.score(v1.texts(body)))))
            case "v1-explain":
                return Answer(200, orjson.dumps(v1.explained(*await service.explain(*v1.explain_request(body)))))
            case "v2-infer":
                return await self._infer(body, given)
            case "seed-predict":
                text = seed.text(body)
                return Answer(200, orjson.dumps(seed.answer(text, await service.score([text]), service.tenant)))
            case "refused":
                raise RequestError.fixed_version()
            case "unknown":
                raise RequestError(404, "path: nothing is served here; /openapi.json lists what is")
            case "other-method":
                raise RequestError(405, "method: not one that this path knows; /openapi.json lists them")
        return self._state(route, given)

    async def _infer(self, body: bytes, given: dict[bytes, bytes]) -> Answer:
        call = v2.parse(body, _text(given, b"inference-header-content-length"))
        scores = await self._service.score(call.texts)
        content, head = v2.answer(call, scores, self._service.model, self._service.version)
        if head is None:
            return Answer(200, content)
        return Answer(
            200,
            content,
            [(b"content-type", b"application/octet-stream"), (b"inference-header-content-length", b"%d" % head)],
        )

    def _state(self, route: Route, given: dict[bytes, bytes]) -> Answer:
        service = self._service
        known: dict[str, Any]
        match route.name:
            case "metrics":
                encode, kind = choose_encoder(_text(given, b"accept") or "")
                return Answer(200, encode(REGISTRY), [(b"content-type", kind.encode())])
            case "openapi":
                return Answer(200, self._openapi)
            case "server-metadata":
                known = tensors.server_metadata()
            case "metadata":
                known = {"name": service.model, "versions": [service.version], "platform": PLATFORM}
                known |= {"inputs": tensors.INPUTS, "outputs": tensors.OUTPUTS}
            case "models":
                known = {"models": [service.model]}
            case "live":
                known = {"status": "alive", "live": True, "tenant": service.tenant}
            case "info":
                known = {"model": service.model, "version": service.version, "tenant": service.tenant}
            case _:
                return Answer(
                    200 if service.ready else 503, orjson.dumps({"name": service.model, "ready": service.ready})
                )
        return Answer(200, orjson.dumps(known))


def _text(given: dict[bytes, bytes], name: bytes) -> str | None:
    value = given.get(name)
    return None if value is None else value.decode("latin-1")


async def _body(receive: Receive, given: dict[bytes, bytes]) -> bytes:
    """Read a body up to the limit; a larger one is refused before it is read where its length is announced."""
    if given.get(b"content-encoding", b"identity") != b"identity":
        raise RequestError(415, "Content-Encoding: only identity is understood")
    announced = given.get(b"content-length", b"0")
    if announced.isdigit() and int(announced) > BODY_BYTES:
        raise _too_large()
    body: bytes = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _DisconnectedError
        body += message["body"]
        if len(body) > BODY_BYTES:
            raise _too_large()
        if not message["more_body"]:
            return body


def _too_large() -> RequestError:
    return RequestError(413, f"body: is larger than {BODY_BYTES} bytes")
