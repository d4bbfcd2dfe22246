"""Which metrics and labels a PromQL expression asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator

# Aggregations and vector matching name labels in brackets, as `by (tenant)`.
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_SELECTOR = re.compile(r"([a-zA-Z_:][\w:]*)\s*(\{[^}]*\})?(?!\s*\()(?![\w:])")
_WORDS = {"and", "or", "unless", "bool", "offset", "by", "on", "ignoring", "without"}


def selectors(expression: str) -> Iterator[tuple[str, set[str]]]:
    """Yield each metric with the labels that its selector matches on."""
    text = _GROUPING.sub(" ", _STRING.sub('""', expression))
    text = re.sub(r"\[[^\]]*\]", "", text)
    for name, matchers in _SELECTOR.findall(text):
        if name not in _WORDS and not re.fullmatch(r"e|inf|nan", name.lower()):
            yield name, set(re.findall(r"(\w+)\s*[=!]", matchers))


def grouped(expression: str) -> set[str]:
    """Return the labels that it aggregates by or joins on."""
    return {label.strip() for names in _GROUPING.findall(expression) for label in names.split(",") if label.strip()}
