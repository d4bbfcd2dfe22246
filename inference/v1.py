"""The V1 protocol (KServe's data plane V1): ``{"instances": […]}`` in, ``{"predictions": […]}`` out."""

from __future__ import annotations

from typing import Any

from inference.document import json_object
from inference.errors import RequestError
from inference.limits import check_count, check_texts
from inference.scoring import Scores

__all__ = ["answer", "explained", "texts"]


def texts(body: bytes) -> list[str]:
    """Return the texts of a V1 request; an instance is a string or ``{"text": string}``.

    Raises:
        RequestError: 400, naming the field.
    """
    document = json_object(body)
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
    return [
        {"label": label, "confidence": confidence, "probabilities": dict(zip(scores.classes, row, strict=True))}
        for label, confidence, row in zip(
            scores.labels, scores.confidences.tolist(), scores.probabilities.tolist(), strict=True
        )
    ]
