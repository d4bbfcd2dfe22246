"""Reading a body as a JSON object, whatever its content type says."""

from __future__ import annotations

from typing import Any

import orjson

from inference.errors import RequestError

__all__ = ["json_object"]


def json_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object in ``body`` (RFC 8259: UTF-8, no NaN, no lone surrogates).

    Raises:
        RequestError: 400, naming the body.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise RequestError.bad("body", f"is not valid JSON (line {error.lineno}, column {error.colno})") from error
    if not isinstance(document, dict):
        raise RequestError.bad("body", "is not a JSON object")
    return document
