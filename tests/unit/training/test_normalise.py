from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.normalise import deduplicate, normalise, repetitions, with_key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A fine film.", "a FINE   film"),
        ("Loved it.<br /><br />Truly.", "Loved it. Truly."),
        ("Tom &amp; Jerry", "Tom & Jerry"),
        ("it's a film , but", "It's a film, but"),
        ("na\u00efve", "nai\u0308ve"),
        ("\uff26\uff49\uff4e\uff45", "fine"),
        ("Stra\u00dfe", "STRASSE"),
        ("co\u00adoperate\ufeff", "cooperate"),
        ("two\u2014words\u00a0here", "two words here"),
    ],
)
def test_copies_that_differ_in_form_only_are_one_text(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("good", "not good"),
        (":)", ":("),
        ("\U0001f44d", "\U0001f44e"),
        ("great \U0001f44d", "great \U0001f44e"),
        ("5 of 10", "6 of 10"),
        ("\u0915\u093f", "\u0915\u0940"),
        ("I <3 it", "I it"),
    ],
)
def test_texts_that_say_different_things_stay_apart(one: str, other: str) -> None:
    assert normalise(one) != normalise(other)


@given(st.text(st.characters(codec="ascii")))
def test_case_never_counts_in_english(text: str) -> None:
    assert normalise(text.upper()) == normalise(text.lower())


@given(st.lists(st.text(st.characters(categories=["L", "N"]), min_size=1), min_size=1))
def test_spacing_never_counts(words: list[str]) -> None:
    assert normalise(" ".join(words)) == normalise("\t " + " \n\u00a0 ".join(words) + " ")


@given(st.text(st.characters(categories=None), min_size=1))
def test_any_text_whatever_has_a_key_and_a_text_that_is_not_blank_does_not_become_so(text: str) -> None:
    keyed = with_key(pd.DataFrame({"text": [text]}))
    assert len(keyed.loc[0, "key"]) == 64
    assert normalise(text) == normalise(text).strip()


def rows(*each: tuple[str | None, int | None]) -> pd.DataFrame:
    frame = pd.DataFrame(each, columns=["text", "label"])
    return frame.assign(label=frame["label"].astype("Int64"))


def test_the_first_of_each_text_is_kept_with_its_index_and_key() -> None:
    frame = rows(("Good!", 1), ("bad", 0), ("good", 1), ("fine", 1))
    kept = deduplicate(frame)
    assert kept["text"].to_dict() == {0: "Good!", 1: "bad", 3: "fine"}
    assert kept["key"].str.fullmatch("[0-9a-f]{64}").all()
    assert repetitions(frame).repeated == 1
    assert "key" not in frame


def test_a_text_with_both_labels_is_left_out_altogether() -> None:
    frame = rows(("good", 1), ("Good.", 0), ("bad", 0), ("good", 1))
    assert deduplicate(frame)["text"].tolist() == ["bad"]
    assert (repetitions(frame).contradicting, repetitions(frame).repeated) == (3, 0)


def test_rows_without_a_text_are_left_out_and_not_counted_as_repeated() -> None:
    frame = rows((None, 1), ("good", 1), (None, 0))
    assert deduplicate(frame)["text"].tolist() == ["good"]
    assert repetitions(frame) == type(repetitions(frame))(repeated=0, contradicting=0)


@given(st.lists(st.tuples(st.sampled_from(["a", "A", "b", "B.", "c"]), st.sampled_from([0, 1])), max_size=12))
def test_kept_repeated_and_contradicting_rows_add_up(each: list[tuple[str, int]]) -> None:
    frame = rows(*each)
    kept, counted = deduplicate(frame), repetitions(frame)
    assert len(kept) + counted.repeated + counted.contradicting == len(frame)
    assert kept["key"].is_unique
    assert deduplicate(kept).equals(kept)


def test_keys_that_are_there_are_not_computed_again() -> None:
    keyed = with_key(rows(("good", 1)))
    assert with_key(keyed) is keyed
