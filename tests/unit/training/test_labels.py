from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.labels import LABELS, LabelError, map_labels


@pytest.mark.parametrize(
    ("negative", "positive"),
    [
        (0, 1),
        (0.0, 1.0),
        (-1, 1),
        ("-1", "1"),
        ("-1.0", "+1"),
        (False, True),
        ("False", "true"),
        ("neg", "pos"),
        ("NEGATIVE", " Positive "),
        ("0", "1.0"),
    ],
)
def test_every_usual_spelling_of_the_two_labels_is_understood(negative: object, positive: object) -> None:
    mapped = map_labels(pd.Series([positive, negative, positive]))
    assert mapped.tolist() == [1, 0, 1]
    assert mapped.dtype == "Int64"


@given(st.lists(st.sampled_from(sorted(set(LABELS) - {"-1"})), min_size=1), st.booleans())
def test_each_row_is_mapped_by_its_own_spelling_whatever_the_others_are(spellings: list[str], shout: bool) -> None:
    values = pd.Series([spelling.upper() if shout else spelling for spelling in spellings])
    assert map_labels(values).tolist() == [LABELS[spelling] for spelling in spellings]


def test_the_index_is_kept() -> None:
    mapped = map_labels(pd.Series(["pos", "neg"], index=[7, 3]))
    assert mapped.loc[7] == 1
    assert mapped.loc[3] == 0


def test_nulls_and_blanks_stay_null_for_the_checks_to_report() -> None:
    mapped = map_labels(pd.Series(["1", None, float("nan"), "  ", "0"], dtype=object))
    assert mapped.isna().tolist() == [False, True, True, True, False]


def test_a_column_of_nulls_is_null() -> None:
    assert map_labels(pd.Series([None, None], dtype=object)).isna().all()


def test_stars_are_refused_with_their_counts_and_the_commonest_first() -> None:
    with pytest.raises(LabelError, match=r"4 of 5 labels .*'5 stars' \(3 rows\), '1 star' \(1 rows\); known are") as e:
        map_labels(pd.Series(["5 stars", "1 star", "5 stars", "1", "5 stars"]))
    assert "negative" in str(e.value)


def test_a_column_of_texts_is_refused_in_one_short_line() -> None:
    with pytest.raises(LabelError, match="and 95 more values") as raised:
        map_labels(pd.Series([f"text {number} " + "x" * 500 for number in range(100)]))
    assert len(str(raised.value)) < 500


@pytest.mark.parametrize("value", [2, "2", "neutral", "nan", "1.00", "yes", "\U0001f44d"])
def test_a_value_that_could_mean_something_else_is_refused(value: object) -> None:
    with pytest.raises(LabelError):
        map_labels(pd.Series([0, 1, value], dtype=object))


def test_zero_beside_minus_one_is_refused_because_it_may_mean_neutral() -> None:
    with pytest.raises(LabelError, match="neutral"):
        map_labels(pd.Series([-1, 0, 1]))
