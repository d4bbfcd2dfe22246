"""The linear scorer gives scikit-learn's numbers, whatever the pipeline's options and whatever the text."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import TruncatedSVD
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer
from sklearn.svm import LinearSVC

import inference.features
from inference.linear import LinearModel
from inference.recognise import NotRecognisedError, recognise
from inference.skops_file import UnreadableError, read

TOLERANCE = 1e-12
CORPUS = [
    "A good film, a really GOOD film!",
    "great: naïve and très élégant",
    "don't miss it 100 %",
    "Straße İstanbul ΣΊΣΥΦΟΣ fine",
    "good good good",
    "a bad film, a very BAD film?",
    "awful -- e\u0301crit, tiresome",
    "do not see it 0 %",
    "dull \u0130 \ufb01lm of ﬃ",
    "bad bad awful",
]
LABELS = [1] * 5 + [0] * 5

# What lower case, accents, word borders and white space are known to trip over.
HOSTILE = st.text(
    st.sampled_from(
        "abcAB ÄéñßİıſΣςσﬁﬃ½²①Ⅳ한글漢字ـهْ\u0301\u0345\u200d\u200b\ufeff\u00a0\u2028\x00\x1c\t\n _-'!?.,%$🎬👩\u200d🚀"
    ),
    max_size=60,
)
TEXTS = st.lists(
    HOSTILE
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
    | st.lists(st.sampled_from(" ".join(CORPUS).split()), max_size=40).map(" ".join),
    min_size=1,
    max_size=20,
)

# From how many features on numpy computes a row: from the first, or never here.
MANY = st.sampled_from([1, 1_000])

CUTS = st.fixed_dictionaries(
    {
        "lowercase": st.booleans(),
        "strip_accents": st.sampled_from([None, "ascii", "unicode"]),
        "ngram_range": st.sampled_from([(1, 1), (1, 2), (2, 2), (1, 3), (2, 4)]),
        "binary": st.booleans(),
        "dtype": st.sampled_from([np.float32, np.float64]),
    }
)
ANALYSERS = st.one_of(
    st.sampled_from([{"analyzer": "char"}, {"analyzer": "char_wb"}]),
    st.fixed_dictionaries(
        {
            "token_pattern": st.sampled_from([r"(?u)\b\w\w+\b", r"\w+|[!?.,]", r"\S+", r"(\w)\w*", r"\w*"]),
            "stop_words": st.sampled_from([None, "english", ["a", "film", "good"]]),
        }
    ),
)
NORMS = st.sampled_from([None, "l1", "l2"])
WEIGHTS = st.fixed_dictionaries(
    {"norm": NORMS, "use_idf": st.booleans(), "smooth_idf": st.booleans(), "sublinear_tf": st.booleans()}
)


@st.composite
def vectorisers(draw: st.DrawFn) -> Any:
    options = {**draw(CUTS), **draw(ANALYSERS)}
    kind = draw(st.sampled_from(["tfidf", "count", "count and tfidf", "hash", "hash and tfidf"]))
    if kind == "tfidf":
        return TfidfVectorizer(**options, **draw(WEIGHTS))
    if "count" in kind:
        options["dtype"] = draw(st.sampled_from([np.int64, np.float32, np.float64]))
        first: Any = CountVectorizer(**options)
    else:
        size = draw(st.sampled_from([7, 256, 2**16]))
        first = HashingVectorizer(n_features=size, norm=draw(NORMS), alternate_sign=draw(st.booleans()), **options)
    if "and" not in kind:
        return first
    weights = draw(WEIGHTS)
    if isinstance(first, HashingVectorizer):
        first.set_params(norm=None)
        weights["sublinear_tf"] &= first.binary or not first.alternate_sign
        weights["smooth_idf"] = True
    return make_pipeline(first, TfidfTransformer(**weights))


@st.composite
def features(draw: st.DrawFn) -> Any:
    match draw(st.sampled_from(["one", "union", "columns", "after"])):
        case "one":
            return ColumnTransformer([("text", draw(vectorisers()), "text")])
        case "union":
            union = FeatureUnion([("a", draw(vectorisers())), ("b", draw(vectorisers()))])
            return ColumnTransformer([("text", union, "text")])
        case "columns":
            return ColumnTransformer([("a", draw(vectorisers()), "text"), ("b", draw(vectorisers()), "text")])
    norm = draw(st.sampled_from(["l1", "l2"]))
    return ColumnTransformer([("text", make_pipeline(draw(vectorisers()), Normalizer(norm)), "text")])


CLASSIFIERS = st.sampled_from(
    [
        LogisticRegression(C=10),
        SGDClassifier(loss="log_loss", random_state=0),
        CalibratedClassifierCV(LinearSVC(), cv=2),
        CalibratedClassifierCV(RidgeClassifier(), cv=2, ensemble=False),
        CalibratedClassifierCV(SGDClassifier(random_state=0), cv=2),
    ]
)


def table(texts: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"text": texts})


def fitted(features: Any, classifier: Any) -> Pipeline:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", (UserWarning, ConvergenceWarning))
        return Pipeline([("features", features), ("classifier", classifier)]).fit(table(CORPUS), LABELS)


def recognised(pipeline: Any, folder: Path) -> LinearModel:
    skops.io.dump(pipeline, folder / "model.skops")
    return recognise(read(folder / "model.skops"))


def in_double(pipeline: Pipeline) -> Pipeline:
    """Single-precision weights are left to scikit-learn."""
    last = pipeline[-1]
    for each in [calibrated.estimator for calibrated in getattr(last, "calibrated_classifiers_", [])] or [last]:
        each.coef_, each.intercept_ = np.float64(each.coef_), np.float64(each.intercept_)
    return pipeline


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("linear")


# Shrinking an example fits a pipeline each time: it would take minutes and the example says it all.
FITTING = settings(
    deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.reuse, Phase.generate]
)


@settings(FITTING, max_examples=60)
@given(features=features(), classifier=CLASSIFIERS, texts=TEXTS, many=MANY)
def test_every_option_scores_as_scikit_learn_does(
    folder: Path, features: Any, classifier: Any, texts: list[str], many: int
) -> None:
    inference.features._MANY = many
    pipeline = in_double(fitted(features, classifier))
    expected = pipeline.predict_proba(table(texts))[:, 1]
    model = recognised(pipeline, folder)
    assert np.abs(np.array(model.score(texts).probabilities)[:, 1] - expected).max() <= TOLERANCE
    assert list(model.classes) == ["negative", "positive"]


@settings(FITTING, max_examples=40)
@given(features=features(), texts=TEXTS, many=MANY)
def test_contributions_add_up_to_scikit_learns_logit(folder: Path, features: Any, texts: list[str], many: int) -> None:
    inference.features._MANY = many
    pipeline = in_double(fitted(features, LogisticRegression()))
    expected = pipeline.decision_function(table(texts))
    model = recognised(pipeline, folder)
    for top in (None, 2):
        for explained, logit in zip(model.explain(texts, top), expected, strict=True):
            total = explained["bias"] + sum(token["contribution"] for token in explained["tokens"])
            assert explained["logit"] == pytest.approx(logit, abs=1e-9)
            assert total + explained.get("rest", 0.0) == pytest.approx(logit, abs=1e-9)


def default() -> Pipeline:
    """The shape that training ships: hashed in single precision, weights in double."""
    hashed = HashingVectorizer(
        n_features=2**12,
        ngram_range=(1, 2),
        token_pattern=r"""\w+|[!?.,;:()"'*/-]""",
        binary=True,
        alternate_sign=False,
        norm=None,
        dtype=np.float32,
    )
    columns = ColumnTransformer([("text", make_pipeline(hashed, TfidfTransformer()), "text")])
    return in_double(fitted(columns, LogisticRegression(C=100)))


