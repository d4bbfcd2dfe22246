"""From a text to its tokens, exactly as scikit-learn's vectorisers do it (sklearn.feature_extraction.text, 1.9)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

__all__ = ["Analyser", "CharAnalyser", "CharWordAnalyser", "Occurrence", "WordAnalyser", "preprocessor"]

Occurrence = tuple[str, int, int]
"""A token, and where it begins and ends in the original text, in characters."""

_WHITESPACE = re.compile(r"\s\s+")


def preprocessor(*, lowercase: bool, strip_accents: str | None) -> Callable[[str], str]:
    """Return what is done to a text before it is cut: lower case, then accents."""
    accents = {None: None, "ascii": _ascii, "unicode": _without_combining}[strip_accents]
    if accents is None:
        return str.lower if lowercase else str
    return (lambda text: accents(text.lower())) if lowercase else accents


def _ascii(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ASCII", "ignore").decode("ASCII")


def _without_combining(text: str) -> str:
    if text.isascii():
        return text
    return "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))


class Analyser(Protocol):
    """Cuts a text into tokens, in no particular order."""

    @property
    def tokens(self) -> Callable[[str], list[str]]:
        """The quickest function that does it."""

    def occurrences(self, text: str) -> list[Occurrence]:
        """Return the tokens with their places in the text, where these can be told."""


@dataclass(frozen=True)
class WordAnalyser:
    """Words by a pattern, without stop words, joined into n-grams of ``smallest`` to ``largest`` words."""

    preprocess: Callable[[str], str]
    pattern: re.Pattern[str]
    stop_words: frozenset[str]
    smallest: int
    largest: int

    @cached_property
    def tokens(self) -> Callable[[str], list[str]]:
        """The quickest function that does it."""
        preprocess, cut, stop_words = self.preprocess, self.pattern.findall, self.stop_words
        sizes = range(max(self.smallest, 2), self.largest + 1)
        single = self.smallest == 1

        def tokens(text: str) -> list[str]:
            words: list[str] = cut(preprocess(text))
            if stop_words:
                words = [word for word in words if word not in stop_words]
            found = words[:] if single else []
            for size in sizes:
                found += map(" ".join, zip(*(words[start:] for start in range(size)), strict=False))
            return found

        return tokens

    def occurrences(self, text: str) -> list[Occurrence]:
        """Return the tokens with their places: n-grams from the first word's begin to the last one's end.

        None are returned for the rare text whose processed form cannot be traced back.
        """
        processed = self.preprocess(text)
        origin = _origins(text, processed, self.preprocess)
        if origin is None:
            return []
        group = self.pattern.groups
        words = [
            (found[group], origin[found.start(group)], origin[found.end(group) - 1] + 1)
            for found in self.pattern.finditer(processed)
            if found[group] and found[group] not in self.stop_words
        ]
        return [
            (" ".join(word for word, _, _ in words[first : first + size]), words[first][1], words[first + size - 1][2])
            for size in range(self.smallest, self.largest + 1)
            for first in range(len(words) - size + 1)
        ]


def _origins(text: str, processed: str, preprocess: Callable[[str], str]) -> Sequence[int] | None:
    """Return the index in ``text`` that each character of ``processed`` comes from, or None if that cannot be told.

    Lower case and accents may change a text's length: "\u0130" becomes two characters, a lone accent none.
    """
    if text.isascii():
        return range(len(text))
    lengths = [len(preprocess(each)) for each in text]
    if sum(lengths) != len(processed):
        return None
    return [index for index, length in enumerate(lengths) for _ in range(length)]


@dataclass(frozen=True)
class CharAnalyser:
    """N-grams of ``smallest`` to ``largest`` characters, each run of white space one blank."""

    preprocess: Callable[[str], str]
    smallest: int
    largest: int

    def tokens(self, text: str) -> list[str]:
        """Return the tokens of a text."""
        cleaned = _WHITESPACE.sub(" ", self.preprocess(text))
        return [
            cleaned[start : start + size]
            for size in range(self.smallest, self.largest + 1)
            for start in range(len(cleaned) - size + 1)
        ]

    def occurrences(self, text: str) -> list[Occurrence]:  # noqa: ARG002 # cuts across words: nothing to highlight
        """Return no places."""
        return []


@dataclass(frozen=True)
class CharWordAnalyser:
    """N-grams of characters inside words, a blank before and after each word.

    A word that is shorter than a size counts once, whole, and in no larger size.
    """

    preprocess: Callable[[str], str]
    smallest: int
    largest: int

    def tokens(self, text: str) -> list[str]:
        """Return the tokens of a text."""
        found: list[str] = []
        for word in _WHITESPACE.sub(" ", self.preprocess(text)).split():
            padded = f" {word} "
            for size in range(self.smallest, self.largest + 1):
                found += [padded[start : start + size] for start in range(max(len(padded) - size, 0) + 1)]
                if len(padded) <= size:
                    break
        return found

    def occurrences(self, text: str) -> list[Occurrence]:  # noqa: ARG002 # cuts across words: nothing to highlight
        """Return no places."""
        return []
