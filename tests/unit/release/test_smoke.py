from __future__ import annotations

from typing import Any

import pytest

from release.smoke import SMOKE_SET, smoke_fault


def predictions(*wrong: int) -> list[dict[str, Any]]:
    """The answers of a sound model, but for the wrong ones."""
    other = {"positive": "negative", "negative": "positive"}
    labels = [other[label] if at in wrong else label for at, label in enumerate(SMOKE_SET.values())]
    shares = {"positive": 0.9, "negative": 0.1}
    return [
        {"label": label, "probabilities": shares if label == "positive" else {"positive": 0.1, "negative": 0.9}}
        for label in labels
    ]


def test_a_sound_model_passes_even_with_one_wrong_label() -> None:
    assert smoke_fault(predictions()) == ""
    assert smoke_fault(predictions(0)) == ""


def test_two_wrong_labels_are_too_many() -> None:
    assert "2 of 8" in smoke_fault(predictions(0, 5))


def test_a_model_that_knows_one_label_does_not_pass() -> None:
    one = [{"label": "positive", "probabilities": {"positive": 1.0, "negative": 0.0}}] * len(SMOKE_SET)
    assert "every one" in smoke_fault(one)


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"label": "neutral"}, "neutral"),
        ({"probabilities": {"positive": 0.9, "negative": 0.2}}, "sum to 1.1"),
        ({"probabilities": {"positive": float("nan"), "negative": 0.2}}, "not shares"),
        ({"probabilities": None}, "not shares"),
    ],
)
def test_nonsense_is_named(broken: dict[str, Any], said: str) -> None:
    answers = predictions()
    assert said in smoke_fault([answers[0] | broken, *answers[1:]])


def test_a_missing_answer_is_named() -> None:
    assert "7 predictions" in smoke_fault(predictions()[1:])
