"""When two texts are the same text, and the table without repetitions."""

from __future__ import annotations

import hashlib
import html
import re
import unicodedata
from dataclasses import dataclass

import pandas as pd

__all__ = ["Repetitions", "deduplicate", "normalise", "repetitions", "with_key"]

_TAG = re.compile(r"</?[a-z][^<>]*>", re.IGNORECASE)

# Letters, marks, numbers and pictographs tell texts apart: "great" with a thumb up is not "great" with a thumb down.
_KEPT = {"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "So"}
# Joiners, soft hyphens and byte order marks stand inside words; a lone surrogate has no bytes to hash.
_DROPPED = {"Cf", "Cs"}


class _Words(dict[int, str | int]):
    """A table for :meth:`str.translate` that decides on each character when it first sees it."""

    def __missing__(self, code: int) -> str | int:
        category = unicodedata.category(chr(code))
        self[code] = code if category in _KEPT else "" if category in _DROPPED else " "
        return self[code]


_WORDS = _Words()


@dataclass(frozen=True)
class Repetitions:
    """How many rows :func:`deduplicate` leaves out, and why.

    Attributes:
        repeated: rows whose text stands in an earlier row with the same label.
        contradicting: rows of texts that occur with both labels.
    """

    repeated: int
    contradicting: int


def normalise(text: str) -> str:
    """Return what is left of a text when case, markup, punctuation, spacing and Unicode spelling do not count.

    Copies of one review differ in just these: scraped pages keep ``<br />`` and ``&amp;``, tokenised corpora split
    punctuation off the words. Case and compatibility forms fold as in Unicode's compatibility caseless matching
    (The Unicode Standard, section 3.13, D146). A text of punctuation alone is kept as it is, so that ``:)`` and ``:(``
    stay two texts; next to words they do not count.
    """
    if "&" in text:
        text = html.unescape(text)
    if "<" in text:
        text = _TAG.sub(" ", text)
    text = text.lower() if text.isascii() else _fold(text)
    return " ".join(text.translate(_WORDS).split()) or " ".join(text.split())


def _fold(text: str) -> str:
    text = unicodedata.normalize("NFD", text).casefold()
    return unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())


def _key(text: object) -> str | None:
    if not isinstance(text, str):
        return None
    return hashlib.sha256(normalise(text).encode("utf-8", "surrogatepass")).hexdigest()


def with_key(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with a column ``key``: the SHA-256 of the normalised ``text`` as 64 hex digits, or None.

    A frame that has its keys is returned as it is: this is the slow step, and both checks and training need it.
    """
    if "key" in frame:
        return frame
    return frame.assign(key=pd.Series([_key(text) for text in frame["text"]], index=frame.index, dtype=object))


def _contradicting(frame: pd.DataFrame) -> pd.Series:
    labels = frame["label"].groupby(frame["key"])
    return labels.transform("min") != labels.transform("max")


def repetitions(frame: pd.DataFrame) -> Repetitions:
    """Count what :func:`deduplicate` leaves out of a frame with ``text`` and ``label``."""
    keyed = with_key(frame)
    keyed = keyed[keyed["key"].notna()]
    contradicting = _contradicting(keyed).fillna(value=False).astype(bool)
    return Repetitions(
        repeated=int(keyed.loc[~contradicting, "key"].duplicated().sum()), contradicting=int(contradicting.sum())
    )


def deduplicate(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the first row of each normalised text, with its ``key``, in the old order and with the old index.

    A text that occurs with both labels is left out altogether: nothing says which label is right, and a model
    cannot be right about both. Rows without a text are left out too. :func:`repetitions` counts.
    """
    keyed = with_key(frame)
    keyed = keyed[keyed["key"].notna()]
    contradicting = _contradicting(keyed).fillna(value=False).astype(bool)
    return keyed[~contradicting & ~keyed["key"].duplicated()]
