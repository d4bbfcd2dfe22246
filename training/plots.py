"""Where people would rather look than read."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.metrics import (
    average_precision_score,
    confusion_matrix,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)
from sklearn.pipeline import Pipeline

__all__ = ["figures"]

_NAMES = ("negative", "positive")
_TOKENS = 20
_INK, _GOOD, _BAD = "#1f4e79", "#2e7d32", "#b23b3b"

Labels = NDArray[np.int64]
Scores = NDArray[np.float64]


def figures(pipeline: Pipeline, labels: Labels, positive: Scores) -> Iterator[tuple[str, Figure]]:
    """Yield ``(name, figure)`` for n labels and the probabilities that the model gave them."""
    yield "roc", _roc(labels, positive)
    yield "precision_recall", _precision_recall(labels, positive)
    yield "calibration", _calibration(labels, positive)
    yield "confusion_matrix", _confusion(labels, positive)
    yield "top_tokens", _tokens(pipeline)


def _axes(title: str, horizontal: str, vertical: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(6, 5), layout="constrained")
    axes = figure.subplots()
    axes.set(title=title, xlabel=horizontal, ylabel=vertical)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _roc(labels: Labels, positive: Scores) -> Figure:
    title = f"ROC, area {roc_auc_score(labels, positive):.4f}"
    figure, axes = _axes(title, "false positive share", "true positive share")
    false, true, _ = roc_curve(labels, positive)
    axes.plot([0, 1], [0, 1], ":", color="grey")
    axes.plot(false, true, color=_INK)
    return figure


def _precision_recall(labels: Labels, positive: Scores) -> Figure:
    figure, axes = _axes(
        f"Precision and recall, average precision {average_precision_score(labels, positive):.4f}",
        "recall",
        "precision",
    )
    precision, recall, _ = precision_recall_curve(labels, positive)
    axes.plot(recall, precision, color=_INK)
    axes.set_ylim(min(0.5, float(precision.min())), 1.01)
    return figure


def _calibration(labels: Labels, positive: Scores) -> Figure:
    figure, axes = _axes("Calibration: said and seen", "probability of positive", "share of positives")
    place = np.minimum((positive * 15).astype(int), 14)
    bins = [place == each for each in range(15) if (place == each).any()]
    sizes = np.array([each.sum() for each in bins])
    said, seen = ([float(values[each].mean()) for each in bins] for values in (positive, labels))
    axes.plot([0, 1], [0, 1], ":", color="grey")
    axes.scatter(said, seen, s=20 + 200 * sizes / sizes.max(), color=_INK, alpha=0.8)
    return figure


def _confusion(labels: Labels, positive: Scores) -> Figure:
    figure, axes = _axes("Confusion matrix", "predicted", "actual")
    counts = confusion_matrix(labels, (positive >= 0.5).astype(np.int64), labels=[0, 1])
    axes.imshow(counts, cmap="Blues", vmin=0)
    for row in range(2):
        for column in range(2):
            colour = "white" if counts[row, column] > counts.max() / 2 else "black"
            axes.text(column, row, f"{counts[row, column]:,}", ha="center", va="center", color=colour)
    axes.set(xticks=[0, 1], yticks=[0, 1], xticklabels=_NAMES, yticklabels=_NAMES)
    return figure


def _tokens(pipeline: Pipeline) -> Figure:
    weights = pipeline[-1].coef_[0]
    names = [name.split("__", 1)[-1] for name in pipeline[:-1].get_feature_names_out()]
    order = np.argsort(weights, kind="stable")
    chosen = [*order[:_TOKENS], *order[-_TOKENS:]]
    figure, axes = _axes("Heaviest tokens each way", "weight towards positive", "")
    figure.set_size_inches(6, 9)
    colours = [_GOOD if weights[each] > 0 else _BAD for each in chosen]
    axes.barh(range(len(chosen)), weights[chosen], color=colours)
    axes.set_yticks(range(len(chosen)), [names[each] for each in chosen], fontsize=8)
    return figure
