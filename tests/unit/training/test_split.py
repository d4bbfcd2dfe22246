from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.normalise import deduplicate, with_key
from training.source import load
from training.split import TEST_SHARE, split


@pytest.fixture(scope="module")
def divided() -> pd.DataFrame:
    return split(deduplicate(load(None).frame))


@given(st.lists(st.tuples(st.text(), st.sampled_from([0, 1])), min_size=1), st.lists(st.tuples(st.text(), st.just(1))))
def test_a_row_never_changes_side_when_data_grows_in_any_order(
    old: list[tuple[str, int]], new: list[tuple[str, int]]
) -> None:
    before = with_key(pd.DataFrame(old, columns=["text", "label"]))
    after = with_key(pd.DataFrame([*new, *reversed(old)], columns=["text", "label"]))
    sides_after = dict(zip(after["key"], split(after)["split"], strict=True))
    sides_before = split(before)
    assert all(sides_after[key] == side for key, side in zip(before["key"], sides_before["split"], strict=True))


@given(st.text(), st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_a_larger_share_only_adds_to_the_test_side(text: str, one: float, other: float) -> None:
    keyed = with_key(pd.DataFrame({"text": [text]}))
    small, large = (split(keyed, share).loc[0, "split"] for share in sorted((one, other)))
    assert (small, large) != ("test", "train")


def test_the_side_is_fixed_for_good() -> None:
    # These are data, not code: a change here puts rows that a registered version learned from into the test side.
    texts = ["a good film", "a bad film", "meh", "wonderful", "dull", "funny", "sad"]
    sides = split(with_key(pd.DataFrame({"text": texts})), 0.5)["split"].tolist()
    assert sides == ["test", "test", "train", "train", "train", "train", "test"]


def test_copies_in_another_form_are_on_the_same_side() -> None:
    texts = [f"film number {number}" for number in range(50)]
    first = split(with_key(pd.DataFrame({"text": texts})))["split"]
    other = split(with_key(pd.DataFrame({"text": [f"<b>{text.upper()}</b> !" for text in texts]})))["split"]
    assert first.tolist() == other.tolist()


def test_the_default_data_is_held_back_by_the_share_asked_for(divided: pd.DataFrame) -> None:
    assert abs((divided["split"] == "test").mean() - TEST_SHARE) < 0.005


def test_label_shares_of_the_two_sides_differ_by_less_than_two_points_overall_and_in_each_source(
    divided: pd.DataFrame,
) -> None:
    for _, part in [("all", divided), *divided.groupby("source")]:
        shares = part.groupby("split")["label"].mean()
        assert abs(shares["test"] - shares["train"]) < 0.02


def test_source_shares_of_the_two_sides_differ_by_less_than_two_points(divided: pd.DataFrame) -> None:
    shares = divided.groupby("split")["source"].value_counts(normalize=True).unstack()
    assert (shares.loc["test"] - shares.loc["train"]).abs().max() < 0.02


@pytest.mark.parametrize("share", [0, 1, -0.1, 15])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        split(pd.DataFrame({"key": ["0" * 64]}), share)


def test_the_frame_given_is_left_as_it_was_and_the_index_kept() -> None:
    frame = pd.DataFrame({"key": ["0" * 64, "f" * 64]}, index=[4, 9])
    assert split(frame)["split"].to_dict() == {4: "test", 9: "train"}
    assert "split" not in frame