DEFAULT = default()


@settings(FITTING, max_examples=300)
@given(texts=TEXTS, many=MANY)
def test_the_shipped_shape_scores_as_scikit_learn_does(default_model: LinearModel, texts: list[str], many: int) -> None:
    inference.features._MANY = many
    expected = DEFAULT.predict_proba(table(texts))[:, 1]
    assert np.abs(np.array(default_model.score(texts).probabilities)[:, 1] - expected).max() <= TOLERANCE


@pytest.fixture(scope="module")
def default_model(tmp_path_factory: pytest.TempPathFactory) -> LinearModel:
    return recognised(DEFAULT, tmp_path_factory.mktemp("default"))


@settings(max_examples=500)
@given(text=HOSTILE | st.text(st.sampled_from("İßéa b!"), max_size=30))
def test_spans_hold_the_token_that_they_are_given_for(default_model: LinearModel, text: str) -> None:
    for entry in default_model.explain([text])[0]["tokens"]:
        for begin, end in entry["spans"]:
            assert 0 <= begin < end <= len(text)
            words = [token.split(" ") for token in entry["token"].split(" | ")]
            # Case is folded: a sigma's lower case depends on what stands around it.
            assert any(text[begin:end].casefold().startswith(word[0][:1].casefold()) for word in words)


