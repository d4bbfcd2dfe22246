"""The V1 protocol (KServe's data plane V1): ``{"instances": […]}`` in, ``{"predictions": […]}`` out."""

from __future__ import annotations

from typing import Any

from inference.document import json_object
from inference.errors import RequestError
from inference.limits import check_count, check_texts
from inference.scoring import Scores

__all__ = ["answer", "explain_request", "explained", "texts"]


def texts(body: bytes) -> list[str]:
    """Return the texts of a V1 request; an instance is a string or ``{"text": string}``.

    Raises:
        RequestError: 400, naming the field.
    """
    return _texts(json_object(body))


def explain_request(body: bytes) -> tuple[list[str], int | None]:
    """Return the texts of a request to explain, and ``parameters.top_k``, or None for all tokens.

    Raises:
        RequestError: 400, naming the field.
    """
    document = json_object(body)
    found = _texts(document)
    parameters = document.get("parameters", {})
    if not isinstance(parameters, dict):
        raise RequestError.bad("parameters", "is not an object")
    top = parameters.get("top_k")
    if top is not None and (not isinstance(top, int) or isinstance(top, bool) or top < 0):
        raise RequestError.bad("parameters.top_k", "is not a whole number from 0 on")
    return found, top


def _texts(document: dict[str, Any]) -> list[str]:
    if "instances" not in document:
        raise RequestError.bad("instances", "is missing")
    instances = document["instances"]
    if not isinstance(instances, list):
        raise RequestError.bad("instances", "is not a list")
    check_count(len(instances), "instances")
    found = [_text(instance, f"instances[{index}]") for index, instance in enumerate(instances)]
    check_texts(found, "instances")
    return found


def _text(instance: object, field: str) -> str:
    if isinstance(instance, dict):
        if "text" not in instance:
            raise RequestError.bad(f"{field}.text", "is missing")
        instance, field = instance["text"], f"{field}.text"
    if not isinstance(instance, str):
        raise RequestError.bad(field, "is not a string")
    return instance


def answer(scores: Scores) -> dict[str, Any]:
    """Return the V1 answer, one prediction a text, in order."""
    return {"predictions": _predictions(scores)}


def explained(scores: Scores, explanations: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the answer to ``:explain``: each text's prediction with what it comes from, in order."""
    pairs = zip(_predictions(scores), explanations, strict=True)
    return {"explanations": [{**prediction, **explanation} for prediction, explanation in pairs]}


def _predictions(scores: Scores) -> list[dict[str, Any]]:
    first, second = scores.classes
    return [
        {"label": label, "confidence": confidence, "probabilities": {first: one, second: other}}
        for label, confidence, (one, other) in zip(scores.labels, scores.confidences, scores.probabilities, strict=True)
    ]
