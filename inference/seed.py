"""The seed API: one text in, one prediction out."""

from __future__ import annotations

from typing import Any

from inference.document import json_object
from inference.errors import RequestError
from inference.limits import check_texts
from inference.scoring import Scores

__all__ = ["answer", "text"]


def text(body: bytes) -> str:
    """Return the text of ``{"text": string}``.

    Raises:
        RequestError: 400, naming the field.
    """
    document = json_object(body)
    if "text" not in document:
        raise RequestError.bad("text", "is missing")
    found = document["text"]
    if not isinstance(found, str):
        raise RequestError.bad("text", "is not a string")
    check_texts([found], "text")
    return found


def answer(asked: str, scores: Scores, tenant: str) -> dict[str, Any]:
    """Return the seed API's answer."""
    return {
        "text": asked,
        "prediction": scores.labels[0],
        "confidence": scores.confidences[0],
        "tenant": tenant,
    }