def test_spans_point_into_the_original_text(default_model: LinearModel) -> None:
    text = "Très GOOD, good film"
    found = {entry["token"]: entry["spans"] for entry in default_model.explain([text])[0]["tokens"]}
    assert [text[begin:end] for begin, end in found["good"]] == ["GOOD", "good"]
    assert [text[begin:end] for begin, end in found["good film"]] == ["good film"]


def test_the_rest_is_what_is_not_shown(default_model: LinearModel) -> None:
    whole = default_model.explain(["a good film, not awful"])[0]
    short = default_model.explain(["a good film, not awful"], 3)[0]
    assert short["tokens"] == whole["tokens"][:3]
    assert short["rest"] == pytest.approx(sum(entry["contribution"] for entry in whole["tokens"][3:]), abs=1e-12)
    assert "rest" not in whole


def test_two_vectorisers_that_know_a_token_both_count(folder: Path) -> None:
    union = FeatureUnion([("words", TfidfVectorizer()), ("chars", TfidfVectorizer(analyzer="char_wb"))])
    pipeline = fitted(ColumnTransformer([("text", union, "text")]), LogisticRegression())
    tokens = [entry["token"] for entry in recognised(pipeline, folder).explain(["good"])[0]["tokens"]]
    assert sorted(tokens) == [" ", "d", "g", "good", "o"]


@pytest.mark.parametrize(
    ("pipeline", "because"),
    [
        (fitted(ColumnTransformer([("t", TfidfVectorizer(), "text")]), MultinomialNB()), "MultinomialNB"),
        (
            fitted(
                ColumnTransformer([("t", make_pipeline(TfidfVectorizer(), TruncatedSVD(2)), "text")]),
                LogisticRegression(),
            ),
            "TruncatedSVD",
        ),
        (
            fitted(
                ColumnTransformer([("t", make_pipeline(TfidfVectorizer(), FunctionTransformer()), "text")]),
                LogisticRegression(),
            ),
            "FunctionTransformer",
        ),
        (
            fitted(ColumnTransformer([("t", HashingVectorizer(dtype=np.float32), "text")]), LogisticRegression()),
            "float32",
        ),
        (
            fitted(
                ColumnTransformer([("t", TfidfVectorizer(), "text")]),
                CalibratedClassifierCV(LinearSVC(), cv=2, method="isotonic"),
            ),
            "isotonic",
        ),
        (
            fitted(
                ColumnTransformer([("t", TfidfVectorizer(), "text")], transformer_weights={"t": 2}),
                LogisticRegression(),
            ),
            "ColumnTransformer",
        ),
        (LogisticRegression().fit([[0.0], [1.0]], [0, 1]), "no pipeline"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_computed_here_is_named(folder: Path, pipeline: Any, because: str) -> None:
    with pytest.raises(NotRecognisedError, match=because):
        recognised(pipeline, folder)


def test_a_classifier_that_was_calibrated_when_fitted_is_recognised(folder: Path) -> None:
    columns = ColumnTransformer([("text", TfidfVectorizer(), "text")])
    inner = fitted(columns, LinearSVC())
    rows: NDArray[Any] = inner[0].transform(table(CORPUS))
    calibrated = CalibratedClassifierCV(FrozenEstimator(inner[-1]), cv=2).fit(rows, LABELS)
    pipeline = Pipeline([("features", inner[0]), ("classifier", calibrated)])
    model = recognised(pipeline, folder)
    expected = pipeline.predict_proba(table(CORPUS))[:, 1]
    assert np.abs(np.array(model.score(CORPUS).probabilities)[:, 1] - expected).max() <= TOLERANCE


@given(content=st.binary(max_size=200))
def test_what_is_no_skops_file_is_unreadable(folder: Path, content: bytes) -> None:
    (folder / "bytes.skops").write_bytes(content)
    with pytest.raises(UnreadableError):
        read(folder / "bytes.skops")
