"""Which saved pipelines are computed here, number for number; every other one is left to scikit-learn itself."""

from __future__ import annotations

import re
import runpy
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from artifact.names import TEXT_COLUMN
from inference.analysers import Analyser, CharAnalyser, CharWordAnalyser, WordAnalyser, preprocessor
from inference.features import Chain, Features, Hashed, Normalise, Stage, Table, TfIdf, Union, Vocabulary
from inference.linear import Linear, LinearModel
from inference.scoring import class_names
from inference.skops_file import Saved

__all__ = ["NotRecognisedError", "recognise"]

_LINEAR = {
    "sklearn.linear_model._logistic.LogisticRegression",
    "sklearn.linear_model._logistic.LogisticRegressionCV",
    "sklearn.linear_model._passive_aggressive.PassiveAggressiveClassifier",
    "sklearn.linear_model._perceptron.Perceptron",
    "sklearn.linear_model._ridge.RidgeClassifier",
    "sklearn.linear_model._stochastic_gradient.SGDClassifier",
    "sklearn.svm._classes.LinearSVC",
}
# Whole numbers become float64 wherever they are weighted or summed.
_DTYPES = {"numpy.float32", "numpy.float64", "numpy.int32", "numpy.int64"}


class NotRecognisedError(ValueError):
    """The pipeline holds something that is not computed here; the text says what."""


def recognise(pipeline: Saved) -> LinearModel:
    """Return a saved pipeline as a linear model.

    Raises:
        NotRecognisedError: it is not one of those that are computed here.
        inference.skops_file.UnreadableError: a part of it is of a form that is not read here.
    """
    if pipeline.kind != "sklearn.pipeline.Pipeline":
        raise NotRecognisedError(f"a {_short(pipeline)} is no pipeline")
    steps = pipeline["steps"]
    features = _chain(steps[:-1])
    classes, linears = _classifier(steps[-1][1], features.width)
    return LinearModel(classes, features, linears)


def _short(found: object) -> str:
    return found.kind.rsplit(".", 1)[-1] if isinstance(found, Saved) else repr(found)


def _chain(steps: list[Any]) -> Features:
    if not steps:
        raise NotRecognisedError("a pipeline without a vectoriser")
    features = _features(steps[0][1])
    stages: list[Stage] = []
    for _, step in steps[1:]:
        if step in ("passthrough", None):
            continue
        stages += _stages(step, features.single)
    if any(isinstance(stage, TfIdf) and stage.sublinear for stage in stages) and not _counts(features):
        raise NotRecognisedError("logarithms of what may be zero or negative")
    if stages and steps[0][1].get("sparse_output_") is False:
        raise NotRecognisedError("weights for a dense table")
    return Chain(features, stages) if stages else features


def _counts(features: Features) -> bool:
    """Whether every value is 1 or more."""
    match features:
        case Hashed():
            return features.binary or not features.alternate_sign
        case Union():
            return all(_counts(part) for part in features.parts)
    return isinstance(features, Vocabulary)


def _features(part: Any) -> Features:
    match part.kind if isinstance(part, Saved) else part:
        case "sklearn.pipeline.Pipeline":
            return _chain(part["steps"])
        case "sklearn.pipeline.FeatureUnion" if part["transformer_weights"] is None:
            return _union([_features(each) for _, each in part["transformer_list"] if each != "drop"])
        case "sklearn.compose._column_transformer.ColumnTransformer" if part["transformer_weights"] is None:
            return _columns(part)
        case "sklearn.feature_extraction.text.HashingVectorizer":
            hashed = Hashed(_analyser(part), part["n_features"], part["binary"], part["alternate_sign"], _single(part))
            norm = _norm(part, hashed.single)
            return Chain(hashed, norm) if norm else hashed
        case "sklearn.feature_extraction.text.CountVectorizer":
            return _vocabulary(part)
        case "sklearn.feature_extraction.text.TfidfVectorizer":
            counted = _vocabulary(part)
            return Chain(counted, _stages(part["_tfidf"], counted.single))
    raise NotRecognisedError(f"{_short(part)} is not computed here")


def _vocabulary(part: Saved) -> Vocabulary:
    known = {token: int(column) for token, column in part["vocabulary_"].items()}
    return Vocabulary(_analyser(part), known, part["binary"], _single(part))


def _columns(part: Saved) -> Features:
    if list(part["feature_names_in_"]) != [TEXT_COLUMN]:
        raise NotRecognisedError(f"a table with other columns than {TEXT_COLUMN}")
    parts = []
    for _, transformer, column in part["transformers_"]:
        if transformer == "drop":
            continue
        # A list would select a table, over whose column names a vectoriser goes.
        if column != TEXT_COLUMN:
            raise NotRecognisedError(f"a transformer of the columns {column!r}")
        parts.append(_features(transformer))
    return _union(parts)


def _union(parts: list[Features]) -> Features:
    return parts[0] if len(parts) == 1 else Union(parts)


