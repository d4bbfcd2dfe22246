from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfTransformer

from training import vectorise
from training.vectorise import COLUMNS, fit_features, hash_texts, hasher

TEXTS = ["A great film!", "", "not great, not bad", "café ☕ \x00", "a" * 5_000, "great film great film"]


def ignore(_: int) -> None:
    """Show no progress."""


@given(st.lists(st.text(), min_size=1, max_size=12))
def test_chunked_hashing_is_scikit_learns_own(texts: list[str]) -> None:
    expected = hasher().transform(texts)
    expected.sort_indices()
    rows = hash_texts(texts, ignore)
    assert rows.shape == (len(texts), COLUMNS)
    assert rows.indptr.tolist() == expected.indptr.tolist()
    assert rows.indices.tolist() == expected.indices.tolist()
    assert rows.data.tolist() == expected.data.tolist()


def test_neither_the_size_of_chunks_nor_a_second_process_changes_a_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"{text} {number}" for number in range(10) for text in TEXTS]
    whole = hash_texts(texts, ignore)
    monkeypatch.setattr(vectorise, "_CHUNK", 7)
    chunked = hash_texts(texts, ignore)
    monkeypatch.setattr(vectorise, "_PARALLEL_TEXTS", 1)
    parallel = hash_texts(texts, ignore)
    for other in (chunked, parallel):
        assert (other != whole).nnz == 0
        assert other.indices.tobytes() == whole.indices.tobytes()


def test_progress_adds_up_to_the_number_of_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectorise, "_CHUNK", 4)
    steps: list[int] = []
    hash_texts(TEXTS, steps.append)
    assert steps == [4, 2]


def test_values_are_small_types_so_that_a_million_rows_fit() -> None:
    rows = hash_texts(TEXTS, ignore)
    assert (rows.data.dtype, rows.indices.dtype) == (np.float32, np.int32)


def test_the_fitted_transformer_gives_the_rows_that_were_learned_from() -> None:
    made, rows = fit_features(hash_texts(TEXTS, ignore))
    served = made.transform(pd.DataFrame({"text": TEXTS}))
    np.testing.assert_allclose(served.toarray()[:, rows.indices], rows.toarray()[:, rows.indices], rtol=1e-6)


def test_weights_are_scikit_learns_own_fitted_to_all_rows() -> None:
    counts = hasher().transform(TEXTS)
    made, rows = fit_features(hash_texts(TEXTS, ignore))
    expected = TfidfTransformer().fit(counts)
    weights = made.named_transformers_["text"]["tfidf"].idf_
    np.testing.assert_array_equal(weights, expected.idf_)
    assert abs(expected.transform(counts) - rows).max() < 1e-6


def test_weights_do_not_depend_on_the_parts_they_are_computed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"{text} {number % 7}" for number in range(10) for text in TEXTS]
    whole, rows = fit_features(hash_texts(texts, ignore))
    monkeypatch.setattr(vectorise, "_CHUNK", 7)
    monkeypatch.setattr(vectorise, "_ENTRIES", 11)
    parts, others = fit_features(hash_texts(texts, ignore))
    first, second = (made.named_transformers_["text"]["tfidf"].idf_ for made in (whole, parts))
    assert first.tobytes() == second.tobytes()
    assert rows.data.tobytes() == others.data.tobytes()


def test_punctuation_and_single_characters_count() -> None:
    analyse = hasher().build_analyzer()
    assert analyse("I loved it!") == ["i", "loved", "it", "!", "i loved", "loved it", "it !"]
