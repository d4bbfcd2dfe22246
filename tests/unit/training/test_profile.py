from __future__ import annotations

import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.profile import DataProfile, ProfileError, profile


def frame(*lengths: int) -> pd.DataFrame:
    labels = pd.array([at % 2 for at in range(len(lengths))], dtype="Int64")
    return pd.DataFrame({"text": ["x" * length for length in lengths], "label": labels})


def test_rows_labels_and_lengths_are_measured() -> None:
    measured = profile(frame(1, 8, 9, 2000))
    assert measured.rows == 4
    assert measured.label_share == {"0": 0.5, "1": 0.5}
    held = {low: weight for low, weight in zip(measured.length_bins, measured.length_weights, strict=False) if weight}
    assert held == {0: 0.25, 8: 0.5, 1024: 0.25}
    assert measured.length_quantiles["0.5"] == 8.5


@given(st.lists(st.integers(0, 200_000), min_size=1, max_size=5))
def test_a_profile_survives_json_and_its_weights_add_up_whatever_the_lengths(lengths: list[int]) -> None:
    measured = profile(frame(*lengths))
    assert sum(measured.length_weights) == pytest.approx(1)
    assert DataProfile.from_json(measured.to_json()) == measured


def test_a_table_without_rows_has_no_profile() -> None:
    with pytest.raises(ValueError, match="without rows"):
        profile(frame())


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"rows": "many"}'])
def test_what_is_not_a_profile_is_refused(text: str) -> None:
    with pytest.raises(ProfileError, match="not a data profile"):
        DataProfile.from_json(text)


@pytest.mark.parametrize(
    ("field", "value"),
    [("length_weights", [0.5, 0.5]), ("length_bins", [3, 2, 1]), ("label_share", {"0": 0.9}), ("label_share", [1])],
)
def test_a_profile_that_contradicts_itself_is_refused(field: str, value: object) -> None:
    broken = json.loads(profile(frame(5, 6)).to_json()) | {field: value}
    with pytest.raises(ProfileError, match="not a data profile"):
        DataProfile.from_json(json.dumps(broken))