def _stages(step: Any, single: bool) -> list[Stage]:
    match step.kind if isinstance(step, Saved) else step:
        case "sklearn.feature_extraction.text.TfidfTransformer":
            idf = step.get("idf_")
            if idf is not None and not np.isfinite(idf).all():
                raise NotRecognisedError("inverse document frequencies that are not finite")
            table = None if idf is None else Table(idf)
            return [TfIdf(table, step["sublinear_tf"], single), *_norm(step, single)]
        case "sklearn.preprocessing._data.Normalizer":
            return _norm(step, single)
    raise NotRecognisedError(f"{_short(step)} is not computed here")


def _norm(step: Saved, single: bool) -> list[Stage]:
    norm = step["norm"]
    if norm not in ("l1", "l2", None):
        raise NotRecognisedError(f"the norm {norm!r} is not computed here")
    return [Normalise(norm, single)] if norm else []


def _single(vectoriser: Saved) -> bool:
    if vectoriser["dtype"] not in _DTYPES:
        raise NotRecognisedError(f"values of type {vectoriser['dtype']}")
    return bool(vectoriser["dtype"] == "numpy.float32")


def _analyser(vectoriser: Saved) -> Analyser:
    if vectoriser["input"] != "content":
        raise NotRecognisedError("texts are read from files")
    for own in ("preprocessor", "tokenizer"):
        if vectoriser[own] is not None:
            raise NotRecognisedError(f"a {own} of its own")
    preprocess = preprocessor(lowercase=vectoriser["lowercase"], strip_accents=vectoriser["strip_accents"])
    smallest, largest = vectoriser["ngram_range"]
    match vectoriser["analyzer"]:
        case "word":
            pattern = re.compile(vectoriser["token_pattern"])
            return WordAnalyser(preprocess, pattern, _stop_words(vectoriser["stop_words"]), smallest, largest)
        case "char":
            return CharAnalyser(preprocess, smallest, largest)
        case "char_wb":
            return CharWordAnalyser(preprocess, smallest, largest)
    raise NotRecognisedError("an analyzer of its own")


def _stop_words(given: Any) -> frozenset[str]:
    if given != "english":
        return frozenset(given or ())
    # scikit-learn's own list, by its file: importing it would import all of scikit-learn.
    spec = find_spec("sklearn")
    places = spec.submodule_search_locations if spec else None
    if not places:
        raise NotRecognisedError("scikit-learn's English stop words are not installed")
    return frozenset(
        runpy.run_path(str(Path(places[0]) / "feature_extraction" / "_stop_words.py"))["ENGLISH_STOP_WORDS"]
    )


def _classifier(classifier: Any, width: int) -> tuple[tuple[str, str], list[Linear]]:
    kind = classifier.kind if isinstance(classifier, Saved) else None
    if kind == "sklearn.calibration.CalibratedClassifierCV":
        return _classes(classifier), [_calibrated(each, width) for each in classifier["calibrated_classifiers_"]]
    logistic = isinstance(classifier, Saved) and "LogisticRegression" in _short(classifier)
    if not logistic and not (kind and kind.endswith(".SGDClassifier") and classifier["loss"] == "log_loss"):
        raise NotRecognisedError(f"{_short(classifier)} is not computed here")
    weights, bias = _decision(classifier, width)
    return _classes(classifier), [Linear(Table(weights), bias)]


def _calibrated(calibrated: Saved, width: int) -> Linear:
    if calibrated["method"] != "sigmoid":
        raise NotRecognisedError(f"calibration by {calibrated['method']}")
    weights, bias = _decision(calibrated["estimator"], width)
    (sigmoid,) = calibrated["calibrators"]
    slope, offset = float(sigmoid["a_"]), float(sigmoid["b_"])
    return Linear(Table(weights * -slope), -(slope * bias + offset))


def _decision(classifier: Saved, width: int) -> tuple[NDArray[np.float64], float]:
    """Return weights ``[width]`` and bias of a binary linear classifier's decision function."""
    if classifier.kind == "sklearn.frozen._frozen.FrozenEstimator":
        classifier = classifier["estimator"]
    if classifier.kind not in _LINEAR:
        raise NotRecognisedError(f"{_short(classifier)} is not computed here")
    weights, bias = np.asarray(classifier["coef_"]), np.asarray(classifier["intercept_"])
    if weights.dtype != np.float64:
        # Summed in single precision, the result depends on the order of the sum.
        raise NotRecognisedError(f"weights of type {weights.dtype}")
    if weights.size != width or bias.size != 1:
        raise NotRecognisedError(f"weights of shape {list(weights.shape)}")
    return weights.ravel(), float(bias.ravel()[0])


def _classes(classifier: Saved) -> tuple[str, str]:
    names = class_names(classifier["classes_"])
    if len(names) != 2:
        raise NotRecognisedError(f"{len(names)} classes")
    return names[0], names[1]
