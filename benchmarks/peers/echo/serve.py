"""The limit: an ASGI application that parses a body as JSON and sends it back. It runs in our own environment."""

from __future__ import annotations

from typing import Any

import orjson


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer every path."""
    body = b""
    more = scope["method"] == "POST"
    while more:
        message = await receive()
        body += message["body"]
        more = message["more_body"]
    content = orjson.dumps(orjson.loads(body or b"{}"))
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(content))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": content})
