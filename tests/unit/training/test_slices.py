from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.slices import slices


def frame(texts: list[str], sources: list[str] | None = None) -> pd.DataFrame:
    return pd.DataFrame({"text": texts, "source": sources or ["data"] * len(texts)})


@given(st.lists(st.text(min_size=1), min_size=1, max_size=40))
def test_each_row_is_in_one_length_quartile_one_source_and_on_one_side_of_negation(texts: list[str]) -> None:
    found = slices(frame(texts))
    for kind in ("length_", "source_", "negation_"):
        masks = [mask for name, mask in found.items() if name.startswith(kind)]
        assert np.sum(masks, axis=0).tolist() == [1] * len(texts)


def test_quartiles_rise_and_hold_a_quarter_each() -> None:
    texts = ["x" * length for length in range(1, 101)]
    found = slices(frame(texts))
    assert [int(found[f"length_q{number}"].sum()) for number in (1, 2, 3, 4)] == [25, 25, 25, 25]
    assert found["length_q1"][0]
    assert found["length_q4"][-1]


@pytest.mark.parametrize("text", ["not good", "Never again", "I don't know", "NOTHING works", "cannot", "isn't it"])
def test_negation_is_found(text: str) -> None:
    assert slices(frame([text]))["negation_yes"].tolist() == [True]


@pytest.mark.parametrize("text", ["a notable film", "knot", "nobly done", "a nonstop ride", "nevertheless fine"])
def test_words_that_only_begin_like_a_negation_are_none(text: str) -> None:
    assert slices(frame([text]))["negation_yes"].tolist() == [False]


def test_a_source_becomes_a_name_that_a_metric_may_have() -> None:
    found = slices(frame(["a", "b"], ["Rotten Tomatoes (2004)", "imdb"]))
    assert found["source_Rotten_Tomatoes_2004_"].tolist() == [True, False]
    assert found["source_imdb"].tolist() == [False, True]


def test_a_column_with_a_source_for_each_row_makes_no_slice_for_each_row() -> None:
    names = [f"user{number}" for number in range(500)]
    assert sum(name.startswith("source_") for name in slices(frame(["a"] * 500, names))) == 20
