"""Drift: what came in lately against what the model was tested on."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Sequence
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
import pytest
from conftest import Predictor, running, save
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from tritonclient.grpc import InferenceServerClient, InferInput

from artifact import PublishedArtifact, tree_digest
from artifact.names import REFERENCE_FILE
from artifact.reference import MEASURES, Reference, ReferenceFormatError
from inference.drift import TEXTS, Drift, psi
from inference.linear import LinearModel
from inference.load import load
from training.reference import reference

WORDS = ["a", "an", "very", "good", "great", "fine", "bad", "awful", "poor", "film", "story", "actor", ".", ","]
NEW = [f"{one}{other}" for one in WORDS for other in WORDS]


def texts(count: int, seed: int, words: Sequence[str] = WORDS, longest: int = 40) -> list[str]:
    dice = np.random.default_rng(seed)
    return [" ".join(dice.choice(words, dice.integers(3, longest))) for _ in range(count)]


@pytest.fixture(scope="module")
def measured(pipeline: Pipeline) -> Reference:
    held_out = texts(2_000, 1)
    table = pd.DataFrame({"text": held_out})
    rows, positive = pipeline[0].transform(table), pipeline.predict_proba(table)[:, 1]
    return reference(held_out, rows, pipeline[-1].coef_[0], positive)


@pytest.fixture(scope="module")
def measured_folder(pipeline: Pipeline, measured: Reference, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = save(pipeline, tmp_path_factory.mktemp("measured") / "model")
    (folder / REFERENCE_FILE).write_text(measured.to_json())
    return folder


@pytest.fixture(scope="module")
def model(measured_folder: Path) -> LinearModel:
    found = load(PublishedArtifact.of("sentiment", 1, tree_digest(measured_folder)), measured_folder)
    assert isinstance(found, LinearModel)
    return found


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def drifted(model: LinearModel, *batches: Sequence[str], clock: Clock | None = None) -> dict[str, float]:
    assert model.reference is not None
    drift = Drift(model.reference, clock or Clock())
    for batch in batches:
        drift.add(batch, model.score(batch))
    return drift.psi()


@pytest.mark.parametrize("seed", range(5))
def test_more_texts_of_the_same_kind_are_no_drift(model: LinearModel, seed: int) -> None:
    found = drifted(model, texts(TEXTS, 100 + seed))
    assert set(found) == set(MEASURES)
    assert max(found.values()) < 0.1


@pytest.mark.parametrize(
    ("changed", "raised"),
    [
        (texts(TEXTS, 9, longest=120), {"length"}),
        (texts(TEXTS, 9, [*WORDS, *["good", "great", "fine"] * 4]), {"score", "class"}),
        (texts(TEXTS, 9, [*WORDS, *NEW]), {"oov"}),
    ],
    ids=["longer texts", "better reviews", "new words"],
)
def test_texts_of_another_kind_are_drift_and_the_measure_says_which(
    model: LinearModel, changed: list[str], raised: set[str]
) -> None:
    found = drifted(model, changed)
    assert min(found[name] for name in raised) > 0.25, found


def test_there_is_no_figure_before_there_are_enough_texts(model: LinearModel) -> None:
    assert drifted(model, texts(TEXTS - 1, 3)) == {}
    assert drifted(model, texts(TEXTS - 1, 3), ["a good film"]) != {}


def test_texts_leave_the_window_after_a_quarter_of_an_hour(model: LinearModel) -> None:
    assert model.reference is not None
    clock = Clock()
    drift = Drift(model.reference, clock)
    strange = texts(1_000, 4, NEW)
    drift.add(strange, model.score(strange))
    clock.now = 14 * 60
    assert drift.psi()["oov"] > 0.25
    usual = texts(1_000, 5)
    drift.add(usual, model.score(usual))
    clock.now = 15 * 60
    assert drift.psi()["oov"] < 0.1
    clock.now = 30 * 60
    assert drift.psi() == {}


def test_memory_is_bounded_however_many_texts_come(model: LinearModel) -> None:
    assert model.reference is not None
    clock = Clock()
    drift = Drift(model.reference, clock)
    batch = texts(1_500, 6)
    scores = model.score(batch)
    for minute in range(100):
        clock.now = 60.0 * minute
        drift.add(batch, scores)
    assert len(drift._slots) == 15
    assert len(drift._fresh) == 0


COUNTS = st.lists(st.integers(0, 10_000), min_size=5, max_size=5)


@given(COUNTS, COUNTS)
def test_the_index_is_symmetric_and_zero_only_between_equals(one: list[int], other: list[int]) -> None:
    assert psi(one, other) == pytest.approx(psi(other, one))
    assert psi(one, other) >= 0
    assert psi(one, one) == 0


def test_the_index_of_a_known_pair() -> None:
    # 50:50 against 75:25, at a size at which half a count says nothing.
    assert psi([10**9, 10**9], [3 * 10**9, 10**9]) == pytest.approx(0.25 * np.log(1.5) - 0.25 * np.log(0.5))


def test_unknown_columns_are_told_alike_by_training_and_serving(pipeline: Pipeline, model: LinearModel) -> None:
    mixed = ["", "a good film", "a good xylophone", *texts(200, 8, [*WORDS, *NEW])]
    rows = pipeline[0].transform(pd.DataFrame({"text": mixed}))
    weights: NDArray[np.float64] = pipeline[-1].coef_[0]
    expected = [np.mean(weights[rows[at].indices] == 0) if rows[at].nnz else 0.0 for at in range(len(mixed))]
    scores = model.score(mixed)
    assert scores.unknown == pytest.approx(expected)
    counted = reference(mixed, rows, weights, np.array([share for _, share in scores.probabilities]))
    assert sum(counted.distributions["oov"].counts) == len(mixed)
    assert max(expected) > 0.5


def test_a_reference_survives_json(measured: Reference) -> None:
    assert Reference.from_json(measured.to_json()) == measured


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "{}", "null"),
        *('{"score": {"edges": [1, 0], "counts": [1, 1, 1]}}', '{"score": {"edges": [NaN], "counts": [1]}}'),
    ],
)
def test_what_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(ReferenceFormatError):
        Reference.from_json(text)


@pytest.mark.parametrize(
    ("field", "value"),
    [("edges", [2, 1]), ("counts", [1]), ("counts", [5, -1]), ("counts", [1, 10**400])],
)
def test_a_reference_that_contradicts_itself_is_refused(measured: Reference, field: str, value: object) -> None:
    broken = json.loads(measured.to_json())
    broken["class"][field] = value
    with pytest.raises(ReferenceFormatError):
        Reference.from_json(json.dumps(broken))


def test_a_model_whose_reference_is_broken_is_served_and_the_log_says_so(
    pipeline: Pipeline, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = save(pipeline, tmp_path / "model")
    (folder / REFERENCE_FILE).write_text("{}")
    with caplog.at_level(logging.WARNING):
        found = load(PublishedArtifact.of("sentiment", 1, tree_digest(folder)), folder)
    assert found.reference is None
    assert "drift is not measured" in caplog.text


def gauges(predictor: Predictor) -> dict[str, float]:
    page = httpx.get(f"{predictor.http}/metrics", trust_env=False).text
    pattern = r'^prediction_drift_psi\{measure="(\w+)",model="sentiment",version="7"\} (\S+)$'
    return {name: float(value) for name, value in re.findall(pattern, page, re.MULTILINE)}


@pytest.mark.parametrize("protocol", ["rest", "grpc"])
def test_texts_of_either_protocol_move_the_gauges(measured_folder: Path, protocol: str) -> None:
    def send(batch: list[str]) -> None:
        if protocol == "rest":
            body = {"instances": batch}
            url = f"{predictor.http}/v1/models/sentiment:predict"
            assert httpx.post(url, json=body, trust_env=False).status_code == 200
        else:
            given = InferInput("text", [len(batch)], "BYTES")
            given.set_data_from_numpy(np.array([text.encode() for text in batch], dtype=object))
            client.infer("sentiment", [given])

    with running(measured_folder) as predictor, InferenceServerClient(predictor.grpc) as client:
        assert gauges(predictor) == {}
        send(texts(600, 11))
        usual = gauges(predictor)
        assert set(usual) == set(MEASURES)
        assert max(usual.values()) < 0.1
        send(texts(900, 12, NEW))
        assert gauges(predictor)["oov"] > 0.25


def test_a_model_without_a_reference_has_no_such_gauge(predictor: Predictor) -> None:
    page = httpx.get(f"{predictor.http}/metrics", trust_env=False).text
    assert "prediction_confidence" in page
    assert "prediction_drift" not in page
