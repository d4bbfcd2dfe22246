from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import skops.io
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from artifact.model import load_pipeline
from artifact.names import MODEL_FILE
from training.evaluate import expected_calibration_error
from training.normalise import deduplicate
from training.pipeline import (
    Linear,
    calibrate,
    common,
    fit,
    fit_linear,
    fold,
    head,
    learning_curve,
    nb_ratios,
)
from training.provenance import parameters_digest
from training.source import load
from training.tokens import heaviest
from training.vectorise import fit_features, hash_texts

Fitted = tuple[Pipeline, sp.csr_matrix, NDArray[np.int64], pd.DataFrame]


def fitted(table: pd.DataFrame) -> Fitted:
    table = table.sort_values("key", ignore_index=True)
    labels = table["label"].to_numpy(np.int64)
    made, rows = fit_features(hash_texts(table["text"].tolist(), lambda _: None))
    return fit(made, rows, labels), rows, labels, table


@pytest.fixture(scope="module")
def reviews() -> pd.DataFrame:
    """Return 3,000 short reviews to learn from and 1,000 to be measured on."""
    frame = deduplicate(load(None).frame)
    return frame[frame["source"] == "rotten_tomatoes"].sort_values("key", ignore_index=True)[:4_000]


@pytest.fixture(scope="module")
def model(reviews: pd.DataFrame) -> Fitted:
    return fitted(reviews[:3_000])


def random_rows(seed: int, rows: int = 60, columns: int = 12) -> tuple[sp.csr_matrix, NDArray[np.int64]]:
    chance = np.random.default_rng(seed)
    values = sp.random(rows, columns, density=0.4, random_state=chance, format="csr", dtype=np.float32)
    return values, (np.arange(rows) % 2).astype(np.int64)


def test_the_same_rows_in_another_order_give_the_same_bits(model: Fitted, reviews: pd.DataFrame) -> None:
    again, *_ = fitted(reviews[:3_000].sample(frac=1, random_state=5))
    assert parameters_digest(again) == parameters_digest(model[0])


def test_other_rows_give_other_parameters(model: Fitted, reviews: pd.DataFrame) -> None:
    other, *_ = fitted(reviews[1:3_001])
    assert parameters_digest(other) != parameters_digest(model[0])


def test_it_learns_and_its_probabilities_hold_on_rows_that_it_has_not_seen(
    model: Fitted, reviews: pd.DataFrame
) -> None:
    unseen = reviews[3_000:]
    labels = unseen["label"].to_numpy(np.int64)
    positive = model[0].predict_proba(unseen[["text"]])[:, 1]
    assert ((positive >= 0.5) == (labels == 1)).mean() > 0.68
    assert expected_calibration_error(labels, positive) < 0.08


def test_shuffled_labels_teach_nothing(reviews: pd.DataFrame) -> None:
    shuffled = reviews[:3_000].assign(label=np.random.default_rng(1).permutation(reviews["label"][:3_000]))
    positive = fitted(shuffled)[0].predict_proba(reviews[3_000:][["text"]])[:, 1]
    right = (positive >= 0.5) == (reviews["label"][3_000:].to_numpy(np.int64) == 1)
    assert abs(right.mean() - 0.5) < 0.06


def test_a_saved_model_loads_through_our_allow_list_and_answers_the_same(model: Fitted, tmp_path: Path) -> None:
    skops.io.dump(model[0], tmp_path / MODEL_FILE)
    texts = pd.DataFrame({"text": ["a wonderful film", "a dull, dull film", "", "🙂"]})
    loaded = load_pipeline(tmp_path)
    np.testing.assert_array_equal(loaded.predict_proba(texts), model[0].predict_proba(texts))
    assert loaded.classes_.tolist() == [0, 1]
    assert loaded.predict(texts)[:2].tolist() == [1, 0]


def test_answers_are_for_each_row_of_a_table(model: Fitted) -> None:
    assert model[0].predict_proba(pd.DataFrame({"text": ["good", "bad", "so so"]})).shape == (3, 2)


def test_the_heaviest_tokens_pull_the_way_they_are_listed(model: Fitted) -> None:
    pipeline, _, _, table = model
    tokens = heaviest(pipeline, table["text"].tolist(), 10)
    weights = [weight for _, weight in tokens]
    assert weights == sorted(weights)
    assert len(tokens) == 20
    assert {"bad", "too"} & {token for token, _ in tokens[:10]}
    probabilities = pipeline.predict_proba(pd.DataFrame({"text": [tokens[0][0], tokens[-1][0]]}))[:, 1]
    assert probabilities[0] < probabilities[1]


