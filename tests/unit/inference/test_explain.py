"""Explanations of models other than the usual one."""

from __future__ import annotations

import pandas as pd
import pytest
from conftest import TEXTS
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import Pipeline

from inference.errors import RequestError
from inference.explain import Explainer
from inference.scoring import Scorer


def fitted(vectorizer: object, classifier: object, **columns: object) -> Pipeline:
    features = ColumnTransformer([("text", vectorizer, "text")], **columns)
    made = Pipeline([("features", features), ("classifier", classifier)])
    return made.fit(pd.DataFrame({"text": TEXTS}), [1, 1, 1, 0, 0, 0])


@pytest.mark.parametrize("threshold", [0.0, 1.0], ids=["dense", "sparse"])
def test_weighted_features_are_explained_exactly(threshold: float) -> None:
    pipeline = fitted(TfidfVectorizer(), LogisticRegression(), sparse_threshold=threshold)
    table = pd.DataFrame({"text": ["a very good film", ""]})
    for answer, logit in zip(
        Explainer(pipeline).explain(list(table["text"])), pipeline.decision_function(table), strict=True
    ):
        total = answer["bias"] + sum(token["contribution"] for token in answer["tokens"])
        assert total == pytest.approx(logit, abs=1e-12)
        assert answer["logit"] == pytest.approx(logit, abs=1e-12)


@pytest.mark.parametrize(
    "pipeline",
    [fitted(TfidfVectorizer(), MultinomialNB()), fitted(HashingVectorizer(n_features=64), LogisticRegression())],
    ids=["not linear", "no names"],
)
def test_what_has_no_exact_explanation_says_so_and_still_scores(pipeline: Pipeline) -> None:
    with pytest.raises(RequestError) as refused:
        Explainer(pipeline).explain(["a good film"])
    assert refused.value.status == 501
    assert len(Scorer(pipeline).score(["a good film"]).labels) == 1
