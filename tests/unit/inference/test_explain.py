"""Explanations of models other than the usual one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from conftest import TEXTS
from hypothesis import given
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer

from inference.errors import RequestError
from inference.explain import Explainer
from inference.scoring import Scorer


def fitted(vectorizer: object, classifier: object, **columns: object) -> Pipeline:
    features = ColumnTransformer([("text", vectorizer, "text")], **columns)
    made = Pipeline([("features", features), ("classifier", classifier)])
    return made.fit(pd.DataFrame({"text": TEXTS}), [1, 1, 1, 0, 0, 0])


def adds_up(pipeline: Pipeline, texts: list[str]) -> bool:
    logits = pipeline.decision_function(pd.DataFrame({"text": texts}))
    answers = Explainer(pipeline).explain(texts)
    totals = [answer["bias"] + sum(token["contribution"] for token in answer["tokens"]) for answer in answers]
    return bool(
        np.allclose(totals, logits, atol=1e-9) and np.allclose([a["logit"] for a in answers], logits, atol=1e-9)
    )


def tokens(pipeline: Pipeline, text: str) -> set[str]:
    return {token["token"] for token in Explainer(pipeline).explain([text])[0]["tokens"]}


@pytest.mark.parametrize("threshold", [0.0, 1.0], ids=["dense", "sparse"])
def test_weighted_features_are_explained_exactly(threshold: float) -> None:
    pipeline = fitted(TfidfVectorizer(), LogisticRegression(), sparse_threshold=threshold)
    assert adds_up(pipeline, ["a very good film", ""])
    assert tokens(pipeline, "a very good film, unseen") == {"very", "good", "film"}


@pytest.mark.parametrize("alternate", [True, False])
def test_hashed_features_are_named_by_the_text_itself(alternate: bool) -> None:
    pipeline = fitted(HashingVectorizer(ngram_range=(1, 2), alternate_sign=alternate), LogisticRegression())
    assert adds_up(pipeline, ["a very good film", "", "!"])
    assert tokens(pipeline, "Good unseen") == {"good", "unseen", "good unseen"}


CROWDED = fitted(HashingVectorizer(n_features=8, token_pattern=r"\w+", alternate_sign=False), LogisticRegression())


@given(st.text(st.sampled_from("abcd "), max_size=60))
def test_tokens_in_one_column_are_one_feature_and_none_is_lost(text: str) -> None:
    named = [token for feature in tokens(CROWDED, text) for token in feature.split(" | ")]
    assert sorted(named) == sorted(set(text.split()))
    assert adds_up(CROWDED, [text])


@pytest.mark.parametrize(
    "pipeline",
    [
        fitted(TfidfVectorizer(), MultinomialNB()),
        fitted(make_pipeline(TfidfVectorizer(), FunctionTransformer()), LogisticRegression()),
    ],
    ids=["not linear", "no names"],
)
def test_what_has_no_exact_explanation_says_so_and_still_scores(pipeline: Pipeline) -> None:
    with pytest.raises(RequestError) as refused:
        Explainer(pipeline).explain(["a good film"])
    assert refused.value.status == 501
    assert len(Scorer(pipeline).score(["a good film"]).labels) == 1
