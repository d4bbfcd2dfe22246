"""How much one request may ask for."""

from __future__ import annotations

from collections.abc import Sequence

from inference.errors import RequestError

__all__ = ["BODY_BYTES", "TEXTS", "TEXT_CHARACTERS", "check_count", "check_texts"]

BODY_BYTES = 1024 * 1024
TEXTS = 1_000
TEXT_CHARACTERS = 100_000


def check_count(count: int, field: str) -> None:
    """Refuse too many texts, before a loop over them; ``field`` is what the caller named them.

    Raises:
        RequestError: 400 with the field's name.
    """
    if count > TEXTS:
        raise RequestError.bad(field, f"holds {count} texts; at most {TEXTS} are allowed")


def check_texts(texts: Sequence[str], field: str) -> None:
    """Refuse no texts, too many, or one that is too long.

    Raises:
        RequestError: 400 with the field's name.
    """
    if not texts:
        raise RequestError.bad(field, "holds no text")
    check_count(len(texts), field)
    for index, text in enumerate(texts):
        if len(text) > TEXT_CHARACTERS:
            place = f"{field}[{index}]"
            raise RequestError.bad(place, f"has {len(text)} characters; at most {TEXT_CHARACTERS} are allowed")