def test_no_token_is_listed_where_none_is_common(model: Fitted) -> None:
    assert heaviest(model[0], ["one", "two"], 5) == []


@pytest.mark.parametrize("seed", range(3))
def test_the_mean_of_both_classifiers_folds_into_one(seed: int) -> None:
    rows, labels = random_rows(seed)
    ratios = nb_ratios(rows, labels)
    plain = LogisticRegression(C=3, max_iter=200).fit(rows, labels)
    scaled_rows = rows.multiply(ratios.astype(np.float32)).tocsr()
    scaled = LogisticRegression(C=10, max_iter=200).fit(scaled_rows, labels)
    expected = (plain.decision_function(rows) + scaled.decision_function(scaled_rows)) / 2
    np.testing.assert_allclose(fit_linear(rows, labels).decide(rows), expected, atol=2e-3)


def test_ratios_count_presence_not_weight_and_favour_the_label_that_has_the_feature() -> None:
    rows = sp.csr_matrix(np.array([[5, 0, 1], [3, 0, 1], [0, 0.1, 1], [0, 9, 1]], dtype=np.float32))
    ratios = nb_ratios(rows, np.array([1, 1, 0, 0]))
    assert ratios == pytest.approx([np.log(3), -np.log(3), 0])


def test_ratios_do_not_depend_on_the_chunks_they_are_counted_in(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, labels = random_rows(3)
    whole = nb_ratios(rows, labels)
    monkeypatch.setattr("training.pipeline._CHUNK", 7)
    np.testing.assert_array_equal(nb_ratios(rows, labels), whole)


def test_features_of_one_row_alone_are_left_out_and_get_no_weight() -> None:
    rows = sp.csr_matrix(np.array([[1, 0, 1], [1, 0, 0], [0, 0, 1], [0, 1, 0]], dtype=np.float32))
    kept_rows, kept = common(rows)
    assert kept.tolist() == [0, 2]
    assert kept_rows.toarray().tolist() == rows.toarray()[:, [0, 2]].tolist()
    assert fit_linear(rows, np.array([1, 1, 0, 0])).weights[1] == 0


def test_most_of_the_rows_are_taken_without_a_copy() -> None:
    # scipy itself copies what is less than half of an array, to let go of the rest.
    rows, _ = random_rows(4)
    first = head(rows, 48)
    assert first.toarray().tolist() == rows.toarray()[:48].tolist()
    assert np.shares_memory(first.data, rows.data)


def test_calibration_finds_the_sigmoid_that_made_the_labels() -> None:
    chance = np.random.default_rng(0)
    logits = chance.normal(0, 2, 50_000)
    labels = (chance.random(50_000) < 1 / (1 + np.exp(-(0.5 * logits + 0.3)))).astype(np.int64)
    assert calibrate(logits, labels) == pytest.approx((0.5, 0.3), abs=0.05)


def test_a_folded_classifier_says_the_calibrated_probability() -> None:
    rows, _ = random_rows(6)
    linear = Linear(np.arange(12, dtype=np.float64) - 6, 0.25)
    expected = 1 / (1 + np.exp(-(linear.decide(rows) * 0.5 - 1)))
    np.testing.assert_allclose(fold(linear, 0.5, -1).predict_proba(rows)[:, 1], expected)


def test_the_learning_curve_leaves_out_parts_with_one_label_only() -> None:
    rows, _ = random_rows(7, rows=64)
    labels = np.array([1] * 8 + [0, 1] * 28)
    assert list(learning_curve(rows, labels, rows, labels)) == [16]


def test_the_learning_curve_is_measured_on_the_test_rows(model: Fitted, reviews: pd.DataFrame) -> None:
    pipeline, rows, labels, _ = model
    unseen = reviews[3_000:]
    curve = learning_curve(rows, labels, pipeline[0].transform(unseen[["text"]]), unseen["label"].to_numpy(np.int64))
    assert list(curve) == [93, 187, 375, 750]
    assert 0.5 < curve[750] < 0.8


@pytest.mark.parametrize("count", [7, 10_000, 20_001])
def test_features_that_two_rows_share_are_kept_whatever_the_number_of_chunks(count: int) -> None:
    generator = np.random.default_rng(count)
    rows = sp.random(count, 3000, density=0.0008, format="csr", dtype=np.float32, random_state=generator)
    found, kept = common(rows)
    assert kept.tolist() == np.flatnonzero(np.bincount(rows.indices, minlength=3000) >= 2).tolist()
    assert (found != rows[:, kept]).nnz == 0
