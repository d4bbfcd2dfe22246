"""The predictor's own OpenAPI document: what it takes, gives and refuses."""

from __future__ import annotations

import re
from typing import Any

from artifact.version import VERSION
from inference.limits import TEXT_CHARACTERS, TEXTS
from inference.routes import ROUTES, Route
from inference.tensors import OUTPUT_NAMES

__all__ = ["document"]

_COUNT = {"type": ["integer", "null"], "minimum": 0}
_TEXT = {"type": "string", "maxLength": TEXT_CHARACTERS}
_TEXTS = {
    "type": "array",
    "minItems": 1,
    "maxItems": TEXTS,
    "items": {"oneOf": [_TEXT, {"type": "object", "required": ["text"], "properties": {"text": _TEXT}}]},
}
_TENSOR = {
    "type": "object",
    "required": ["name", "datatype", "shape"],
    "properties": {
        "name": {"const": "text"},
        "datatype": {"const": "BYTES"},
        "shape": {"type": "array", "minItems": 1, "maxItems": 2, "items": {"type": "integer", "minimum": 1}},
        "data": {
            "type": "array",
            "minItems": 1,
            "maxItems": TEXTS,
            "items": {"oneOf": [_TEXT, {"type": "array", "minItems": 1, "maxItems": 1, "items": _TEXT}]},
        },
        "parameters": {"type": "object", "properties": {"binary_data_size": _COUNT}},
    },
}
_OUTPUT = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"enum": OUTPUT_NAMES},
        "parameters": {"type": "object", "properties": {"binary_data": {"type": "boolean"}}},
    },
}
_BODIES: dict[str, dict[str, Any]] = {
    "seed-predict": {"type": "object", "required": ["text"], "properties": {"text": _TEXT}},
    "v1-predict": {"type": "object", "required": ["instances"], "properties": {"instances": _TEXTS}},
    "v1-explain": {
        "type": "object",
        "required": ["instances"],
        "properties": {
            "instances": _TEXTS,
            "parameters": {"type": "object", "properties": {"top_k": _COUNT}},
        },
    },
    "v2-infer": {
        "type": "object",
        "required": ["inputs"],
        "properties": {
            "id": {"type": "string"},
            "inputs": {"type": "array", "minItems": 1, "maxItems": 1, "items": _TENSOR},
            "outputs": {"type": ["array", "null"], "items": _OUTPUT},
            "parameters": {"type": "object", "properties": {"binary_data_output": {"type": "boolean"}}},
        },
    },
}
_ERROR = {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}


def document(model: str) -> dict[str, Any]:
    """Return the document (OpenAPI 3.1) for a predictor of ``model``."""
    paths: dict[str, dict[str, Any]] = {}
    for (method, path), route in ROUTES.items():
        paths.setdefault(path.replace("{model}", model), {})[method.lower()] = _operation(path, route)
    return {"openapi": "3.1.0", "info": {"title": "Ferryman predictor", "version": VERSION}, "paths": paths}


def _operation(path: str, route: Route) -> dict[str, Any]:
    answers = {"200": _content({}, "the answer")}
    if route.name == "metrics":
        answers["200"]["content"] = {"text/plain": {}}
    if route.name == "refused":
        answers = {"403": _content(_ERROR, "a predictor serves the one version that it started with")}
    if route.name == "ready":
        answers["503"] = _content({}, "the predictor is ending")
    if route.has_body:
        for status in ("400", "401", "403", "413", "415", "429", "500", "501"):
            answers[status] = _content(_ERROR, "what is wrong, with the field's name")
    operation: dict[str, Any] = {"summary": route.name, "responses": answers}
    names = [name for name in re.findall(r"\{(\w+)\}", path) if name != "model"]
    if names:
        answers["404"] = _content(_ERROR, "another version")
        operation["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names
        ]
    if route.has_body:
        schema = _BODIES[route.name]
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return operation


def _content(schema: dict[str, Any], what: str) -> dict[str, Any]:
    return {"description": what, "content": {"application/json": {"schema": schema}}}
