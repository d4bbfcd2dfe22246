from __future__ import annotations

import warnings

import numpy as np
import pytest
from matplotlib.figure import Figure

from training.plots import figures

CURVE = {100: 0.7, 200: 0.75, 400: 0.8}
TOKENS = [("bad", -3.0), ("dull", -2.0), ("fine", 2.0), ("great", 3.0)]


@pytest.fixture(scope="module")
def drawn() -> dict[str, Figure]:
    labels = np.arange(400) % 2
    positive = np.clip(labels * 0.5 + np.random.default_rng(0).random(400) * 0.6, 0, 1)
    return dict(figures(labels, positive, CURVE, TOKENS))


def test_there_is_a_figure_for_each_question(drawn: dict[str, Figure]) -> None:
    assert list(drawn) == ["roc", "precision_recall", "calibration", "confusion_matrix", "learning_curve", "top_tokens"]


def test_the_matrix_shows_every_row_once(drawn: dict[str, Figure]) -> None:
    texts = [text.get_text() for text in drawn["confusion_matrix"].axes[0].texts]
    assert sum(int(text.split("\n")[0].replace(",", "")) for text in texts) == 400


def test_the_tokens_of_each_side_begin_with_the_heaviest(drawn: dict[str, Figure]) -> None:
    sides = [[label.get_text() for label in axes.get_yticklabels()] for axes in drawn["top_tokens"].axes]
    assert sides == [["bad", "dull"], ["great", "fine"]]


def test_the_learning_curve_has_a_point_for_each_size(drawn: dict[str, Figure]) -> None:
    line = drawn["learning_curve"].axes[0].lines[0]
    assert dict(zip(line.get_xdata(), line.get_ydata(), strict=True)) == CURVE


@pytest.mark.parametrize("token", ["$5", "$$", "a_b^c", "\\frac", "100 %", "{", "<b>"])
def test_hostile_tokens_are_drawn_as_they_are(token: str) -> None:
    labels, positive = np.array([0, 1, 0, 1]), np.array([0.2, 0.8, 0.4, 0.6])
    for name, figure in figures(labels, positive, CURVE, [(token, -1.0), (token, 1.0)]):
        if name == "top_tokens":
            figure.canvas.draw()
            assert figure.axes[0].get_yticklabels()[0].get_text() == token


@pytest.mark.parametrize("positive", [np.full(40, 0.5), np.tile([0.0, 1.0], 20), np.tile([1.0, 0.0], 20)])
def test_models_that_know_nothing_everything_or_the_opposite_can_be_drawn(positive: np.ndarray) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _, figure in figures(np.arange(40) % 2, positive, {}, []):
            figure.canvas.draw()
