"""Where people would rather look than read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

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

from training.evaluate import expected_calibration_error

__all__ = ["figures"]

_NAMES = ("negative", "positive")
_BINS = 15
_INK, _GOOD, _BAD, _PALE = "#1f4e79", "#2e7d32", "#b23b3b", "#c9d6e3"

Labels = NDArray[np.int64]
Scores = NDArray[np.float64]


def figures(
    labels: Labels, positive: Scores, curve: Mapping[int, float], tokens: Sequence[tuple[str, float]]
) -> Iterator[tuple[str, Figure]]:
    """Yield ``(name, figure)``.

    Args:
        labels: 0 or 1, ``[n]``.
        positive: the probabilities of label 1 that the model gave, ``[n]``.
        curve: accuracy by number of training rows.
        tokens: (token, weight) by rising weight, as many below zero as above.
    """
    yield "roc", _roc(labels, positive)
    yield "precision_recall", _precision_recall(labels, positive)
    yield "calibration", _calibration(labels, positive)
    yield "confusion_matrix", _confusion(labels, positive)
    yield "learning_curve", _learning(curve)
    yield "top_tokens", _tokens(tokens)


def _axes(title: str, horizontal: str, vertical: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(6, 5), layout="constrained")
    axes = figure.subplots()
    _dress(axes, title, horizontal, vertical)
    return figure, axes


def _dress(axes: Axes, title: str, horizontal: str, vertical: str) -> None:
    axes.set(title=title, xlabel=horizontal, ylabel=vertical)
    axes.spines[["top", "right"]].set_visible(False)


def _roc(labels: Labels, positive: Scores) -> Figure:
    title = f"ROC curve, area {roc_auc_score(labels, positive):.4f}"
    figure, axes = _axes(title, "share of negatives called positive", "share of positives found")
    false, true, _ = roc_curve(labels, positive)
    axes.plot([0, 1], [0, 1], ":", color="grey", label="guessing")
    axes.plot(false, true, color=_INK, label="model")
    axes.set(xlim=(-0.01, 1), ylim=(0, 1.01), aspect="equal")
    axes.legend(loc="lower right", frameon=False)
    return figure


def _precision_recall(labels: Labels, positive: Scores) -> Figure:
    title = f"Precision and recall, average precision {average_precision_score(labels, positive):.4f}"
    figure, axes = _axes(title, "recall: share of positives found", "precision: share of found that are positive")
    precision, recall, _ = precision_recall_curve(labels, positive)
    share = float(labels.mean())
    axes.axhline(share, ls=":", color="grey", label="guessing")
    axes.plot(recall, precision, color=_INK, label="model")
    axes.set(xlim=(0, 1.01), ylim=(min(0.45, share - 0.05), 1.01))
    axes.legend(loc="center left", frameon=False)
    return figure


def _calibration(labels: Labels, positive: Scores) -> Figure:
    """Draw what was said against what was seen, with the rows behind each point below."""
    figure = Figure(figsize=(6, 6), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    title = f"Calibration, expected error {expected_calibration_error(labels, positive):.4f}"
    _dress(upper, title, "", "share that is positive")
    _dress(lower, "", "probability of positive", "rows")
    place = np.minimum((positive * _BINS).astype(int), _BINS - 1)
    bins = [place == each for each in range(_BINS) if (place == each).any()]
    said, seen = (np.array([values[each].mean() for each in bins]) for values in (positive, labels))
    # 95 % for each point by the normal approximation: few rows are no evidence against the model.
    margin = 1.96 * np.sqrt(seen * (1 - seen) / np.array([each.sum() for each in bins]))
    upper.plot([0, 1], [0, 1], ":", color="grey", label="perfect")
    upper.errorbar(said, seen, yerr=margin, fmt="o-", color=_INK, capsize=2, markersize=4, label="model, 95 %")
    upper.set(xlim=(0, 1), ylim=(-0.02, 1.02))
    upper.legend(loc="upper left", frameon=False)
    lower.hist(positive, bins=_BINS, range=(0, 1), color=_PALE, edgecolor=_INK)
    return figure


def _confusion(labels: Labels, positive: Scores) -> Figure:
    predicted = (positive >= 0.5).astype(np.int64)
    title = f"Confusion matrix, accuracy {(predicted == labels).mean():.4f}"
    figure, axes = _axes(title, "predicted", "actual")
    counts = confusion_matrix(labels, predicted, labels=[0, 1])
    axes.imshow(counts, cmap="Blues", vmin=0)
    for (row, column), count in np.ndenumerate(counts):
        text = f"{count:,}\n{count / max(counts[row].sum(), 1):.1%} of {_NAMES[row]}"
        colour = "white" if count > counts.max() / 2 else "black"
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=12)
    axes.set(xticks=[0, 1], yticks=[0, 1], xticklabels=_NAMES, yticklabels=_NAMES)
    axes.spines[:].set_visible(False)
    return figure


def _learning(curve: Mapping[int, float]) -> Figure:
    figure, axes = _axes("Learning curve: would more data help?", "training rows", "accuracy on the test rows")
    rows, accuracies = list(curve), list(curve.values())
    axes.plot(rows, accuracies, "o-", color=_INK)
    for each, accuracy in curve.items():
        axes.annotate(f"{accuracy:.3f}", (each, accuracy), (-4, 6), textcoords="offset points", ha="right", fontsize=9)
    axes.set_xscale("log", base=2)
    axes.set_xticks(rows, [f"{each:,}" for each in rows], rotation=30)
    axes.minorticks_off()
    axes.margins(0.1, 0.15)
    return figure


def _tokens(tokens: Sequence[tuple[str, float]]) -> Figure:
    half = len(tokens) // 2
    figure = Figure(figsize=(9, 6), layout="constrained")
    figure.suptitle("The n-grams that pull hardest each way")
    sides = zip(figure.subplots(1, 2), _NAMES, (tokens[:half], tokens[::-1][:half]), (_BAD, _GOOD), strict=True)
    for axes, name, chosen, colour in sides:
        _dress(axes, f"towards {name}", "weight, with inverse document frequency", "")
        axes.barh(range(half), [abs(weight) for _, weight in chosen], color=colour)
        axes.set_yticks(range(half), [token for token, _ in chosen], fontsize=9, parse_math=False)
        axes.invert_yaxis()
    return figure
