"""Which models are scored by which code."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import TEXTS, save
from sklearn.base import ClassifierMixin
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import Pipeline

from artifact import PublishedArtifact, tree_digest
from inference.errors import RequestError
from inference.linear import LinearModel
from inference.load import load
from inference.scoring import Scorer


def loaded(pipeline: Pipeline, folder: Path) -> Scorer:
    save(pipeline, folder)
    return load(PublishedArtifact.of("sentiment", 1, tree_digest(folder)), folder)


def fitted(classifier: ClassifierMixin) -> Pipeline:
    made = Pipeline([("features", ColumnTransformer([("t", TfidfVectorizer(), "text")])), ("classifier", classifier)])
    return made.fit(pd.DataFrame({"text": TEXTS}), [1, 1, 1, 0, 0, 0])


def test_a_recognised_model_needs_no_scikit_learn(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert isinstance(loaded(fitted(LogisticRegression()), tmp_path / "model"), LinearModel)
    assert not caplog.records


def test_any_other_model_is_scored_by_scikit_learn_and_the_log_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pipeline = fitted(MultinomialNB())
    with caplog.at_level(logging.WARNING):
        model = loaded(pipeline, tmp_path / "model")
    assert "MultinomialNB is not computed here" in caplog.text
    expected = pipeline.predict_proba(pd.DataFrame({"text": TEXTS}))
    assert np.allclose(model.score(TEXTS).probabilities, expected, rtol=0, atol=1e-12)
    with pytest.raises(RequestError) as refused:
        model.explain(["a good film"], None)
    assert refused.value.status == 501
